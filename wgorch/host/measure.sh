# What one host measures: pings, a packet of the tunnel's full size, handshakes. Needs ping.sh before it.
# targets: words ADDRESS or ADDRESS/SIZE, the payload that fills the tunnel. patience: seconds that a first answer may take.
# attempts: words PROTOCOL/ADDRESS/PORT/TIMES, tried after the pings. relays: words INTERFACE/ADDRESS.
: "${targets?}" "${attempts?}" "${patience:?}" "${interfaces:?}" "${relays?}" "${nonce:?}"

# Ping one target three times; with a size by packets that fill the tunnel, which prove small ones too.
measure() { # NUMBER TARGET
    number=$1 address=${2%/*} size=${2#*/}
    [ "$size" != "$2" ] || size=
    # All three at once: a ping that waits a few milliseconds between two burns them. Where many do so, a relay loses some:
    # those are not waited for long.
    output=$(ping -n -c 3 -l 3 -W 0.4 ${size:+-M 'do' -s "$size"} "$address" 2>&1)
    case $output in
    *' 3 received'* | *' 3 packets received'*)
        summarize "$output"
        printf 'ping %s %s\n' "$number" "$reply_summary"
        [ -z "$size" ] || printf 'full %s %s\n' "$number" "$reply_summary"
        return
        ;;
    esac
    adapt_ping
    read -r began _ </proc/uptime
    until ping -n -c 1 -W 1 "$address" >/dev/null 2>&1; do
        read -r now _ </proc/uptime
        [ $((${now%%.*} - ${began%%.*})) -lt "$patience" ] || break
    done
    ping_thrice "$address"
    case $reply_summary in
    *transmitted*) ;;
    *) ping -n -c 1 -W 1 127.0.0.1 >/dev/null 2>&1 || reply_summary="unable $reply_summary" ;; # it is ping that fails
    esac
    printf 'ping %s %s\n' "$number" "$reply_summary"
    case $reply_summary in unable*) return ;; esac
    [ -z "$size" ] || measure_full
}

# Ping a relay by the interface of its session, until it replies or patience is over.
measure_relay() { # NUMBER INTERFACE ADDRESS
    number=$1 device=$2 address=$3
    adapt_ping
    read -r began _ </proc/uptime
    until ping -n -c 1 -W 1 -I "$device" "$address" >/dev/null 2>&1; do
        read -r now _ </proc/uptime
        [ $((${now%%.*} - ${began%%.*})) -lt "$patience" ] || break
        sleep 0.2 2>/dev/null || sleep 1 # an interface that is not there is refused at once
    done
    ping_thrice "$address" -I "$device"
    printf 'relay %s %s\n' "$number" "$reply_summary"
}

# Ping three times at once, and again more slowly if not all are answered: ping waits for the last answer hardly longer than
# between two, and busybox's may not take such an interval. reply_summary: what it says at its end.
ping_thrice() { # ADDRESS OPTION...
    pinged=$1
    shift
    for pace in '-l 3' '-i 0.2' '-i 1'; do
        # shellcheck disable=SC2086 # an option and its number
        replies=$(ping -n -c 3 $pace -W 1 "$@" "$pinged" 2>&1)
        case "$pace $replies" in *' 3 received'* | *' 3 packets received'* | '-i 0.2'*transmitted*) break ;; esac
    done
    summarize "$replies"
}

# The lines after ping's dashes as one line: reply_summary.
summarize() { # OUTPUT
    set -f
    # shellcheck disable=SC2086 # split into words
    set -- ${1##*---}
    set +f
    reply_summary=$*
}

# Ping with packets that fill the tunnel and may not be cut; if none is answered, search what fits.
measure_full() {
    ping_thrice "$address" -M 'do' -s "$size"
    printf 'full %s %s\n' "$number" "$reply_summary"
    case $reply_summary in *' 0 received'* | *' 0 packets received'*) ;; *) return ;; esac
    low=0 high=$size
    for step in 32 2; do
        low=$(largest_below)
        [ "$low" -gt 0 ] || return
        high=$((low + step))
    done
    printf 'fits %s %s\n' "$number" "$low"
}

# Print the largest size between low and high, in steps, that is answered; all are tried at once.
largest_below() {
    tried=$high
    while [ "$tried" -gt "$low" ] && [ "$tried" -gt 400 ]; do
        tried=$((tried - step))
        (ping -n -c 1 -W 2 -M 'do' -s "$tried" "$address" >/dev/null 2>&1 && printf '%s\n' "$tried") &
    done | {
        while read -r tried; do [ "$tried" -gt "$low" ] && low=$tried; done
        printf '%s\n' "$low"
    }
}

# Try some times whether an address answers: open, closed (it is reached, but nothing listens there), silent or unable.
attempt() { # NUMBER PROTOCOL ADDRESS PORT TIMES
    number=$1 tries=$5
    while [ "$tries" -gt 0 ]; do
        case $2 in
        tcp) connect "$3" "$4" ;;
        udp) send "$3" "$4" ;;
        *) ask "$3" ;;
        esac
        [ "$reply_attempt" = silent ] || break
        tries=$((tries - 1))
    done
    printf 'attempt %s %s\n' "$number" "$reply_attempt"
}

# Ping once: reply_attempt.
ask() { # ADDRESS
    reply_attempt=silent
    ! ping -n -c 1 -W 2 "$1" >/dev/null 2>&1 || reply_attempt=open
}

# Open a TCP connection: reply_attempt.
connect() { # ADDRESS PORT
    reply_attempt=unable
    if command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1; then
        # shellcheck disable=SC2016 # bash expands it
        said=$(timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>&1)
    elif command -v python3 >/dev/null 2>&1; then
        said=$(python3 -c 'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)' "$1" "$2" 2>&1)
    elif command -v nc >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1; then
        said=$(timeout 3 nc -w 2 "$1" "$2" </dev/null 2>&1)
    else
        return
    fi
    judge $? "$said"
}

# Send a datagram, and wait for another one or a refusal: reply_attempt.
send() { # ADDRESS PORT
    reply_attempt=unable
    if command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1; then
        # shellcheck disable=SC2016 # bash expands it
        said=$(timeout 2 bash -c 'exec 3<>"/dev/udp/$0/$1" && echo wgorch >&3 && read -r -N 1 -u 3' "$1" "$2" 2>&1)
    elif command -v python3 >/dev/null 2>&1; then
        said=$(python3 -c "$datagram" "$1" "$2" 2>&1)
    else
        return
    fi
    judge $? "$said"
}

datagram='
import socket, sys
host, port = sys.argv[1:]
s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(2)
s.connect((host, int(port)))
s.send(b"wgorch\n")
s.recv(1)
'

# Judge the end of a tool: only what is known to be no answer is silent, an error of the tool is none.
judge() { # STATUS SAID
    case $1:$2 in
    0:*) reply_attempt=open ;;
    *efused*) reply_attempt=closed ;;
    124:* | 143:* | *' timed out'* | *nreachable* | *'o route'* | *'timeout'* | *'ermission denied'* | *'ot permitted'*) reply_attempt=silent ;;
    1:) reply_attempt=silent ;; # nc says nothing where its time is over
    esac
}

# All side by side; the last one needs no process of its own.
number=0
for each in $relays; do
    measure_relay "$number" "${each%%/*}" "${each#*/}" &
    number=$((number + 1))
done
number=0
# shellcheck disable=SC2086 # addresses
set -- $targets
while [ $# -gt 1 ]; do
    measure "$number" "$1" &
    number=$((number + 1))
    shift
done
[ $# -eq 0 ] || measure "$number" "$1"
wait
number=0
for each in $attempts; do
    (
        IFS=/
        # shellcheck disable=SC2086 # its parts
        attempt "$number" $each
    ) &
    number=$((number + 1))
done
wait
printf '\n%s latest-handshakes\n' "$nonce"
for interface in $interfaces; do wg show "$interface" latest-handshakes 2>/dev/null; done
printf '\n%s end\n' "$nonce"
