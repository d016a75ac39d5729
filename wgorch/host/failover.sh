# Choose between relays; on a relay, find spokes by another one. Runs all the time, and decides alone: no host asks another.
# Needs ping.sh before it. What belongs to a relay or a spoke is in variables with its number behind. interval: seconds
# between two pings; misses: in a row, after which a relay is lost; back: replies in a row before a preferred one is used
# again.
: "${network:?}" "${interface:?}" "${directory:?}" "${interval:?}" "${misses:?}" "${back:?}" "${table:?}"
: "${nexthop4?}" "${nexthop6?}" "${nets?}"
# What eval assigns.
: "${address=}" "${relay_of_active=}" "${missed=}" "${its_missed=}" "${its_good=}" "${its_loss=}" "${its_others=}" "${its_nets=}"
: "${last=}" "${loss=}" "${slow=}" "${good=}" "${window=}" "${via=}" "${net=}" "${device=}" "${relay=}"
set -u
export LC_ALL=C
export PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${PATH-}"
run=/run/wgorch-$network
mkdir -p "$run" 2>/dev/null || run=$directory
choices=0 spokes=0 keys='' others=0 interfaces=''

# `misses` + 3 samples; the silence after which a spoke is lost to this relay.
silence='' all_heard=111
samples=$misses
while [ "$samples" -gt -1 ]; do
    silence=0$silence all_heard=1$all_heard samples=$((samples - 1))
done

# A relay that this host can use, the preferred one first.
choice() { # INTERFACE ADDRESS RELAY
    choices=$((choices + 1))
    eval "interface_$choices=\$1 address_$choices=\$2 relay_$choices=\$3"
    # missed in a row; loss in 1/1000, of some ten pings and of some thirty; the latter at the last reply; good replies in a row;
    # lost; time of the last event
    eval "missed_$choices=99 loss_$choices=0 slow_$choices=0 before_$choices=0 good_$choices=0 lost_$choices=0 heard_$choices=0"
}

# A spoke of this relay, and the interfaces of the other relays that reach it.
spoke() { # KEY NETS INTERFACES NAME
    spokes=$((spokes + 1))
    keys="$keys $1) number=$spokes ;;"
    eval "nets_$spokes=\$2 others_$spokes=\$3 name_$spokes=\$4 received_$spokes=-1 window_$spokes=$all_heard via_$spokes=''"
    for other in $3; do
        case $interfaces in
        *" $other)"*) ;;
        *)
            others=$((others + 1))
            interfaces="$interfaces $other) relay=$others ;;"
            eval "bytes_$others='' moved_$others=-100"
            ;;
        esac
    done
}

# Seconds since the start of the host: now. The clock may jump.
read_uptime() {
    read -r now _ </proc/uptime
    now=${now%%.*}
}

# False once this file was replaced or removed, or the shell that began all this has ended.
is_current() {
    # shellcheck disable=SC3013 # dash, bash and busybox have -ef
    [ "$directory/failover" -ef /proc/self/fd/4 ] && [ -d "/proc/$$" ]
}

# True while a change is in progress.
is_locked() {
    [ -r "$directory/lock" ] || return 1
    until=0 boot='' boot_id=''
    while IFS='=' read -r name value; do
        case $name in until) until=$value ;; boot) boot=$value ;; esac
    done <"$directory/lock"
    [ ! -r /proc/sys/kernel/random/boot_id ] || read -r boot_id </proc/sys/kernel/random/boot_id
    [ "$boot" = "$boot_id" ] && [ "${until:-0}" -gt "$now" ] && [ ! -e "$directory/hold" ]
}

# Sleep for a part of a second, where sleep can.
pause() { # SECONDS
    sleep "$1" 2>/dev/null || sleep 1
}

# Ping a relay all the time; print "NUMBER ok" or "NUMBER miss". One that was left is greeted every 10 s: by that silence it
# knows to reach this host through another.
stream() { # NUMBER
    eval "device=\$interface_$1 address=\$address_$1"
    while :; do
        index=
        [ ! -r "/sys/class/net/$device/ifindex" ] || read -r index <"/sys/class/net/$device/ifindex"
        if [ -e "$run/seldom.$1" ] || [ "$streams" = no ]; then
            if ping -n -c 1 -W 1 -I "$device" "$address" >/dev/null 2>&1; then tell "$1" ok; else tell "$1" miss; fi || exit
        else
            {
                ping -n -O -i "$interval" -W 2 -I "$device" "$address" 2>/dev/null &
                echo "pid $!"
                wait
            } | follow "$1" || exit
        fi
        pause "$interval"
        waited=0
        while [ -e "$run/seldom.$1" ] && [ "$waited" -lt 5 ]; do
            sleep 2
            waited=$((waited + 1))
        done
    done
}

# Say what became of a ping; false if nothing listens any more. Where SIGPIPE is ignored that ends nothing by itself.
tell() { # NUMBER ok|miss
    echo "$1 $2" 2>/dev/null
}

# Read ping's lines until the stream must begin anew; then end it. False if nothing listens any more.
follow() { # NUMBER
    pinging='' listens=0 said=no
    while read -r word more; do
        case $word in
        pid)
            pinging=$more
            continue
            ;;
        no) tell "$1" miss || listens=1 ;;
        [1-9]*) tell "$1" ok || listens=1 ;;
        *) continue ;;
        esac
        said=yes again=
        [ ! -r "/sys/class/net/$device/ifindex" ] || read -r again <"/sys/class/net/$device/ifindex"
        [ "$listens" = 0 ] || break
        [ "$again" = "$index" ] || break
        [ ! -e "$run/seldom.$1" ] || break
    done
    [ -z "$pinging" ] || kill "$pinging" 2>/dev/null
    # One that ended at once, since its interface is down or away, has sent nothing.
    [ "$said" = yes ] || tell "$1" miss || listens=1
    return "$listens"
}

# The choice that the routes lead into; false, and 0, where they lead nowhere.
read_active() {
    active=0 device=
    if [ -n "$nexthop4$nexthop6" ]; then
        device=$(ip nexthop show id "${nexthop4:-$nexthop6}" 2>/dev/null | sed -n 's/.* dev \([^ ]*\) .*/\1/p')
    else
        case $nets in *:*) family=-6 ;; *) family=-4 ;; esac
        # Without those in reserve, from metric 500 on and 1524 for IPv6.
        device=$(ip "$family" route show "${nets%% *}" 2>/dev/null |
            sed -n -e '/ metric 5[0-9][0-9]\( \|$\)/d' -e '/ metric 15[0-9][0-9]\( \|$\)/d' -e 's/.* dev \([^ ]*\).*/\1/p' | sed -n 1p)
    fi
    number=0
    while [ "$number" -lt "$choices" ]; do
        number=$((number + 1))
        eval "[ \"\$interface_$number\" != \"\$device\" ] || active=\$number"
    done
    [ "$active" -gt 0 ]
}

# Let all routes lead into the interface of a choice.
lead_into() { # NUMBER flip|restore
    eval "device=\$interface_$1"
    if [ -z "$nexthop4$nexthop6" ]; then
        for net in $nets; do ip route replace "$net" dev "$device" proto 119 2>/dev/null || return 1; done
        return 0
    fi
    for family in -4 -6; do
        case $family in -4) id=$nexthop4 ;; -6) id=$nexthop6 ;; esac
        [ -n "$id" ] || continue
        ip nexthop show id "$id" >/dev/null 2>&1 || [ "$2" = restore ] || continue
        ip "$family" nexthop replace id "$id" dev "$device" proto 119 2>/dev/null || return 1
    done
}

# Make again what went with an interface: the nexthop object, and all routes by it. A change in progress does that itself.
restore() {
    ! is_locked || return 0
    lead_into "$active" restore || {
        number=0
        while [ "$number" -lt "$choices" ]; do
            number=$((number + 1))
            ! lead_into "$number" restore || { active=$number && break; }
        done
    }
    for net in $nets; do
        case $net in *:*) id=$nexthop6 ;; *) id=$nexthop4 ;; esac
        [ -z "$id" ] || ip route replace "$net" nhid "$id" proto 119 2>/dev/null
    done
}

# Use another relay; false if the routes could not be moved, which the next ping tries again.
use() { # NUMBER WHY
    lead_into "$1" flip || return 1
    active=$1 since=$now times=$((times + 1)) why=$2
    save
}

# Keep what must outlast this process: for the next lap, and for people.
save() {
    eval "relay=\$relay_$active device=\$interface_$active"
    printf 'active %s %s %s %s %s\nback %s %s %s\n' "$device" "$relay" "$since" "$times" "$why" "$quiet" "$returned" "$hold" \
        >"$run/active.new" 2>/dev/null && mv -f "$run/active.new" "$run/active" 2>/dev/null
}

# What was kept, where it is of the relay that is used.
load() {
    since=$now times=0 why=start quiet=$back returned=-10000 hold=0 left=-10000 pace=30
    [ -r "$run/active" ] || return 0
    while read -r word one two three four five; do
        case $word in
        active) [ "$two" != "$relay_of_active" ] || { since=$three times=$four why=$five; } ;;
        back) quiet=$one returned=$two hold=$three ;;
        esac
    done <"$run/active"
    [ "$quiet" -ge "$back" ] 2>/dev/null || quiet=$back
    # Times of an earlier start, where the file outlasts one.
    [ "$since" -le "$now" ] || since=$now
    [ "$returned" -le "$now" ] || returned=-10000 hold=0
    [ "$hold" -le $((now + 600)) ] || hold=0
}

# A ping was answered.
heard() { # NUMBER
    eval "loss=\$loss_$1 slow=\$slow_$1 good=\$good_$1"
    loss=$((loss - (loss + 7) / 8)) slow=$((slow - (slow + 31) / 32))
    if [ "$loss" -le 60 ]; then good=$((good + 1)); else good=0; fi
    eval "loss_$1=$loss slow_$1=$slow before_$1=$slow good_$1=$good missed_$1=0 lost_$1=0 heard_$1=$now"
}

# A ping was not answered.
missed() { # NUMBER
    eval "loss=\$loss_$1 slow=\$slow_$1 missed=\$((missed_$1 + 1))"
    loss=$((loss + (1000 - loss) / 8)) slow=$((slow + (1000 - slow) / 32))
    patience "$1"
    eval "loss_$1=$loss slow_$1=$slow missed_$1=$missed good_$1=0 heard_$1=$now"
    [ "$missed" -lt "$reply_patience" ] || eval "lost_$1=1"
}

# Pings in a row that may be missed: more where losses were usual before, and where the relay was changed a moment ago, too.
patience() { # NUMBER
    reply_patience=$misses
    eval "[ \"\$before_$1\" -lt 150 ]" || reply_patience=$((misses + 5))
    [ "$reply_patience" = "$misses" ] || [ "$now" -ge "$hold" ] || reply_patience=$((misses + 10))
}

# True where a mark says that this host is to leave a relay.
is_drained() { # NUMBER
    eval "[ -e \"\$directory/drain.\$interface_$1\" ]"
}

# Greet seldom what is lost or drained, unless all are.
set_paces() {
    alive=no number=0
    while [ "$number" -lt "$choices" ]; do
        number=$((number + 1))
        eval "[ \"\$lost_$number\" = 1 ]" || is_drained "$number" || alive=yes
    done
    number=0
    while [ "$number" -lt "$choices" ]; do
        number=$((number + 1))
        if [ "$alive" = yes ] && [ "$number" != "$active" ] && { eval "[ \"\$lost_$number\" = 1 ]" || is_drained "$number"; }; then
            [ -e "$run/seldom.$number" ] || : >"$run/seldom.$number"
        elif [ -e "$run/seldom.$number" ]; then
            rm -f "$run/seldom.$number"
        fi
    done
}

# Leave the active relay if another one answers and it does not, or loses much more; return to a preferred one in time.
consider() {
    eval "missed=\$missed_$active loss=\$loss_$active"
    best=0 number=0
    while [ "$number" -lt "$choices" ]; do
        number=$((number + 1))
        [ "$number" != "$active" ] || continue
        ! is_drained "$number" || continue
        eval "its_missed=\$missed_$number its_loss=\$loss_$number its_good=\$good_$number"
        [ "$its_missed" = 0 ] || continue
        if [ "$number" -lt "$active" ] && [ "$its_good" -ge "$quiet" ]; then
            use "$number" back || return 0
            returned=$now hold=$((now + 10))
            save
            return
        fi
        [ "$best" != 0 ] || best=$number best_loss=$its_loss
    done
    [ "$best" != 0 ] || return 0
    patience "$active"
    if is_drained "$active"; then
        use "$best" drained
    elif [ "$missed" -ge "$reply_patience" ]; then
        leave lost
    elif [ $((loss - best_loss)) -ge 400 ] && [ "$now" -ge "$hold" ]; then
        leave loss
    fi
}

# Leave the active relay; one that is left soon after the return to it is returned to later next time.
leave() { # WHY
    use "$best" "$1" || return 0
    if [ $((now - returned)) -lt 600 ]; then
        quiet=$((quiet * 2))
        [ "$quiet" -le $((back * 10)) ] || quiet=$((back * 10))
    else
        quiet=$back
    fi
    # A change that follows another is likely to be in vain.
    if [ $((now - left)) -lt 600 ]; then pace=$((pace * 2)); else pace=30; fi
    [ "$pace" -le 480 ] || pace=480
    left=$now hold=$((now + pace))
    save
}

# Read what the streams say, and act on it.
decide() {
    while read -r event what; do
        read_uptime
        [ "$end" = 0 ] || [ "$now" -lt "$end" ] || return
        case $what in
        ok) heard "$event" ;;
        miss) missed "$event" ;;
        tick)
            is_current || return
            kept=$active
            read_active || { active=$kept && restore; }
            number=0
            while [ "$number" -lt "$choices" ]; do
                number=$((number + 1))
                # A stream that says nothing has ended: begin all anew.
                eval "[ \"\$heard_$number\" = 0 ] || [ \$((now - heard_$number)) -lt 45 ]" || return
            done
            continue
            ;;
        *) continue ;;
        esac
        consider
        set_paces
    done
}

# The whole of a host that chooses between relays.
choose_relay() {
    case $(ping -V 2>&1) in *iputils*) streams=yes ;; *) streams=no && adapt_ping ;; esac
    rm -f "$run"/seldom.*
    # By cron it ends in time for the next one: the ticks sleep for 5 s.
    [ "$end" = 0 ] || end=$((end - 6))
    read_active || active=1
    eval "relay_of_active=\$relay_$active missed_$active=0"
    load
    save
    {
        number=0
        while [ "$number" -lt "$choices" ]; do
            number=$((number + 1))
            stream "$number" &
        done
        while tell 0 tick; do sleep 5; done
    } | decide
}

# --- on a relay

# True if something came from another relay within 12 s: it sends keepalives.
is_alive() { # INTERFACE
    relay=0
    which_relay "$1"
    eval "[ \$((now - moved_$relay)) -le 12 ]"
}

# Reach a spoke by the first other relay that answers, or directly.
detour() { # NUMBER
    eval "its_nets=\$nets_$1 its_others=\$others_$1 via=\$via_$1"
    for other in $its_others; do
        is_alive "$other" || continue
        [ "$via" != "$other" ] || return 0
        for net in $its_nets; do ip route replace "$net" dev "$other" table "$table" proto 119 2>/dev/null; done
        eval "via_$1=\$other since_$1=$now"
        save_detours
        return
    done
}

# Reach a spoke directly again.
direct() { # NUMBER
    eval "its_nets=\$nets_$1"
    for net in $its_nets; do ip route delete "$net" table "$table" proto 119 2>/dev/null; done
    eval "via_$1=''"
    save_detours
}

# Keep for people what takes a detour.
save_detours() {
    number=0
    while [ "$number" -lt "$spokes" ]; do
        number=$((number + 1))
        eval "[ -z \"\$via_$number\" ] || printf 'detour %s %s %s\n' \"\$name_$number\" \"\$via_$number\" \"\$since_$number\""
    done >"$run/detours.new" 2>/dev/null && mv -f "$run/detours.new" "$run/detours" 2>/dev/null
}

# What is in the table from before.
read_detours() {
    there=$(for family in -4 -6; do ip "$family" route show table "$table" 2>/dev/null; done)
    number=0
    while [ "$number" -lt "$spokes" ]; do
        number=$((number + 1))
        eval "net=\${nets_$number%% *}"
        net=${net%/32}
        net=${net%/128}
        line=$(printf '%s\n' "$there" | sed -n "s|^$net dev \([^ ]*\) .*|\1|p")
        [ -z "$line" ] || eval "via_$number=\$line since_$number=$now window_$number=\$silence"
    done
}

# Look at what came from each spoke.
look() {
    shown=$(wg show all transfer 2>/dev/null)
    # shellcheck disable=SC2086 # its words: interface, key, bytes received and sent
    set -- $shown
    while [ $# -ge 4 ]; do
        if [ "$1" = "$interface" ]; then
            number=0
            which_spoke "$2"
            [ "$number" = 0 ] || sample "$number" "$3"
        else
            relay=0
            which_relay "$1"
            # The first look says nothing of what moves.
            [ "$relay" = 0 ] || eval "[ -z \"\$bytes_$relay\" ] || [ \"\$bytes_$relay\" = \$3 ] || moved_$relay=$now; bytes_$relay=\$3"
        fi
        shift 4
    done
}

# One more sample of a spoke: silence begins a detour, replies to several pings in a row end it.
sample() { # NUMBER BYTES
    eval "last=\$received_$1 window=\$window_$1 via=\$via_$1"
    if [ "$last" = "$2" ]; then window=${window#?}0; else window=${window#?}1; fi
    eval "received_$1=$2 window_$1=$window"
    case $window in
    *"$silence") detour "$1" ;;
    *"${all_heard#??}") [ -z "$via" ] || direct "$1" ;;
    esac
}

# The whole of a relay.
find_spokes() {
    eval "which_spoke() { case \$1 in $keys esac; }"
    eval "which_relay() { case \$1 in $interfaces esac; }"
    read_uptime
    read_detours
    save_detours
    while is_current && { [ "$end" = 0 ] || [ "$now" -lt "$end" ]; }; do
        pause "$interval"
        read_uptime
        look
    done
}

# By cron it is begun every minute and lasts as long; only one runs.
read_uptime
end=0
[ "${1-}" != lap ] || end=$((now + 58))
exec 4<"$directory/failover" || exit 1
if [ -r "$run/failover.pid" ] && read -r other <"$run/failover.pid" && [ "$other" != "$$" ]; then
    case $({ tr '\0' ' ' <"/proc/$other/cmdline"; } 2>/dev/null) in *"$directory/failover"*) exit 0 ;; esac
fi
echo "$$" >"$run/failover.pid"
