# The host's name servers.

ask_dns() {
    section dns
    [ ! -e /etc/resolv.conf ] || can_read /etc/resolv.conf || unread 1 'cat /etc/resolv.conf'
    print_lines '' /etc/resolv.conf
}
