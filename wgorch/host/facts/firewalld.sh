# firewalld: its run-time state takes it a fifth of a second, and is asked for only if it keeps something of wgorch's.
: "${zone:?}" "${interfaces:?}"

ask_firewalld() {
    [ -d /run/firewalld ] || [ -e "/etc/firewalld/zones/$zone.xml" ] || return
    section firewalld
    for comm in /proc/[0-9]*/comm; do
        { read -r name <"$comm"; } 2>/dev/null && [ "$name" = firewalld ] && echo running && break
    done
    if [ "${name-}" = firewalld ] && [ -e "/etc/firewalld/zones/$zone.xml" ]; then
        policies=$(firewall-cmd --list-all-policies 2>/dev/null & firewall-cmd --info-zone="$zone" 2>/dev/null; wait)
        printf '%s\n' "$policies"
    fi
    for interface in $interfaces; do ask_zones_elsewhere; done
    section firewalld-files
    for file in "/etc/firewalld/zones/$zone.xml" "/etc/firewalld/policies/$zone"-*.xml; do
        print_file "$file"
    done
    ask_default_zone
}

# Other zones that have the interface.
ask_zones_elsewhere() {
    for file in /etc/firewalld/zones/*.xml; do
        case ${file##*/} in "$zone.xml" | '*.xml') continue ;; esac
        while IFS= read -r line; do
            case $line in *"<interface name=\"$interface\""*) printf 'elsewhere %s\n' "${file##*/}" ;; esac
        done <"$file"
    done
    if [ "${name-}" = firewalld ] && [ -d "/sys/class/net/$interface" ]; then
        other=$(firewall-cmd --get-zone-of-interface="$interface" 2>/dev/null)
        case $other in '' | "$zone") ;; *) printf 'elsewhere %s\n' "$other" ;; esac
    fi
}

ask_default_zone() {
    section firewalld-default
    name=public
    [ -r /etc/firewalld/firewalld.conf ] && while IFS='=' read -r key value; do
        [ "$key" = DefaultZone ] && name=$value
    done </etc/firewalld/firewalld.conf
    for file in "/etc/firewalld/zones/$name.xml" "/usr/lib/firewalld/zones/$name.xml"; do
        print_lines '' "$file" && break
    done
}
