# The machine: kernel, distribution, tools, start-up system, other managers of its network.
: "${network:?}" "${table:?}" "${ports_hex:?}" "${interfaces:?}" "${line=}"

ask_moment() {
    section moment
    print_fact uptime /proc/uptime
    [ -n "$line" ] || unread 1 'cat /proc/uptime'
}

ask_host() {
    section host
    uid=
    [ -r /proc/self/status ] && while read -r name value _; do
        case $name in Uid:) uid=$value ;; CapEff:) printf 'rights %s\n' "$value"; break ;; esac
    done </proc/self/status
    printf 'uid %s\n' "${uid:-$(id -u)}"
    read_line /proc/uptime
    now=$(date +%s) || unread $? date
    printf 'clock %s %s\n' "$now" "${line%% *}"
    print_fact kernel /proc/sys/kernel/osrelease
    print_fact boot_id /proc/sys/kernel/random/boot_id
    [ -n "$line" ] || unread 1 'cat /proc/sys/kernel/random/boot_id'
    printf 'network %s\ntable %s\n' "$network" "$table"
    print_fact hostname /proc/sys/kernel/hostname
    print_fact machine_id /etc/machine-id
    printf 'ssh %s\n' "${SSH_CONNECTION-}"
    ask_init
    read_line /proc/sys/kernel/osrelease
    if [ -d /sys/module/wireguard ]; then
        echo 'wireguard loaded'
    elif [ -r "/lib/modules/$line/modules.dep" ]; then
        grep -q -s '/wireguard\.ko' "/lib/modules/$line/modules.dep" "/lib/modules/$line/modules.builtin" && echo 'wireguard module'
    fi
    print_lines 'os ' /etc/os-release
}

# What can run the boot script when the host starts.
ask_init() {
    services=
    for place in /var/service /etc/service /service; do
        # Only one that runsvdir supervises; processes are asked for only if there is such a directory at all.
        [ -d "$place" ] || continue
        for comm in /proc/[0-9]*/comm; do
            { read -r process <"$comm"; } 2>/dev/null && [ "$process" = runsvdir ] && services=$place && break 2
        done
    done
    if [ -d /run/systemd/system ]; then
        echo 'init systemd'
    elif [ -d /run/openrc ] && command -v rc-update >/dev/null 2>&1; then
        echo 'init openrc'
    elif [ -n "$services" ]; then
        echo 'init runit'
    elif [ -d /etc/cron.d ] && read_line /run/crond.pid && [ -d "/proc/${line:-none}" ]; then
        echo 'init cron'
    fi
}

ask_tools() {
    section tools
    for tool in ip wg wireguard-go iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore nft systemctl systemd-run setsid ping tcpdump \
        sha256sum apt-get dnf yum zypper pacman apk opkg; do
        command -v "$tool" >/dev/null 2>&1 && printf '%s\n' "$tool"
    done
}

# Which UDP ports are taken.
ask_udp() {
    section udp
    [ -r /proc/net/udp ] && while read -r _ local _; do
        case " $ports_hex " in *" ${local##*:} "*) printf '%s\n' "$local" ;; esac
    done </proc/net/udp
}

ask_managers() {
    section managers
    [ -d /run/NetworkManager ] && echo NetworkManager
    [ -e /run/systemd/netif/state ] && echo systemd-networkd
    for interface in $interfaces; do
        [ -L "/etc/systemd/system/multi-user.target.wants/wg-quick@$interface.service" ] && echo wg-quick
    done
}
