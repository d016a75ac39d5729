# The largest packet that gets whole to each of some endpoints: it is found out while the questions are asked.
# Set before: ways, the endpoints.
fits() { # ADDRESS SIZE: 0 where a packet of that size is answered; else what was said of it is in `said`
    case $1 in *:*) head=48 ;; *) head=28 ;; esac
    said=$(ping -n -c 1 -W 1 -M do -s $(($2 - head)) "$1" 2>&1)
}
some_fit() { # ADDRESS SIZE..., all at once: the largest that is answered
    address=$1
    shift
    for size; do (fits "$address" "$size" && printf '%s\n' "$size") & done | {
        most=0
        while read -r size; do [ "$size" -gt "$most" ] && most=$size; done
        printf '%s\n' "$most"
    }
}
largest_to() { # ADDRESS: it is in `low`
    size=1500 low=0
    for _ in 1 2 3 4; do
        if fits "$1" "$size"; then low=$size; return; fi
        case $said in *[Tt]oo*mtu*[0-9]* | *Frag*mtu*[0-9]*) ;; *) break ;; esac
        told=${said#*mtu}
        told=${told#"${told%%[0-9]*}"}
        told=${told%%[!0-9]*}
        [ "$told" -ge 576 ] && [ "$told" -lt "$size" ] || break
        size=$told
    done
    # Nobody says what is too large: look for it.
    low=$(some_fit "$1" 1492 1480 1460 1440 1420 1400 1380 1360 1340 1320 1300 1280 1200 1100 1000 800 576)
    [ "$low" -gt 0 ] || return 1
    for step in 6 1; do
        tries='' size=$low
        while [ ${#tries} -lt 96 ] && [ "$size" -lt 1500 ]; do size=$((size + step)); tries="$tries $size"; done
        # shellcheck disable=SC2086
        more=$(some_fit "$1" $tries)
        [ "$more" -le "$low" ] || low=$more
    done
}
tell() { # ENDPOINT
    found=$1
    case $found in
    *:*) ;;
    *[!0-9.]*) # a name: ping says what it is, even where nothing answers
        found=$(ping -n -c 1 -w 1 -s 0 "$1" 2>/dev/null)
        found=${found#*(}
        found=${found%%)*}
        ;;
    esac
    [ -n "$found" ] && largest_to "$found" && printf '%s %s %s\n' "$1" "$found" "$low"
}
case $ways in
*' '*) for way in $ways; do tell "$way" & done ;;
*) tell "$ways" ;;
esac
wait
