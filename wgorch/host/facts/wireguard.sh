# WireGuard's interfaces and peers; never a private key.
: "${directory:?}" "${interfaces:?}" "${secrets:?}" "${no_counters:?}"

ask_wireguard() {
    command -v wg >/dev/null 2>&1 || return
    for interface in $interfaces; do
        is_wireguard || continue
        # What `wg show` prints for people takes one process and hides private keys. Counters move by themselves.
        section "wg $interface"
        WG_HIDE_KEYS=always WG_COLOR_MODE=never wg show "$interface" || unread $? "wg show $interface"
        if [ "$no_counters" = no ]; then
            section "wg-handshakes $interface"
            wg show "$interface" latest-handshakes || unread $? "wg show $interface latest-handshakes"
            section "wg-transfer $interface"
            wg show "$interface" transfer || unread $? "wg show $interface transfer"
        fi
        ask_preshared
    done
}

# True if the interface is there and WireGuard's: the kernel's, or a TUN device, as wireguard-go makes it.
is_wireguard() {
    [ -e "/sys/class/net/$interface/tun_flags" ] && return
    read_line "/sys/class/net/$interface/uevent"
    [ "$line" = DEVTYPE=wireguard ]
}

# Of each preshared key only which of wgorch's files holds it, or would if it were kept: by its digest.
ask_preshared() {
    section "wg-preshared $interface"
    known=' '
    for file in "$directory"/psk.*; do
        can_read "$file" && IFS= read -r line <"$file" && known="$known$line ${file##*/} "
    done
    [ "$known$secrets" = ' no' ] && return
    shown=$(wg show "$interface" preshared-keys) || unread $? "wg show $interface preshared-keys"
    while read -r key secret; do
        file=${known#*" $secret "}
        case $secret in '' | '(none)') continue ;; esac
        if [ "$file" = "$known" ]; then
            digest=$(printf '%s\n' "$secret" | sha256sum) || unread $? sha256sum
            file=psk.other.$(printf '%.32s' "$digest")
        fi
        printf '%s\t%s\n' "$key" "${file%% *}"
    done <<KEYS
$shown
KEYS
}
