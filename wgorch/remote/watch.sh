# Run from time to time, and over at once: no process of ours stays.
set -u
export LC_ALL=C WG_ENDPOINT_RESOLUTION_RETRIES=1
export PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${PATH-}"
[ -d "/sys/class/net/$interface" ] && [ ! -d "$directory/lock" ] || exit 0 # a change is under way, or there is nothing

follow() { # KEY ENDPOINT ADDRESS: where the peer does not answer, its name is looked up again
    ping -n -c 2 -i 0.5 -W 2 "$3" >/dev/null 2>&1 || wg set "$interface" peer "$1" endpoint "$2"
}
fall_back() { # KEY RELAY ALLOWED-IPS: where the direct way is dead, packets go by the relay again
    now=$(date +%s)
    wg show "$interface" latest-handshakes | while read -r key at; do
        [ "$key" != "$1" ] || [ $((now - at)) -lt 180 ] || wg set "$interface" peer "$1" remove peer "$2" allowed-ips "$3"
    done
}
