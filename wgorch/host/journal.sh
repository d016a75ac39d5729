# Print the journal of a network, and where those of other hosts ended; then whether this host carries the network.
: "${directory:?}" "${mark:?}"
printf '%s journal\n' "$mark"
[ ! -r "$directory/journal" ] || cat "$directory/journal"
printf '%s heads\n' "$mark"
[ ! -r "$directory/heads" ] || cat "$directory/heads"
printf '%s end\n' "$mark"
[ ! -e "$directory/boot" ] || echo member
