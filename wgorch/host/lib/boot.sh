# A boot script starts from nothing: what carries wgorch's mark goes first, so running it twice equals running it once.
: "${boot_id:?}" "${reply_iptables=}" # of iptables_of

# Wait, bounded, for a device that the tunnel's traffic needs.
wait_for_interface() {
    device=$1 tries=0
    until [ -d "/sys/class/net/$device" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 60 ] || {
            echo "there is no interface $device"
            return 1
        }
        sleep 1
    done
}

# Remove all that carries the network's mark.
reset_network() {
    interface=$1 mark=$2 routes=$3 network=${2#*:}
    for family in -4 -6; do
        policies=$(ip "$family" rule show 2>/dev/null)
        case $policies in
        *"lookup $routes "*) ;;
        *'lookup 119'[0-9][0-9][0-9][0-9]' '*) continue ;; # they are another network's
        *'proto 119'*) ;;
        *) continue ;;
        esac
        for priority in 11900 11901 11902; do delete_policy_rule "$family" "$priority"; done
        ip "$family" route flush table "$routes" proto 119 2>/dev/null
    done
    alias=
    [ -r "/sys/class/net/$interface/ifalias" ] && IFS= read -r alias <"/sys/class/net/$interface/ifalias"
    [ "$alias" = "$mark" ] && end_interface "$interface"
    ! command -v nft >/dev/null 2>&1 || nft delete table inet "wgorch-$network" 2>/dev/null
    for kind in '' 6; do
        iptables_of "$kind"
        rules=$("$reply_iptables-save" 2>/dev/null)
        for chain in "filter FORWARD fwd" "filter INPUT in" "nat POSTROUTING nat" "mangle FORWARD mss" \
            "nat PREROUTING map" "filter DOCKER-USER usr"; do
            # shellcheck disable=SC2086 # three words: table, parent, suffix
            set -- $chain
            chain=wgorch-$network-$3
            case $rules in
            *":$chain "*)
                remove_jump "$1$kind" "$2" "$mark" "$chain"
                "$reply_iptables" --wait 10 -t "$1" -F "$chain"
                "$reply_iptables" --wait 10 -t "$1" -X "$chain"
                ;;
            esac
        done
    done
    drop_stale_lock
    return 0
}

# Forget a change that was not confirmed before the machine went down.
drop_stale_lock() {
    [ -r lock ] || return 0
    # shellcheck disable=SC2094 # what is open can be removed
    while IFS= read -r line; do
        case $line in
        "boot=$boot_id") ;;
        boot=*) rm -f lock pending reverting reverter lease 'do' undo undo.log probe before after running watching boot.before ;;
        esac
    done <lock
}
