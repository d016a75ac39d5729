# The largest packet that reaches each of some endpoints whole: "TARGET ADDRESS BYTES". It runs beside the fact script.
: "${mtu_targets:?}"

# True if a packet of that size is answered; ping's output is in reply_ping.
fits() {
    to=$1 bytes=$2 headers=28
    case $to in *:*) headers=48 ;; esac
    reply_ping=$(ping -n -c 1 -W 1 -M 'do' -s $((bytes - headers)) "$to" 2>&1)
}

# Print the largest of some sizes that is answered, all at once; 0 if none.
largest_of() { # ADDRESS SIZE...
    address=$1
    shift
    for size; do (fits "$address" "$size" && printf '%s\n' "$size") & done | {
        largest=0
        while read -r size; do [ "$size" -gt "$largest" ] && largest=$size; done
        printf '%s\n' "$largest"
    }
}

# Search the largest packet: reply_size; false if nothing is answered.
measure_path() {
    path=$1 size=1500 reply_size=0
    for _ in 1 2 3 4; do
        if fits "$path" "$size"; then
            reply_size=$size
            return
        fi
        # A router names the MTU of the next link.
        case $reply_ping in *[Tt]oo*mtu*[0-9]* | *Frag*mtu*[0-9]*) ;; *) break ;; esac
        named=${reply_ping#*mtu}
        named=${named#"${named%%[0-9]*}"}
        named=${named%%[!0-9]*}
        [ "$named" -ge 576 ] && [ "$named" -lt "$size" ] || break
        size=$named
    done
    # Too large packets vanish without a word.
    reply_size=$(largest_of "$path" 1492 1480 1460 1440 1420 1400 1380 1360 1340 1320 1300 1280 1200 1100 1000 800 576)
    [ "$reply_size" -gt 0 ] || return 1
    for step in 6 1; do
        sizes='' size=$reply_size
        while [ ${#sizes} -lt 96 ] && [ "$size" -lt 1500 ]; do
            size=$((size + step))
            sizes="$sizes $size"
        done
        # shellcheck disable=SC2086 # numbers
        larger=$(largest_of "$path" $sizes)
        [ "$larger" -le "$reply_size" ] || reply_size=$larger
    done
}

# Print what was found for one target.
print_path() { # TARGET
    found=$1
    case $found in
    *:*) ;;
    *[!0-9.]*)
        # A name: ping prints its address even where nothing answers.
        found=$(ping -n -c 1 -w 1 -s 0 "$1" 2>/dev/null)
        found=${found#*(}
        found=${found%%)*}
        ;;
    esac
    [ -n "$found" ] && measure_path "$found" && printf '%s %s %s\n' "$1" "$found" "$reply_size"
}

case $mtu_targets in
*' '*) for target in $mtu_targets; do print_path "$target" & done ;;
*) print_path "$mtu_targets" ;;
esac
wait
