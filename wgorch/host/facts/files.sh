# wgorch's own files: headers of boot scripts, records, lock.
: "${directory:?}" "${ipv6:?}" "${exits:?}"

# The headers of boot and pending in headers. IPv6 and exits are asked about if the network has any, or had at its last `up`.
read_headers() {
    headers=
    for file in boot pending; do
        [ -e "$directory/$file" ] && headers="${headers}has $file
"
        can_read "$directory/$file" && while IFS= read -r line; do
            case $line in '#: '*) headers="$headers$file $line
" ;; '#'*) ;; *) break ;; esac
        done <"$directory/$file"
    done
    case $headers in *'#: ipv6 yes'*) ipv6=yes ;; esac
    case $headers in *'#: exits yes'*) exits=yes ipv6=yes ;; esac
}

ask_files() {
    section files
    [ -d "$directory" ] || return
    printf '%s' "$headers"
    [ -e "$directory/reverting" ] && echo 'has reverting'
    [ -e "$directory/recorded" ] && echo 'has recorded'
    for file in recorded outcome installed hold; do
        print_lines "$file " "$directory/$file"
    done
    can_read "$directory/members" && { sed 's/^/members /' "$directory/members" || unread $? "sed $directory/members"; }
    if [ ! -e "$directory/members" ] && [ -d "$directory/revisions" ]; then
        for file in "$directory"/revisions/*; do :; done
        file=${file##*/}
        echo "kept ${file%.gz}"
    fi
    for file in "${directory%/*}"/*/boot; do
        # What the other networks on the host need.
        [ "$file" = "$directory/boot" ] || ! can_read "$file" || grep '^set_value ' "$file"
    done
    if [ -s "$directory/lock" ]; then
        print_lines 'lock ' "$directory/lock"
    elif [ -e "$directory/lock" ]; then
        echo 'lock unknown'
    fi
}
