# Values below /proc/sys that forward, redirect and filter packets.
: "${line=}"

# Print sysctls of a directory.
print_sysctls() { # DIRECTORY NAME...
    place=$1
    shift
    for name; do
        read_line "$place/$name"
        # An interface may go meanwhile, and older kernels lack some.
        [ -n "$line" ] || [ ! -e "$place/$name" ] || unread 1 "cat $place/$name"
        printf '%s %s\n' "${place#/proc/sys/}/$name" "$line"
    done
}

ask_sysctls() {
    section sysctls
    [ -e /proc/sys/net/ipv4/conf/all/forwarding ] || unread 1 'ls /proc/sys/net/ipv4/conf'
    for path in /proc/sys/net/ipv4/conf/*; do print_sysctls "$path" forwarding send_redirects rp_filter src_valid_mark; done
}

# force_forwarding is there from Linux 6.17 on.
ask_sysctls6() {
    section sysctls
    for path in /proc/sys/net/ipv6/conf/*; do
        [ -r "$path/force_forwarding" ] && print_sysctls "$path" force_forwarding
    done
    print_sysctls /proc/sys/net/ipv6/conf all/forwarding default/disable_ipv6
}
