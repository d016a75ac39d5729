# The questions asked of a host. Nothing here changes anything.
# Set before: network, interface, ipv6 (yes or no), port_hex, nonce. Values are read by the shell itself where that saves a process.
directory=/var/lib/wgorch/$network
section() { printf '\n%s %s\n' "$nonce" "$1"; }
line_of() { line=; [ -r "$1" ] && IFS= read -r line <"$1"; }
fact() { line_of "$2"; printf '%s %s\n' "$1" "$line"; }

section host
printf 'uid %s\n' "$(id -u)"
printf 'clock %s\n' "$(date +%s)"
fact uptime /proc/uptime
fact kernel /proc/sys/kernel/osrelease
fact boot_id /proc/sys/kernel/random/boot_id
fact hostname /proc/sys/kernel/hostname
fact machine_id /etc/machine-id
printf 'ssh %s\n' "${SSH_CONNECTION-}"
[ -d /run/systemd/system ] && echo 'init systemd'
[ -d /sys/module/wireguard ] && echo 'wireguard loaded'
for list in /lib/modules/"$(uname -r)"/modules.dep /lib/modules/"$(uname -r)"/modules.builtin; do
    [ -r "$list" ] && grep -q '/wireguard\.ko' "$list" && echo 'wireguard module'
done
[ -r /etc/os-release ] && while IFS= read -r line; do printf 'os %s\n' "$line"; done </etc/os-release

section tools
for tool in ip wg wireguard-go iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore nft systemctl systemd-run setsid ping tcpdump \
    sha256sum apt-get dnf yum zypper pacman apk opkg; do
    command -v "$tool" >/dev/null 2>&1 && printf '%s\n' "$tool"
done

section links
for path in /sys/class/net/*; do
    [ -r "$path/mtu" ] || continue
    line_of "$path/mtu"; mtu=$line
    line_of "$path/flags"; flags=$line
    line_of "$path/ifalias"
    printf '%s %s %s %s\n' "${path##*/}" "$mtu" "$flags" "$line"
done

section addresses
ip -o addr show

section routes
ip route show

if [ -d "/sys/class/net/$interface" ] && command -v wg >/dev/null 2>&1; then
    for part in public-key listen-port allowed-ips endpoints persistent-keepalive latest-handshakes transfer; do
        section "wg $part"
        wg show "$interface" "$part"
    done
fi

section rules
command -v iptables-save >/dev/null 2>&1 && iptables-save

section sysctls
for path in /proc/sys/net/ipv4/conf/*; do
    for name in forwarding send_redirects rp_filter; do
        line_of "$path/$name"
        printf '%s %s\n' "${path#/proc/sys/}/$name" "$line"
    done
done

section udp
[ -r /proc/net/udp ] && while read -r _ local _; do
    case $local in *:"$port_hex") printf '%s\n' "$local" ;; esac
done </proc/net/udp

section files
if [ -d "$directory" ]; then
    ls -ln "$directory"
    for file in private_key boot pending reverting; do
        [ -e "$directory/$file" ] && printf 'has %s\n' "$file"
    done
    if [ -s "$directory/private_key" ] && command -v wg >/dev/null 2>&1; then
        printf 'public_key %s\n' "$(wg pubkey <"$directory/private_key" 2>/dev/null)"
    fi
    for file in boot pending; do
        [ -r "$directory/$file" ] && while IFS= read -r line; do
            case $line in '#: '*) printf '%s %s\n' "$file" "$line" ;; esac
        done <"$directory/$file"
    done
    if [ -r "$directory/boot" ]; then
        printf 'digest %s\n' "$(sha256sum "$directory/boot")"
    fi
    for file in recorded outcome; do
        [ -r "$directory/$file" ] && while IFS= read -r line; do printf '%s %s\n' "$file" "$line"; done <"$directory/$file"
    done
    [ -r "$directory/lock/owner" ] && while IFS= read -r line; do printf 'lock %s\n' "$line"; done <"$directory/lock/owner"
    [ -d "$directory/lock" ] && [ ! -r "$directory/lock/owner" ] && echo 'lock unknown'
fi

# What is of IPv6 is asked only where the network has any, or had when it was last brought up.
for file in boot pending; do
    [ -r "$directory/$file" ] && while IFS= read -r line; do
        case $line in '#: ipv6 yes') ipv6=yes ;; '#: '* | '#!'* | '# '*) ;; *) break ;; esac
    done <"$directory/$file"
done
unit=/etc/systemd/system/wgorch-$network.service
[ -r "$unit" ] && printf 'unit %s\n' "$(sha256sum "$unit")"
[ -L "/etc/systemd/system/multi-user.target.wants/wgorch-$network.service" ] && echo 'enabled yes'

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

section end
