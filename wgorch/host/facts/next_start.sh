# What else writes the same things at the next start, or at a reload: lines of files of others, each behind its path; and
# the mount that holds wgorch's directory.
: "${network:?}" "${interfaces:?}" "${directory:?}"

ask_next_start() {
    section next-start
    nftables=
    for link in /etc/systemd/system/*.wants/nftables.service /etc/runlevels/*/nftables; do
        [ -e "$link" ] && nftables='/etc/nftables.conf /etc/sysconfig/nftables.conf'
    done
    # One process for all files: the shell reads byte by byte.
    # shellcheck disable=SC2086 # two files, or none
    lines=$(grep -H -s -m 100 -E "wgorch-${network}[-\" ]|^[[:space:]]*flush ruleset|^[[:space:]]*net[./]ipv4[./](ip_forward|conf[./](all|default)[./]forwarding)[[:space:]]*=[[:space:]]*0|(^|[^A-Za-z0-9_.-])(${interfaces%% *})([^A-Za-z0-9_.-]|\$)|^[^ ]+ (/ tmpfs|/var(/lib(/wgorch(/${network})?)?)? [^ ]+) " \
        /etc/iptables/rules.v4 /etc/iptables/rules.v6 /etc/sysconfig/iptables /etc/sysconfig/ip6tables $nftables \
        /etc/sysctl.conf /etc/sysctl.d/*.conf /etc/systemd/network/*.netdev /etc/netplan/*.yaml \
        /etc/NetworkManager/system-connections/* /etc/network/interfaces /etc/network/interfaces.d/* /proc/mounts)
    # 2 is for a file that is not there.
    status=$?
    [ "$status" -lt 3 ] || unread "$status" grep
    case $lines in
        '' | /proc/mounts:*) printf '%s\n' "$lines" ;;
        *) printf '%s\n' "$lines" | sed -e 's|[A-Za-z0-9+/]\{42\}[A-Za-z0-9+/=]\{2\}|KEY|g' -e 100q ;; # no key leaves the host
    esac
}
