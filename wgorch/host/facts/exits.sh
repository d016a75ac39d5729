# Policy rules, wgorch's own routing table, and nexthop objects.
: "${table:?}"

ask_exits() {
    command -v ip >/dev/null 2>&1 || return
    section nexthops
    # Older kernels and busybox have none.
    ip nexthop show proto 119 2>/dev/null && echo supported
    for family in -4 -6; do
        section "policy $family"
        [ "$family" = -6 ] && [ ! -d /proc/sys/net/ipv6 ] && continue
        ip "$family" rule show 2>/dev/null || unread $? "ip $family rule show"
        section "exit-routes $family"
        ask_table "$family" "$table"
    done
}
