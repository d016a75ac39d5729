# Several relays: which one is used just now, what takes a detour, and what is drained.
: "${network:?}" "${directory:?}" "${exits:?}"

ask_failover() {
    section failover
    [ "$exits" = yes ] || return 0
    place=/run/wgorch-$network
    [ -d "$place" ] || place=$directory
    for file in active detours; do print_lines '' "$place/$file"; done
    print_lines 'drained ' "$directory/drained"
    for file in "$directory"/drain.*; do
        [ ! -e "$file" ] || printf 'left %s\n' "${file##*/drain.}"
    done
}
