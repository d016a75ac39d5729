set -u
umask 077
export LC_ALL=C
export PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${PATH-}"
cd "$directory" || exit 1
guard=${guard-}

# Before each change: say which, and stop where this program's time is over (its guard file was taken away).
at() {
    [ -z "$guard" ] || [ -e "$guard" ] || { printf '@stop %s\n' "$1"; exit 1; }
    printf '@at %s\n' "$1"
}
fail() { printf '@fail %s\n' "$1"; exit 1; }

# A file appears whole or not at all.
put() { cat >"$1.$$" && { sync "$1.$$" 2>/dev/null || sync; } && mv -f "$1.$$" "$1"; }
write_file() { put "$1" && chmod "$2" "$1"; }

# Values below /proc/sys can carry no mark, so what was there before us is recorded: "sysctl PATH BEFORE OURS".
boot_id=none
[ -r /proc/sys/kernel/random/boot_id ] && read -r boot_id </proc/sys/kernel/random/boot_id
write() {
    [ "$1" != net/ipv6/conf/all/forwarding ] || { forward_ipv6 "$2"; return; }
    printf '%s\n' "$2" >"/proc/sys/$1"
}
# This one switch turns every card's too, and forgets what routers announced on cards whose accept_ra is 1. So each
# card is noted first, and has its own values again afterwards: only the switch itself, which decides alone, differs.
forward_ipv6() {
    [ -s cards6 ] || for card in /proc/sys/net/ipv6/conf/*; do
        [ "${card##*/}" = all ] && continue
        read -r own <"$card/forwarding" || :
        read -r heard <"$card/accept_ra" || :
        printf '%s %s %s\n' "${card##*/}" "$own" "$heard"
    done | put cards6 || return 1
    while read -r card own heard; do
        [ "$heard" != 1 ] || echo 2 >"/proc/sys/net/ipv6/conf/$card/accept_ra" 2>/dev/null
    done <cards6
    echo "$1" >/proc/sys/net/ipv6/conf/all/forwarding || return 1
    while read -r card own heard; do
        echo "$own" >"/proc/sys/net/ipv6/conf/$card/forwarding" 2>/dev/null
        echo "$heard" >"/proc/sys/net/ipv6/conf/$card/accept_ra" 2>/dev/null
    done <cards6
    rm -f cards6
}
records() { # records of this boot, without those that match PATTERN
    printf 'boot %s\n' "$boot_id"
    [ -r recorded ] || return 0
    read -r first <recorded
    [ "$first" = "boot $boot_id" ] || return 0
    while read -r kind name rest; do
        [ "$kind" = boot ] || [ "$kind $name" = "$1" ] || printf '%s %s%s\n' "$kind" "$name" "${rest:+ $rest}"
    done <recorded
}
before_us() { # KIND NAME: what was recorded, or nothing
    [ -r recorded ] || return 0
    read -r first <recorded
    [ "$first" = "boot $boot_id" ] || return 0
    while read -r kind name before _; do
        [ "$kind $name" = "$1 $2" ] && printf '%s\n' "${before:-yes}" && return 0
    done <recorded
    return 0
}
set_value() {
    seen= # read's status says nothing here: dash reads byte by byte, and such a file ends after its first read
    [ ! -r "/proc/sys/$1" ] || read -r seen <"/proc/sys/$1" || :
    [ -n "$seen" ] || { echo "cannot read /proc/sys/$1"; return 1; }
    before=$(before_us sysctl "$1")
    if [ -n "$before" ] && [ "$before" = "$2" ]; then
        [ "$seen" = "$2" ] || write "$1" "$2" || return 1
        records "sysctl $1" | put recorded
        return
    fi
    [ "$seen" = "$2" ] && return 0
    { records "sysctl $1"; printf 'sysctl %s %s %s\n' "$1" "${before:-$seen}" "$2"; } | put recorded || return 1
    write "$1" "$2"
}

# The kernel's WireGuard where it has it, wireguard-go where not.
make_interface() {
    wg show "$1" public-key >/dev/null 2>&1 && return 0
    ip link add dev "$1" type wireguard 2>/dev/null && return 0
    command -v wireguard-go >/dev/null 2>&1 || { echo "the kernel has no WireGuard, and there is no wireguard-go"; return 1; }
    LOG_LEVEL=error setsid wireguard-go "$1" </dev/null >/dev/null 2>&1 || return 1
    tries=0
    until wg show "$1" public-key >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 50 ] || return 1
        sleep 0.1 2>/dev/null || sleep 1
    done
}

end_interface() { # and wireguard-go's directory, where nothing else is in it
    ip link delete dev "$1" 2>/dev/null
    tries=0
    while [ -e "/var/run/wireguard/$1.sock" ] && [ "$tries" -lt 30 ]; do
        tries=$((tries + 1))
        sleep 0.1 2>/dev/null || sleep 1
    done
    rmdir /var/run/wireguard 2>/dev/null
    [ ! -d "/sys/class/net/$1" ]
}

# Firewall. iptables-restore takes many rules at once but cannot delete a jump that may be absent.
# A table with a 6 behind its name is one of ip6tables.
rules_by() { case $1 in *6) echo ip6tables ;; *) echo iptables ;; esac; }
note_table() { # an iptables table that is there only because of us
    # Asked for one table, iptables-nft-save prints it even where it is not there.
    case $("$(rules_by "$1")-save" 2>/dev/null) in *"*${1%6}"*) return 0 ;; esac
    { records "table $1"; printf 'table %s\n' "$1"; } | put recorded
}
unjump() { # TABLE PARENT MARK CHAIN: until absent
    tries=0
    by=$(rules_by "$1")
    case $("$by-save" -t "${1%6}" 2>/dev/null) in *"-j $4"*) ;; *) return 0 ;; esac
    while "$by" --wait 10 -t "${1%6}" -D "$2" -m comment --comment "$3" -j "$4" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 64 ] || return 1
    done
}
drop_table() { # only where nothing but untouched built-in chains is left in it
    by=$(rules_by "$1")
    content=$("$by-save" -t "${1%6}" 2>/dev/null)
    untouched=yes
    while read -r line; do
        case $line in
        '' | '#'* | '*'* | COMMIT | ':'*' ACCEPT '*) ;;
        *) untouched=no ;;
        esac
    done <<TABLE
$content
TABLE
    if [ "$untouched" = yes ] && [ -n "$content" ] && command -v nft >/dev/null 2>&1; then
        family=ip
        [ "$by" = iptables ] || family=ip6
        nft delete table "$family" "${1%6}" 2>/dev/null
    fi
    case $("$by-save" 2>/dev/null) in *"*${1%6}"*) return 0 ;; esac
    [ -n "$(before_us table "$1")" ] || return 0
    records "table $1" | put recorded
}

birth_of_key() { # made whole, then linked to its name: never overwritten, not even by two of us
    [ -e "$1" ] && return 0
    rm -f "$1".*
    wg genkey >"$1.$$" && [ -s "$1.$$" ] && { sync "$1.$$" 2>/dev/null || sync; } || return 1
    ln "$1.$$" "$1" 2>/dev/null || [ -s "$1" ] || return 1
    rm -f "$1.$$"
}

install_packages() {
    DEBIAN_FRONTEND=noninteractive apt-get install "$@" && return 0
    DEBIAN_FRONTEND=noninteractive apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install "$@"
}
cannot_install() { echo "no package manager that wgorch knows; please install: $*"; return 1; }
