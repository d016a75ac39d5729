# firewalld: its run-time state takes it a fifth of a second, and is asked for only if it keeps something of wgorch's.
: "${zone:?}" "${interfaces:?}"

ask_firewalld() {
    [ -d /run/firewalld ] || [ -e "/etc/firewalld/zones/$zone.xml" ] || return
    section firewalld
    running=
    for comm in /proc/[0-9]*/comm; do
        { read -r name <"$comm"; } 2>/dev/null && [ "$name" = firewalld ] && running=yes && echo running && break
    done
    if [ -n "$running" ] && [ -e "/etc/firewalld/zones/$zone.xml" ]; then
        policies=$(firewall-cmd --list-all-policies 2>/dev/null & firewall-cmd --info-zone="$zone" 2>/dev/null; wait)
        printf '%s\n' "$policies"
    fi
    for interface in $interfaces; do ask_zones_elsewhere; done
    section firewalld-files
    print_file "/etc/firewalld/zones/$zone.xml"
    for end in in out udp; do print_file "/etc/firewalld/policies/$zone-$end.xml"; done
    ask_default_zone
}

# Other zones that have the interface.
ask_zones_elsewhere() {
    for other in /etc/firewalld/zones/*.xml; do
        case ${other##*/} in "$zone.xml" | '*.xml') continue ;; esac
        while IFS= read -r line; do
            case $line in *"<interface name=\"$interface\""*) printf 'elsewhere %s\n' "${other##*/}" ;; esac
        done <"$other"
    done
    if [ -n "$running" ] && [ -d "/sys/class/net/$interface" ]; then
        other=$(firewall-cmd --get-zone-of-interface="$interface" 2>/dev/null)
        case $other in '' | "$zone") ;; *) printf 'elsewhere %s\n' "$other" ;; esac
    fi
}

ask_default_zone() {
    section firewalld-default
    default=public
    can_read /etc/firewalld/firewalld.conf && while IFS='=' read -r key value; do
        [ "$key" = DefaultZone ] && default=$value
    done </etc/firewalld/firewalld.conf
    for path in "/etc/firewalld/zones/$default.xml" "/usr/lib/firewalld/zones/$default.xml"; do
        print_lines '' "$path" && break
    done
}
