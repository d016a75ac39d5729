# What one host sees of a probe. Nothing outlives this: a table of ours that is gone at the end, at a signal, and after a
# few seconds even where nobody is left to end it; no file.
# Set before: id, seconds, interface, target, origin, arrives_by (the card it comes in by; empty at its source), rules,
# filter, nonce; and the functions capture and probe.
section() { printf '\n%s %s\n' "$nonce" "$1"; }
table=wgorch-trace-$id
clean() {
    nft delete table inet "$table" 2>/dev/null
    [ -z "${watchdog-}" ] || kill -9 "-$watchdog" 2>/dev/null
}

by=
if command -v nft >/dev/null 2>&1; then
    setsid sh -c 'sleep "$1"; exec nft delete table inet "$2"' sh $((seconds + 4)) "$table" </dev/null >/dev/null 2>&1 &
    watchdog=$!
    trap 'clean; exit 1' HUP INT TERM PIPE
    if printf '%s\n' "$rules" | nft -f - 2>/dev/null; then
        by=nft
        timeout "$seconds" nft monitor trace 2>/dev/null | head -c 200000 &
        watching=$!
    fi
fi
if [ -z "$by" ] && command -v tcpdump >/dev/null 2>&1; then
    by=tcpdump
    timeout "$seconds" tcpdump -i any -n -l -c 400 "$filter" 2>/dev/null | sed 's/^/sight /' &
    watching=$!
fi
capture

# Rules of iptables that nft cannot show (legacy), or where there is no nft: which of them counted the probe?
case $target in *:*) save=ip6tables-save ;; *) save=iptables-save ;; esac
counters() { command -v "$save" >/dev/null 2>&1 && "$save" -c 2>/dev/null | grep -e '^[*]' -e '^:.* DROP ' -e '-j DROP' -e '-j REJECT'; }
before=$(counters)
probe
after=$(counters)
[ -z "${watching-}" ] || wait "$watching"
[ -z "${capturing-}" ] || wait "$capturing"

section by
printf '%s\n' "$by"
section sets
[ "$by" = nft ] && nft list table inet "$table"
section counted-before
printf '%s\n' "$before"
section counted-after
printf '%s\n' "$after"
section route
# shellcheck disable=SC2086
ip route get "$target" ${arrives_by:+from "$origin" iif "$arrives_by"} 2>&1 | head -n 1
section neighbour
ip neighbour show "$target" 2>/dev/null
section transfer
wg show "$interface" transfer 2>/dev/null
section latest-handshakes
wg show "$interface" latest-handshakes 2>/dev/null
section endpoints
wg show "$interface" endpoints 2>/dev/null
section clock
date +%s
section end
clean
