# What else writes the same things at the next start, or at a reload: lines of files of others, each behind its path.
: "${network:?}" "${interfaces:?}" "${directory:?}"

ask_next_start() {
    section next-start
    nftables=
    for link in /etc/systemd/system/*.wants/nftables.service /etc/runlevels/*/nftables; do
        [ -e "$link" ] && nftables='/etc/nftables.conf /etc/sysconfig/nftables.conf'
    done
    # One process for all files.
    # shellcheck disable=SC2086 # two files, or none
    grep -H -s -E "wgorch-${network}[-\" ]|^[[:space:]]*flush ruleset|^[[:space:]]*net[./]ipv4[./](ip_forward|conf[./](all|default)[./]forwarding)[[:space:]]*=[[:space:]]*0|(^|[^A-Za-z0-9_.-])(${interfaces%% *})([^A-Za-z0-9_.-]|\$)" \
        /etc/iptables/rules.v4 /etc/iptables/rules.v6 /etc/sysconfig/iptables /etc/sysconfig/ip6tables $nftables \
        /etc/sysctl.conf /etc/sysctl.d/*.conf /etc/systemd/network/*.netdev /etc/netplan/*.yaml \
        /etc/NetworkManager/system-connections/* /etc/network/interfaces /etc/network/interfaces.d/* | sed -e 's|[A-Za-z0-9+/]\{42\}[A-Za-z0-9+/=]\{2\}|KEY|g' -e 100q # no key leaves the host
    forgets=
    while read -r _ at type _; do
        case $directory/ in "${at%/}"/*) forgets=$type ;; esac
    done </proc/mounts
    [ "$forgets" != tmpfs ] || printf '%s:tmpfs\n' "$directory"
}
