# Run from time to time, and over at once: no process of ours stays.
set -u
export LC_ALL=C WG_ENDPOINT_RESOLUTION_RETRIES=1
export PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${PATH-}"

changing() { # a change is under way; a lock whose time is over, or of another boot, holds nobody
    [ -r "$directory/lock" ] || return 1
    until=0 boot='' boot_id=''
    while IFS='=' read -r name value; do
        case $name in until) until=$value ;; boot) boot=$value ;; esac
    done <"$directory/lock"
    read -r now _ </proc/uptime
    [ ! -r /proc/sys/kernel/random/boot_id ] || read -r boot_id </proc/sys/kernel/random/boot_id
    [ "$boot" = "$boot_id" ] && [ "${until:-0}" -gt "${now%%.*}" ]
}
still() { # KEY: it is a peer, and no change is under way
    [ -d "/sys/class/net/$interface" ] && ! changing || return 1
    case " $(wg show "$interface" peers 2>/dev/null | tr '\n' ' ')" in *" $1 "*) ! changing ;; *) return 1 ;; esac
}
names_outside() { # add|delete: where all else leaves by the tunnel, questions for a name go by the old way meanwhile
    [ "$exits" = yes ] || return 0
    for family in -4 -6; do
        ip "$family" rule "$1" priority 11899 ipproto udp dport 53 lookup main protocol 119 2>/dev/null
    done
}
follow() { # KEY ENDPOINT ADDRESS: where the peer does not answer, its name is looked up again
    still "$1" && ! ping -n -c 2 -i 0.5 -W 2 "$3" >/dev/null 2>&1 && still "$1" || return 0
    names_outside add
    wg set "$interface" peer "$1" endpoint "$2"
    names_outside delete
}
fall_back() { # KEY RELAY ALLOWED-IPS: where the direct way is dead, packets go by the relay again
    still "$1" && still "$2" || return 0
    now=$(date +%s)
    at=$(wg show "$interface" latest-handshakes | while read -r key at; do [ "$key" != "$1" ] || echo "$at"; done)
    [ $((now - ${at:-now})) -ge 180 ] || return 0
    # What other direct ways carry stays with them.
    held=" $(wg show "$interface" allowed-ips | while read -r key nets; do case $key in "$1" | "$2") ;; *) printf '%s ' "$nets" ;; esac; done)"
    nets=
    for net in $(printf '%s' "$3" | tr ',' ' '); do
        case $held in *" $net "*) ;; *) nets="$nets${nets:+,}$net" ;; esac
    done
    still "$1" && wg set "$interface" peer "$1" remove peer "$2" allowed-ips "$nets"
}
