# Policy rules, and wgorch's own routing table.
: "${table:?}"

ask_exits() {
    for family in -4 -6; do
        section "policy $family"
        [ "$family" = -6 ] && [ ! -d /proc/sys/net/ipv6 ] && continue
        ip "$family" rule show 2>/dev/null || ! command -v ip >/dev/null 2>&1 || unread $? "ip $family rule show"
        section "exit-routes $family"
        found=$(ip "$family" route show table "$table" 2>&1) && printf '%s\n' "$found" && continue
        # Newer kernels fail for a table without routes.
        case $found in *'does not exist'* | '') ;; *) unread 1 "ip $family route show table $table" ;; esac
    done
}
