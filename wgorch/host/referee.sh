#!/bin/sh
# wgorch: the referee of a change on this host. It holds the lock and the lease, confirms a change or takes it back.
#
# pending    the start-up program of a change that is not confirmed yet; renaming it decides, once and for all:
#              pending -> boot         the change is confirmed
#              pending -> reverting    the change is being taken back
# do, undo   the programs of the change; before: what `probe` said before it
# lock       who changes this host, and until when; lease: until when the change stands unconfirmed; both in seconds of
#            this machine's uptime
# running    process group of the program that runs now, its start time, and until when it may run; empty where none does
set -u
umask 077
export LC_ALL=C
export PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${PATH-}"
case $0 in */referee) cd "${0%/*}" || exit 1 ;; esac # else it is read by `.` in a subshell, which saves a process
directory=$PWD
boot_id=none
[ -r /proc/sys/kernel/random/boot_id ] && read -r boot_id </proc/sys/kernel/random/boot_id

now() { read -r now _ </proc/uptime; now=${now%%.*}; }
self() { read -r self _ </proc/self/stat; } # the process that runs this, which in a subshell is not $$
put() { printf '%s\n' "$2" >"$1.$$" && mv -f "$1.$$" "$1"; } # FILE TEXT
settle() { sync . 2>/dev/null || sync; }
epoch=${wgorch_epoch-} # given by whoever has just asked
clock() { # seconds since 1970 are in `time`; asked once a run, and reckoned on from there
    now
    [ -n "$epoch" ] || { held && [ "$held_boot" = "$boot_id" ] && epoch=$held_epoch; }
    [ -n "$epoch" ] || epoch=$(($(date +%s) - now))
    time=$((epoch + now))
}
log() { clock; printf 'time=%s run=%s %s\n' "$time" "${run:-none}" "$*" >>journal; }
nap() { sleep 0.1 2>/dev/null || sleep 1; }

start_of() { # PID: its start time, or nothing where it is gone
    started=
    [ -r "/proc/$1/stat" ] && IFS= read -r stat <"/proc/$1/stat" || return 1
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    [ "$1" != Z ] && started=${20}
}
alive() { # FILE with "PID START ..."
    [ -r "$1" ] && read -r pid start until <"$1" && start_of "$pid" 2>/dev/null && [ "$started" = "$start" ]
}
end_running() {
    tries=0
    while alive running; do
        kill -9 "-$pid" 2>/dev/null
        kill -9 "$pid" 2>/dev/null
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || return 1
        nap
    done
    [ ! -s running ] || : >running
}
run_program() { # GUARD PROGRAM SECONDS [RULES RULES-OF-IPV6]: the firewall's rules, where they were asked for just now
    end_running || return 1
    now
    guard=$1 given4=${4-} given6=${5-} setsid sh "$directory/$2" </dev/null &
    child=$!
    start_of "$child" && printf '%s %s %s\n' "$child" "$started" "$((now + $3))" >running
    wait "$child"
    status=$?
    : >running
    return "$status"
}

held() { # [FILE]: what the lock says of itself
    held_who='' held_since='' held_until=0 held_boot='' held_epoch=''
    [ -s "${1-lock}" ] || return 1
    while IFS= read -r line; do
        case $line in
        who=*) held_who=${line#*=} ;;
        since=*) held_since=${line#*=} ;;
        until=*) held_until=${line#*=} ;;
        boot=*) held_boot=${line#*=} ;;
        epoch=*) held_epoch=${line#*=} ;;
        esac
    done <"${1-lock}"
}
owner() { # WHO SINCE UNTIL: whose the lock is, and when, since 1970, this machine was started
    owner="run=$run
who=$1
since=$2
until=$3
boot=$boot_id
epoch=$epoch"
}
take() { # WHO SINCE UNTIL: the lock, where nobody has it; whoever makes the file has it
    owner "$@"
    set -C
    printf '%s\n' "$owner" 2>/dev/null >lock
    took=$?
    set +C
    return "$took"
}
hold() { # UNTIL: a lock of ours lasts at least so long
    [ "$held_until" -ge "$1" ] || { owner "$held_who" "$held_since" "$1" && put lock "$owner"; }
}
mine() { [ -s lock ] && IFS= read -r line <lock && [ "$line" = "run=$run" ]; } # dash reads byte by byte: its first line only

second_trigger() { # start|stop: systemd ends the lease where our own timer was killed
    [ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1 || return 0
    unit=wgorch-lease-${directory##*/}-$run
    if [ "$1" = stop ]; then
        systemctl --quiet stop "$unit.timer" 2>/dev/null
        return 0
    fi
    systemd-run --quiet --collect --on-active="$2" --timer-property=AccuracySec=1s --unit="$unit" \
        /bin/sh "$directory/referee" watch "$run" >/dev/null 2>&1
    return 0
}

take_back() { # WHY: the change is claimed; put everything back as it was, and prove it
    self
    start_of "$self" && printf '%s %s\n' "$self" "$started" >reverter
    end_running
    log "event=take-back why=$1"
    put outcome "reverting $run $1"
    round=0
    while :; do
        run_program reverting undo 30 >undo.log 2>&1
        if [ ! -r probe ] || { (. ./probe) >after 2>/dev/null && cmp -s before after; }; then
            result=reverted
            break
        fi
        round=$((round + 1))
        if [ "$round" -ge 3 ]; then
            result=unlike
            old=boot
            [ -r boot.before ] && old=boot.before
            [ -r "$old" ] && run_program reverting "$old" 90 >undo.log 2>&1 && result=rebooted
            break
        fi
        sleep 1
    done
    if [ -e boot.before ]; then mv -f boot.before boot; fi
    log "event=taken-back result=$result"
    put outcome "$result $run $1"
    tries=0
    until rm -f reverting reverter running do lease; do
        tries=$((tries + 1))
        # The claim stands as long as its file does; the watcher goes on, and comes here again.
        [ "$tries" -lt 20 ] || { log "event=stuck file=reverting"; return 1; }
        nap
    done
    [ "$result" = unlike ] || rm -f undo probe before after undo.log
    settle
    if alive watching; then kill -9 "-$pid" 2>/dev/null; fi
    rm -rf watching lock
    second_trigger stop # last: it may hang, and somebody else have the host meanwhile
    printf '%s %s\n' "$result" "$run"
}

take_or_leave() { # WHO SECONDS
    clock
    take "$1" "$time" "$((now + $2))" && return
    [ -s lock ] || nap
    [ ! -s lock ] || { printf 'busy 0\n'; exit 75; } # somebody else was quicker
    rm -f lock # the disk is full
    exit 1
}

unused() { for file; do [ ! -e "$file" ] || rm -f "$file"; done; }
settle_keys() { # a confirmed new key takes its place, which ends the old one; what nobody uses any more goes
    for program in boot.before boot; do
        [ ! -r "$program" ] || while IFS= read -r line; do
            case $line in
            '#: key '*) [ -s "private_key.${line#'#: key '}" ] && mv -f "private_key.${line#'#: key '}" private_key && settle ;;
            '#'*) ;;
            *) break ;;
            esac
        done <"$program"
    done
    unused private_key.?*
    live=
    used=' '
    for file in psk.*; do
        [ -r "$file" ] || break
        live=$(wg show all preshared-keys 2>/dev/null)
        [ ! -r boot ] || while IFS= read -r line; do
            case $line in '#'*) ;; *preshared-key*) line=${line#*/psk.} used="$used psk.${line%% *} " ;; esac
        done <boot
        break
    done
    for file in psk.*; do
        [ -r "$file" ] && IFS= read -r secret <"$file" || continue
        case "$used $live" in *" $file "* | *"$secret"*) ;; *) rm -f "$file" ;; esac
    done
}

verb=${1-}
run=${2-none}
case $verb in
lock) # RUN WHO SECONDS
    [ ! -e outcome ] || rm -f outcome
    clock
    if ! take "$3" "$time" "$((now + $4))"; then
        [ -s lock ] || nap # whoever made it just now has not written yet
        now
        held
        if [ "$held_boot" = "$boot_id" ] && [ "$held_until" -gt "$now" ]; then
            printf 'busy %s\n' "$((held_until - now))"
            cat lock
            exit 75
        fi
        judged="$held_who $held_since $held_until $held_boot"
        if mv lock "lock.stale.$$" 2>/dev/null; then
            held "lock.stale.$$"
            if [ "$judged" != "$held_who $held_since $held_until $held_boot" ]; then
                # Somebody took it meanwhile.
                ln "lock.stale.$$" lock 2>/dev/null
                rm -f "lock.stale.$$"
                printf 'busy 0\n'
                exit 75
            fi
            rm -rf "lock.stale.$$"
        fi
        take_or_leave "$3" "$4"
    fi
    if [ -e pending ] || [ -e reverting ]; then
        # A change before ours was left open and nobody is left to end it.
        [ -e pending ] && mv pending reverting
        take_back "left-open"
        take_or_leave "$3" "$4"
    fi
    mine || { printf 'busy 0\n'; exit 75; }
    unused lease # of a change that was confirmed, and not finished
    log "event=lock who=$3"
    printf 'locked %s\n' "$run"
    ;;
unlock)
    mine && rm -f do undo probe before running boot.before lease lock
    printf 'unlocked %s\n' "$run"
    ;;
apply) # RUN SECONDS MAXIMUM SECONDS-OF-THE-PROGRAM: the lease is armed, and the change is made under it; `start_up`: what
    # becomes the start-up program
    now
    # One whose time is over may be another's at any moment.
    mine && held && [ "$held_until" -gt "$now" ] || { printf 'lost %s\n' "$run"; exit 1; }
    rules4='' rules6='' # it may tell them; what is too long for a process's environment is asked for again
    . ./probe >before 2>/dev/null || exit 1
    # That may have taken long, and the run have been given up meanwhile by somebody who lost sight of us.
    mine && [ -e do ] || { printf 'lost %s\n' "$run"; exit 1; }
    [ "$((${#rules4} + ${#rules6}))" -lt 65536 ] || rules4='' rules6=''
    unused boot.before watching
    if [ -e boot ]; then cp -p boot boot.before || exit 1; fi
    now
    echo "$((now + $3)) $((now + $4))" >lease || exit 1 # nobody looks at it yet
    clock
    hold "$((now + $3 + 5))" || exit 1 # a lock lasts as long as its lease
    # Part of one is harmless: what is not confirmed is taken back, and `confirm` has it on the disk before it renames it.
    set -C # nor is one of another run written over
    { printf '%s\n' "${start_up:?}" || { rm -f pending; false; }; } >pending || exit 1
    set +C
    # Its first word is waited for: it closes what it says then.
    case $(setsid sh ./referee watch "$run" </dev/null 2>/dev/null &) in
    watching) ;;
    *) echo "nobody watches the lease"; exit 1 ;;
    esac
    second_trigger start "$(($3 + 5))"
    log "event=arm seconds=$3"
    if run_program pending do "$5" "$rules4" "$rules6" 2>&1; then
        log "event=applied"
        printf 'applied %s\n' "$run"
    elif mv pending reverting 2>/dev/null; then
        take_back "failed"
    else
        tries=0
        while [ -e reverting ] && [ "$tries" -lt 600 ]; do tries=$((tries + 1)); nap; done
        [ -r outcome ] && cat outcome
    fi
    ;;
renew) # RUN SECONDS
    mine && [ -e pending ] && read -r until most <lease || { printf 'lost %s\n' "$run"; exit 1; }
    now
    until=$((now + $3))
    [ "$until" -le "$most" ] || until=$most
    put lease "$until $most"
    clock
    held && hold "$((until + 5))"
    # The lease may have ended meanwhile, and the lock with it.
    mine && [ -e pending ] || { mine && [ ! -e reverting ] && rm -f lock; printf 'lost %s\n' "$run"; exit 1; }
    printf 'renewed %s %s\n' "$run" "$((until - now))"
    ;;
confirm) # RUN
    if mine && [ -e pending ] && { sync pending private_key 2>/dev/null || sync; } && mv pending boot 2>/dev/null; then
        settle
        log "event=confirm"
        printf 'confirmed %s\n' "$run"
    else
        [ -r outcome ] && cat outcome
        printf 'lost %s\n' "$run"
    fi
    ;;
revert) # RUN WHY: also of a change that is confirmed here but not everywhere
    if mine && mv pending reverting 2>/dev/null; then
        take_back "$3"
    elif mine && [ -e lease ] && [ ! -e reverting ] && [ ! -e outcome ] && mv boot reverting 2>/dev/null; then
        # The lease is open, and `pending` is neither there nor claimed: it became `boot` by this very run.
        take_back "$3"
    else
        tries=0
        while [ -e reverting ] && [ "$tries" -lt 600 ]; do tries=$((tries + 1)); nap; done
        if [ -r outcome ]; then
            cat outcome
        else
            # The lease was never armed, so nothing was changed.
            mine && [ ! -e reverting ] && rm -f do undo probe before running boot.before lease lock
            printf 'nothing %s\n' "$run"
        fi
    fi
    ;;
take-back) # RUN WHY: of a change that is claimed already
    if [ -e reverting ]; then take_back "$3"; fi
    ;;
watch) # RUN: until the change is confirmed or taken back
    trap '' PIPE # it watches, even if whoever asked is gone
    start_of $$ && printf '%s %s\n' $$ "$started" >watching && echo watching
    exec >/dev/null 2>&1
    trap - PIPE
    while [ -e pending ] || [ -e reverting ]; do
        mine || [ -e reverting ] || exit 0
        now
        if alive running; then
            [ "$now" -le "${until:-$now}" ] || { kill -9 "-$pid" 2>/dev/null; log "event=kill why=too-long"; }
        elif [ -e reverting ] && ! alive reverter; then
            # Whoever was taking the change back is gone.
            sleep 1
            if [ -e reverting ] && ! alive reverter; then
                setsid sh ./referee take-back "$run" left-open </dev/null >/dev/null 2>&1 &
                sleep 1
            fi
            continue
        fi
        read -r until most <lease || until=0
        if [ "$now" -ge "$until" ] && mv pending reverting 2>/dev/null; then
            setsid sh ./referee take-back "$run" lease-ended </dev/null >/dev/null 2>&1 &
        fi
        # Far from the end it looks up less often: each look is a process.
        if [ -e reverting ] || [ "$((until - now))" -lt 20 ]; then sleep 1; else sleep 5; fi
    done
    rm -f watching
    ;;
finish) # RUN keep|remove|purge
    mine || { printf 'lost %s\n' "$run"; exit 1; }
    if alive watching; then kill -9 "-$pid" 2>/dev/null; fi
    settle_keys
    gone='do undo undo.log probe before after running boot.before lease outcome watching'
    [ "$3" = keep ] || gone="$gone boot recorded journal referee watch resolv.before installed $(printf ' %s' psk.*)"
    [ "$3" != purge ] || gone="$gone private_key"
    # shellcheck disable=SC2086
    rm -rf $gone lock # in this order: whoever finds no lock finds nothing else
    [ "$3" = keep ] || { cd / && rmdir "$directory" "${directory%/*}" 2>/dev/null; }
    second_trigger stop # last, for the same reason
    printf 'finished %s\n' "$run"
    ;;
*)
    echo "usage: sh referee lock|unlock|apply|renew|confirm|revert|take-back|watch|finish RUN ..." >&2
    exit 64
    ;;
esac; exit $? # on one line, so that nothing is read of a file that was written anew meanwhile
