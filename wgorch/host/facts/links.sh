# Network devices, addresses, and routes of the main table.
: "${line=}" "${interfaces:?}"

ask_links() {
    section links
    for path in /sys/class/net/*; do
        [ -r "$path/mtu" ] || continue
        read_line "$path/mtu"
        mtu=$line
        read_line "$path/flags"
        flags=$line
        read_line "$path/ifalias"
        printf '%s %s %s %s\n' "${path##*/}" "$mtu" "$flags" "$line"
    done
}

# Addresses and routes in one process; their lines are not alike. If the tunnel is there, table local too: the kernel puts
# the tunnel's addresses into it. Section local names the interfaces that it was read for.
ask_addresses() {
    section local
    table_local=
    for interface in $interfaces; do
        [ -d "/sys/class/net/$interface" ] && echo "$interface" && table_local='route show table local type local'
    done
    section addresses
    ip -o -batch - <<END 2>/dev/null || { ip -o addr show; section routes; ip route show; section poor-ip; }
addr show
route show
$table_local
END
}

ask_routes6() {
    section routes6
    ip -6 -batch - <<END 2>/dev/null || ip -6 route show
route show
$table_local
END
}
