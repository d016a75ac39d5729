# What one host sees of a probe, and on its source the probe itself. Nothing outlives it: its nft table is gone at the end, at a
# signal, and after a few seconds even if nothing is left to end it; it writes no file. Needs ping.sh before it.
# rules: the table's text, with its sets; filter: the same for tcpdump, where there is no nft. arrives_by: the interface that
# the probe comes in by, empty at its source. pcap: yes to print the packets, too. full_size: 0 to send none of that size.
: "${id:?}" "${seconds:?}" "${interfaces:?}" "${target:?}" "${origin:?}" "${arrives_by?}" "${rules:?}" "${filter:?}"
: "${nonce:?}" "${pcap:?}" "${protocol:?}" "${port:?}" "${size:?}" "${full_size:?}" "${sender:?}"

# Begin a section of the answer.
section() { # NAME
    printf '\n%s %s\n' "$nonce" "$1"
}

# Remove the table.
clean() {
    nft delete table inet "$table" 2>/dev/null
    [ -z "${watchdog-}" ] || kill -9 "-$watchdog" 2>/dev/null
}

# Watch by nft; false where nft is not there or refuses.
watch_by_nft() {
    command -v nft >/dev/null 2>&1 || return 1
    # shellcheck disable=SC2016 # the inner sh expands it
    setsid sh -c 'sleep "$1"; exec nft delete table inet "$2"' sh $((seconds + 4)) "$table" </dev/null >/dev/null 2>&1 &
    watchdog=$!
    trap 'clean; exit 1' HUP INT TERM PIPE
    printf '%s\n' "$rules" | nft -f - 2>/dev/null || return 1
    timeout "$seconds" nft -a monitor trace 2>/dev/null | head -c 200000 &
    watching=$!
}

# Watch by tcpdump; false where it is not there.
watch_by_tcpdump() {
    command -v tcpdump >/dev/null 2>&1 || return 1
    {
        timeout "$seconds" tcpdump -i any -n -l -c 400 "$filter" 2>/dev/null
        printf 'tcpdump-status %s\n' $?
    } | sed 's/^/sight /' &
    watching=$!
}

# Capture the packets, and print them after all has been seen: two that write at once tear each other's lines.
capture() {
    packets=$(timeout $((seconds + 1)) tcpdump -i any -n -U -w - -c 400 "$filter" 2>/dev/null | base64)
    printf '\n%s\n' "$packets" | sed 's/^/pcap /'
}

# Rules of iptables that nft cannot show (legacy), or where there is no nft: which of them counted the probe?
counters() {
    command -v "$save" >/dev/null 2>&1 && "$save" -c 2>/dev/null | grep -e '^[*]' -e '^:.* DROP ' -e '-j DROP' -e '-j REJECT'
}

# Send the probe from its source; elsewhere wait as long as it may be on its way.
probe() {
    if [ -n "$arrives_by" ]; then
        sleep "$seconds"
        return
    fi
    sleep 1
    if [ "$protocol" = icmp ]; then ping_target; else connect_target; fi
}

# Send echo requests, and large ones if a small one was answered.
ping_target() {
    output=$(ping -n -c 3 -i 0.5 -W 2 -s "$size" "$target" 2>&1)
    printf '%s\n' "$output" | sed 's/^/small /'
    [ "$full_size" != 0 ] || return
    case $output in *' 0 received'* | *' 0 packets received'*) return ;; esac
    ping -n -c 2 -i 0.3 -W 1 -M 'do' -s "$full_size" "$target" 2>&1 | sed 's/^/full /'
}

# Send by the first tool that is there; each gives up after 3 s. sender: a program of Python.
connect_target() {
    if command -v python3 >/dev/null 2>&1; then
        python3 -c "$sender" "$target" "$port" "$protocol" 2>&1 | sed 's/^/small /'
    elif command -v bash >/dev/null 2>&1; then
        # shellcheck disable=SC2016 # bash expands it
        timeout 3 bash -c 'exec 3<>"/dev/$2/$0/$1" && echo wgorch >&3 && { [ "$2" = tcp ] || read -t 3 -r -N 1 -u 3; } && echo small 1 received' \
            "$target" "$port" "$protocol" 2>&1 | sed -e '/^small /!s/.*Connection refused.*/small refused/'
    elif command -v nc >/dev/null 2>&1; then
        udp=
        [ "$protocol" = tcp ] || udp=-u
        said=$(echo wgorch | timeout 3 nc -v ${udp:+"$udp"} -w 2 "$target" "$port" 2>&1) && echo 'small 1 received'
        case $said in *refused*) echo 'small refused' ;; esac
    else
        echo 'small nothing here can send it: python3, bash or nc is needed'
    fi
}

adapt_ping
table=wgorch-trace-$id
by=
if watch_by_nft; then
    by=nft
elif watch_by_tcpdump; then
    by=tcpdump
fi
if [ "$pcap" = yes ]; then
    capture &
    capturing=$!
fi
case $target in *:*) save=ip6tables-save ;; *) save=iptables-save ;; esac
before=$(counters)
probe
after=$(counters)
[ -z "${watching-}" ] || wait "$watching"
[ -z "${capturing-}" ] || wait "$capturing"

sets=
[ "$by" != nft ] || sets=$(nft list table inet "$table") || by=
section by
printf '%s\n' "$by"
section sets
printf '%s\n' "$sets"
section counted-before
printf '%s\n' "$before"
section counted-after
printf '%s\n' "$after"
section route
# shellcheck disable=SC2086 # nothing at the source
ip route get "$target" ${arrives_by:+from "$origin" iif "$arrives_by"} 2>&1 | head -n 1
section neighbour
ip neighbour show "$target" 2>/dev/null
section transfer
for interface in $interfaces; do wg show "$interface" transfer 2>/dev/null; done
section latest-handshakes
for interface in $interfaces; do wg show "$interface" latest-handshakes 2>/dev/null; done
section endpoints
for interface in $interfaces; do wg show "$interface" endpoints 2>/dev/null; done
section clock
date +%s
section end
clean
