# The questions asked of a host. Nothing here changes anything.
# Set before: network, zone (of firewalld), interface, ipv6, exits, secrets and brief (yes or no), table, port_hex, key_source,
# scope (all, changed or own), our_nft (yes or no), nonce; what ways.sh says is read from 3. Values are read by the shell
# itself where that saves a process.
directory=/var/lib/wgorch/$network
section() { printf '\n%s %s\n' "$nonce" "$1"; }
line_of() { line=; [ -r "$1" ] && IFS= read -r line <"$1"; }
show_file() { # each line with a bar before it
    [ -r "$1" ] || return 0
    printf 'file %s\n' "$1"
    while IFS= read -r line || [ -n "$line" ]; do printf '|%s\n' "$line"; done <"$1"
}
fact() { line_of "$2"; printf '%s %s\n' "$1" "$line"; }

# What is of IPv6 is asked only where the network has any, or had when it was last brought up.
headers=
for file in boot pending; do
    [ -e "$directory/$file" ] && headers="${headers}has $file
"
    [ -r "$directory/$file" ] && while IFS= read -r line; do
        case $line in '#: '*) headers="$headers$file $line
" ;; '#'*) ;; *) break ;; esac
    done <"$directory/$file"
done
case $headers in *'#: ipv6 yes'*) ipv6=yes ;; esac
case $headers in *'#: exits yes'*) exits=yes ipv6=yes ;; esac

section moment
fact uptime /proc/uptime

if [ "$scope" = all ]; then
    section host
    uid=
    [ -r /proc/self/status ] && while read -r name value _; do
        case $name in Uid:) uid=$value ;; CapEff:) printf 'rights %s\n' "$value"; break ;; esac
    done </proc/self/status
    printf 'uid %s\n' "${uid:-$(id -u)}"
    printf 'clock %s %s\n' "$(date +%s)" "${line%% *}"
    fact kernel /proc/sys/kernel/osrelease
    fact boot_id /proc/sys/kernel/random/boot_id
    printf 'network %s\ntable %s\n' "$network" "$table"
    fact hostname /proc/sys/kernel/hostname
    fact machine_id /etc/machine-id
    printf 'ssh %s\n' "${SSH_CONNECTION-}"
    line=
    services=
    for place in /var/service /etc/service /service; do
        # Only a place that somebody looks after: the process is asked for where there is one at all.
        [ -d "$place" ] || continue
        for comm in /proc/[0-9]*/comm; do
            { read -r name <"$comm"; } 2>/dev/null && [ "$name" = runsvdir ] && services=$place && break 2
        done
    done
    if [ -d /run/systemd/system ]; then
        echo 'init systemd'
    elif [ -d /run/openrc ] && command -v rc-update >/dev/null 2>&1; then
        echo 'init openrc'
    elif [ -n "$services" ]; then
        echo 'init runit'
    elif [ -d /etc/cron.d ] && line_of /run/crond.pid && [ -d "/proc/${line:-none}" ]; then
        echo 'init cron'
    fi
    line_of /proc/sys/kernel/osrelease
    if [ -d /sys/module/wireguard ]; then
        echo 'wireguard loaded'
    elif [ -r "/lib/modules/$line/modules.dep" ]; then
        grep -q -s '/wireguard\.ko' "/lib/modules/$line/modules.dep" "/lib/modules/$line/modules.builtin" && echo 'wireguard module'
    fi
    [ -r /etc/os-release ] && while IFS= read -r line; do printf 'os %s\n' "$line"; done </etc/os-release

    section tools
    for tool in ip wg wireguard-go iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore nft systemctl systemd-run setsid ping tcpdump \
        sha256sum apt-get dnf yum zypper pacman apk opkg; do
        command -v "$tool" >/dev/null 2>&1 && printf '%s\n' "$tool"
    done

    section udp
    [ -r /proc/net/udp ] && while read -r _ local _; do
        case $local in *:"$port_hex") printf '%s\n' "$local" ;; esac
    done </proc/net/udp

    section managers
    [ -d /run/NetworkManager ] && echo NetworkManager
    [ -e /run/systemd/netif/state ] && echo systemd-networkd
    [ -L "/etc/systemd/system/multi-user.target.wants/wg-quick@$interface.service" ] && echo wg-quick

    section foreign-nft
    # Without counters, which move, and without what is in sets, which may be a country's addresses.
    tables=
    command -v nft >/dev/null 2>&1 && tables=$(nft list tables 2>/dev/null)
    while read -r _ family name; do
        case $family/$name in
        "inet/wgorch-$network") our_nft=yes && continue ;;
        / | */wgorch-* | inet/firewalld) continue ;;
        ip/filter | ip/nat | ip/mangle | ip/raw | ip/security | ip6/filter | ip6/nat | ip6/mangle | ip6/raw | ip6/security)
            command -v iptables-save >/dev/null 2>&1 && continue
            ;;
        esac
        nft -s -t list table "$family" "$name" 2>/dev/null || nft -s list table "$family" "$name" 2>/dev/null
    done <<END
$tables
END
fi

if [ "$scope" != own ]; then
    section links
    for path in /sys/class/net/*; do
        [ -r "$path/mtu" ] || continue
        line_of "$path/mtu"; mtu=$line
        line_of "$path/flags"; flags=$line
        line_of "$path/ifalias"
        printf '%s %s %s %s\n' "${path##*/}" "$mtu" "$flags" "$line"
    done

    # One process for both; their lines are not alike.
    section addresses
    ip -o -batch - <<END 2>/dev/null || { ip -o addr show; section routes; ip route show; section poor-ip; }
addr show
route show
END

    # What `wg show` prints for people: one process, and no private key. Counters are asked for apart.
    for interface in $interfaces; do
        [ -d "/sys/class/net/$interface" ] && command -v wg >/dev/null 2>&1 || continue
        section "wg $interface"
        WG_HIDE_KEYS=always WG_COLOR_MODE=never wg show "$interface"
        [ "$brief" = yes ] || { section "wg-handshakes $interface"; wg show "$interface" latest-handshakes; }
        [ "$brief" = yes ] || { section "wg-transfer $interface"; wg show "$interface" transfer; }
        # Of preshared keys only which of wgorch's files holds each.
        section "wg-preshared $interface"
        known=' '
        for file in "$directory"/psk.*; do
            [ -r "$file" ] && IFS= read -r line <"$file" && known="$known$line ${file##*/} "
        done
        [ "$known$secrets" = ' no' ] || wg show "$interface" preshared-keys | while read -r key secret; do
            file=${known#*" $secret "}
            [ "$secret" = '(none)' ] && continue
            [ "$file" = "$known" ] && file=other
            printf '%s\t%s\n' "$key" "${file%% *}"
        done
    done

    section rules
    rules=
    command -v iptables-save >/dev/null 2>&1 && rules=$(iptables-save 2>&1) # it warns of rules of the other kind
    printf '%s\n' "$rules"
    case $scope$rules in
    all*ufw-user-forward*)
        section ufw
        [ -r /etc/default/ufw ] && while IFS= read -r line; do
            case $line in MANAGE_BUILTINS=*[Yy][Ee][Ss]*) echo flushes ;; esac
        done </etc/default/ufw
        ;;
    esac

    section nft
    [ "$our_nft" = no ] || nft -s list table inet "wgorch-$network" 2>/dev/null

    # firewalld's runtime state takes it a fifth of a second to tell: it is asked only where something of ours is kept there.
    if [ -d /run/firewalld ] || [ -e "/etc/firewalld/zones/$zone.xml" ]; then
        section firewalld
        for comm in /proc/[0-9]*/comm; do
            { read -r name <"$comm"; } 2>/dev/null && [ "$name" = firewalld ] && echo running && break
        done
        if [ "${name-}" = firewalld ] && [ -e "/etc/firewalld/zones/$zone.xml" ]; then
            policies=$(firewall-cmd --list-all-policies 2>/dev/null & firewall-cmd --info-zone="$zone" 2>/dev/null; wait)
            printf '%s\n' "$policies"
        fi
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
        section firewalld-files
        for file in "/etc/firewalld/zones/$zone.xml" "/etc/firewalld/policies/$zone"-*.xml; do
            show_file "$file"
        done
        section firewalld-default
        name=public
        [ -r /etc/firewalld/firewalld.conf ] && while IFS='=' read -r key value; do
            [ "$key" = DefaultZone ] && name=$value
        done </etc/firewalld/firewalld.conf
        for file in "/etc/firewalld/zones/$name.xml" "/usr/lib/firewalld/zones/$name.xml"; do
            [ -r "$file" ] || continue
            while IFS= read -r line; do printf '%s\n' "$line"; done <"$file"
            break
        done
    fi

    section sysctls
    for path in /proc/sys/net/ipv4/conf/*; do
        for name in forwarding send_redirects rp_filter src_valid_mark; do
            line_of "$path/$name"
            printf '%s %s\n' "${path#/proc/sys/}/$name" "$line"
        done
    done

    section drop-ins
    for file in "/etc/NetworkManager/conf.d/wgorch-$network.conf" "/etc/systemd/network/05-wgorch-$network.network" \
        "/etc/systemd/networkd.conf.d/wgorch-$network.conf"; do
        show_file "$file"
    done

    section dns
    if [ -r /etc/resolv.conf ]; then
        while IFS= read -r line; do printf '%s\n' "$line"; done </etc/resolv.conf
    fi

    if [ "$ipv6" = yes ]; then
        section routes6
        ip -6 route show
        section rules6
        command -v ip6tables-save >/dev/null 2>&1 && ip6tables-save
        section sysctls
        for path in /proc/sys/net/ipv6/conf/*; do
            [ -r "$path/force_forwarding" ] || continue
            line_of "$path/force_forwarding"
            printf '%s %s\n' "${path#/proc/sys/}/force_forwarding" "$line"
        done
        for name in all/forwarding default/disable_ipv6; do
            line_of "/proc/sys/net/ipv6/conf/$name"
            printf '%s %s\n' "net/ipv6/conf/$name" "$line"
        done
    fi

    if [ "$exits" = yes ]; then
        for family in -4 -6; do
            section "policy $family"
            ip "$family" rule show 2>/dev/null
            section "ways $family"
            ip "$family" route show table "$table" 2>/dev/null
        done
    fi
fi

if [ "$scope" != changed ]; then
    # Who may read our files, and the key: a change leaves both alone until it is confirmed.
    section keys
    if [ -d "$directory" ]; then
        ls -ln "$directory"
        [ -s "$directory/private_key" ] && echo 'has private_key'
        key=$directory/private_key
        if [ -r "$directory/boot" ]; then
            while IFS= read -r line; do
                case $line in
                '#: key '*) [ -s "$key.${line#'#: key '}" ] && key=$key.${line#'#: key '} && printf 'unsettled yes\n' ;;
                '#'*) ;;
                *) break ;;
                esac
            done <"$directory/boot"
        fi
        for file in "$directory"/private_key.?*; do
            [ -s "$file" ] && [ "$file" != "$key" ] && printf 'next_key %s\n' "${file#"$directory"/private_key.}"
        done
        if [ -s "$key" ] && command -v wg >/dev/null 2>&1; then
            printf 'public_key %s\n' "$(wg pubkey <"$key" 2>/dev/null)"
        fi
    fi
    if [ -n "$key_source" ] && command -v wg >/dev/null 2>&1; then
        printf 'offered %s\n' "$(sh -c "$key_source" 2>/dev/null </dev/null | wg pubkey 2>/dev/null)"
    fi
fi

section files
if [ -d "$directory" ]; then
    printf '%s' "$headers"
    [ -e "$directory/reverting" ] && echo 'has reverting'
    for file in recorded outcome installed; do
        [ -r "$directory/$file" ] && while IFS= read -r line; do printf '%s %s\n' "$file" "$line"; done <"$directory/$file"
    done
    [ -s "$directory/lock" ] && while IFS= read -r line; do printf 'lock %s\n' "$line"; done <"$directory/lock"
    [ -e "$directory/lock" ] && [ ! -s "$directory/lock" ] && echo 'lock unknown'
fi
unit=/etc/systemd/system/wgorch-$network.service
table_of_cron=/etc/cron.d/wgorch-$network
script=/etc/init.d/wgorch-$network
service=/etc/sv/wgorch-$network/run
set --
for file in "$directory/boot" "$directory"/psk.* "$unit" "$table_of_cron" "$script" "$service"; do [ -r "$file" ] && set -- "$@" "$file"; done
timer=/etc/systemd/system/timers.target.wants/wgorch-$network-watch.timer
if [ -r "$directory/watch" ] && { [ -r "$table_of_cron" ] || [ -r "$service" ] || [ -L "$timer" ]; }; then
    set -- "$@" "$directory/watch"
elif [ -e "$directory/watch" ] || [ -e "${unit%.service}-watch.timer" ]; then
    # What is left of one that was being taken away; it equals no wish.
    printf 'watch %s\n' 0000000000000000000000000000000000000000000000000000000000000000
fi
[ $# -eq 0 ] || sha256sum "$@" | while read -r sum file; do
    case $file in
    "$unit") printf 'unit systemd %s\n' "$sum" ;;
    "$script") printf 'unit openrc %s\n' "$sum" ;;
    "$service") printf 'unit runit %s\n' "$sum" ;;
    "$table_of_cron") printf 'unit cron %s\n' "$sum" ;;
    */psk.*) printf 'secret %s %s\n' "${file##*/}" "$sum" ;;
    */watch) printf 'watch %s\n' "$sum" ;;
    *) printf 'digest %s\n' "$sum" ;;
    esac
done

[ -r "$table_of_cron" ] && echo 'enabled cron'
[ -L "/etc/systemd/system/multi-user.target.wants/wgorch-$network.service" ] && echo 'enabled systemd'
[ -L "/etc/runlevels/default/wgorch-$network" ] && echo 'enabled openrc'
for place in /var/service /etc/service /service; do [ -L "$place/wgorch-$network" ] && echo 'enabled runit' && break; done

if [ "$scope" = all ]; then
section paths
while IFS= read -r line; do printf '%s\n' "$line"; done <&3
fi

section end
