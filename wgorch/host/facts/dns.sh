# The host's name servers.

ask_dns() {
    section dns
    print_lines '' /etc/resolv.conf
}
