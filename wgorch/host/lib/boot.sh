# Start anew: what carries our mark goes first, so running this twice equals running it once.
wait_for_interface() {
    tries=0
    until [ -d "/sys/class/net/$1" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 60 ] || { echo "there is no card $1"; return 1; }
        sleep 1
    done
}
reset_network() { # INTERFACE MARK TABLE
    table=$3
    for family in -4 -6; do
        case $(ip "$family" rule show 2>/dev/null) in *"lookup $table"* | *"proto 119"*)
            for priority in 11900 11901 11902; do delete_policy_rule "$family" "$priority"; done
            ip "$family" route flush table "$table" proto 119 2>/dev/null
            ;;
        esac
    done
    line=
    [ -r "/sys/class/net/$1/ifalias" ] && IFS= read -r line <"/sys/class/net/$1/ifalias"
    [ "$line" = "$2" ] && end_interface "$1"
    network=${2#*:}
    ! command -v nft >/dev/null 2>&1 || nft delete table inet "wgorch-$network" 2>/dev/null
    for kind in '' 6; do
        rules_by "$kind"
        rules=$("$by-save" 2>/dev/null)
        for place in "filter FORWARD fwd" "filter INPUT in" "nat POSTROUTING nat" "mangle FORWARD mss" "nat PREROUTING map" \
            "filter DOCKER-USER usr"; do
            # shellcheck disable=SC2086
            set -- "$1" "$2" $place
            case $rules in *":wgorch-$network-$5 "*)
                remove_jump "$3$kind" "$4" "$2" "wgorch-$network-$5"
                "$by" --wait 10 -t "$3" -F "wgorch-$network-$5"
                "$by" --wait 10 -t "$3" -X "wgorch-$network-$5"
                ;;
            esac
        done
    done
    # A change that was not confirmed before the machine went down is over.
    if [ -r lock ]; then
        while IFS= read -r line; do
            case $line in boot=*) [ "$line" = "boot=$boot_id" ] || rm -f lock pending reverting lease do undo ;; esac
        done <lock
    fi
    return 0
}
