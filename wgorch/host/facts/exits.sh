# Policy rules, and wgorch's own routing table.
: "${table:?}"

ask_exits() {
    command -v ip >/dev/null 2>&1 || return
    for family in -4 -6; do
        section "policy $family"
        [ "$family" = -6 ] && [ ! -d /proc/sys/net/ipv6 ] && continue
        ip "$family" rule show 2>/dev/null || unread $? "ip $family rule show"
        section "exit-routes $family"
        ask_table "$family" "$table"
    done
}
