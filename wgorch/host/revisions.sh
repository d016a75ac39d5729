# Print the records of the network's members that this host has, each behind a line with the mark: the oldest first.
: "${directory:?}" "${mark:?}"
for file in "$directory"/revisions/* "$directory/members"; do
    [ -f "$file" ] && [ -r "$file" ] || continue
    printf '\n%s\n' "$mark"
    case $file in *.gz) gzip -dc "$file" ;; *) cat "$file" ;; esac
done
printf '\n%s end\n' "$mark"
