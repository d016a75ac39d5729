# Network devices, addresses, and routes of the main table.
: "${line=}"

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

# Addresses and routes in one process; their lines are not alike.
ask_addresses() {
    section addresses
    ip -o -batch - <<END 2>/dev/null || { ip -o addr show; section routes; ip route show; section poor-ip; }
addr show
route show
END
}

ask_routes6() {
    section routes6
    ip -6 route show
}
