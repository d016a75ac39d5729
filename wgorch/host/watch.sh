# Look after the peers whose address may change. Run from time to time, and over at once: nothing stays. Needs ping.sh before it.
: "${interface:?}" "${directory:?}" "${exits:?}"
set -u
export LC_ALL=C WG_ENDPOINT_RESOLUTION_RETRIES=1
export PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${PATH-}"

# True while a run has the host; a lock that is over or of another boot is none.
has_lock() {
    [ -r "$directory/lock" ] || return 1
    until=0 boot='' boot_id=''
    while IFS='=' read -r name value; do
        case $name in until) until=$value ;; boot) boot=$value ;; esac
    done <"$directory/lock"
    read -r uptime _ </proc/uptime
    [ ! -r /proc/sys/kernel/random/boot_id ] || read -r boot_id </proc/sys/kernel/random/boot_id
    [ "$boot" = "$boot_id" ] && [ "${until:-0}" -gt "${uptime%%.*}" ]
}

# True while a change is in progress; one that is held is done.
is_locked() {
    has_lock && { [ ! -e "$directory/hold" ] || [ -e "$directory/reverting" ]; }
}

# True if the key is a peer's and no change is in progress.
is_peer() { # KEY
    [ -d "/sys/class/net/$interface" ] && ! is_locked || return 1
    case " $(wg show "$interface" peers 2>/dev/null | tr '\n' ' ')" in *" $1 "*) ! is_locked ;; *) return 1 ;; esac
}

# Where everything else leaves by the tunnel, let DNS queries leave by the main table meanwhile.
bypass_for_dns() { # add|delete
    [ "$exits" = yes ] || return 0
    for family in -4 -6; do
        ip "$family" rule "$1" priority 11899 ipproto udp dport 53 lookup main protocol 119 2>/dev/null
    done
}

# Resolve the endpoint of a peer again if it does not answer.
refresh_endpoint() { # KEY ENDPOINT ADDRESS
    is_peer "$1" && ! ping -n -c 2 -i 0.5 -W 2 "$3" >/dev/null 2>&1 && is_peer "$1" || return 0
    bypass_for_dns add
    wg set "$interface" peer "$1" endpoint "$2"
    bypass_for_dns delete
}

# Route by the relay again if the direct path to a peer is dead.
fall_back() { # KEY RELAY ALLOWED-IPS
    # This script may be that of before a change that is held.
    ! has_lock || return 0
    is_peer "$1" && is_peer "$2" || return 0
    now=$(date +%s)
    latest=$(wg show "$interface" latest-handshakes | while read -r key moment; do [ "$key" != "$1" ] || echo "$moment"; done)
    [ $((now - ${latest:-now})) -ge 180 ] || return 0
    # What other direct paths carry stays with them.
    carried=" $(wg show "$interface" allowed-ips | while read -r key nets; do case $key in "$1" | "$2") ;; *) printf '%s ' "$nets" ;; esac; done)"
    nets=
    for net in $(printf '%s' "$3" | tr ',' ' '); do
        case $carried in *" $net "*) ;; *) nets="$nets${nets:+,}$net" ;; esac
    done
    is_peer "$1" && wg set "$interface" peer "$1" remove peer "$2" allowed-ips "$nets"
}

adapt_ping
