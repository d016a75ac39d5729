#!/bin/sh
# wgorch: the referee of a change on this host. It holds the lock and the lease, and confirms a change or rolls it back.
#
# `pending` is the start-up script of a change that is not confirmed. Renaming it decides, once and for all:
#
#     lock --> apply --> pending --confirm--> boot --finish--> no lock, no lease
#                           | hold: later       |
#              do fails,    |                  | revert, while the lease is open:
#              lease ends,  |                  | another host did not confirm
#              revert,      v                  v
#              next lock    reverting <--------+
#                           |
#                           | undo, then compare `after` with `before`, up to three times
#                           +--> equal: outcome "reverted"
#                           +--> not equal: run the last confirmed start-up script
#                                  +--> it ends well: outcome "rebooted"
#                                  +--> else: outcome "unlike"; what was compared stays for people
#
# The process whose rename succeeds does the work; all others see that their rename failed and wait for `outcome`.
#
# do, undo   scripts of the change
# probe      script that prints the state; before, after: what it printed before the change and after undo
# lock       holder, and until when; written with noclobber: the process that creates it has it
# lease      until when the change stands unconfirmed, and the latest moment to which it can be renewed
# hold, stay where a proven change waits for people to confirm it: the run and the hosts of the change, and what is done
#            after it
# journal    what was done here; heads: where the journals of other hosts ended, which they cannot change unseen
# running    process group of the script that runs, its start time, and until when it may run; empty if none does
# watching, reverter   processes that watch the lease, that roll back: pid and start time
# Moments are seconds of this machine's uptime.
#
# The words of verbs and answers, and all file names, are a protocol with other versions of wgorch: a watcher that an older
# version started calls this file, and its boot script is run by it.
set -u
umask 077
export LC_ALL=C
export PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${PATH-}"
# Run as a file it goes to its directory. Read by `.` in a subshell, which saves a process, it is there already.
case $0 in */referee) cd "${0%/*}" || exit 1 ;; esac
directory=$PWD
boot_id=none
[ -r /proc/sys/kernel/random/boot_id ] && read -r boot_id </proc/sys/kernel/random/boot_id
epoch=${wgorch_epoch-} # when the machine started, in seconds since 1970, if the caller has just asked

# The uptime in reply_now.
read_now() {
    read -r reply_now _ </proc/uptime
    reply_now=${reply_now%%.*}
}

# Seconds since 1970 in reply_time; the clock is asked once a change, and reckoned on from there.
read_time() {
    read_now
    if [ -z "$epoch" ] && read_lock && [ "$lock_boot" = "$boot_id" ]; then epoch=$lock_epoch; fi
    [ -n "$epoch" ] || epoch=$(($(date +%s) - reply_now))
    reply_time=$((epoch + reply_now))
}

# The SHA-256 of the journal in reply_sum; a dash where there is none.
sum_journal() {
    reply_sum=$(sha256sum 2>/dev/null <journal)
    reply_sum=${reply_sum%% *}
    reply_sum=${reply_sum:--}
}

# Add a line to the journal, with the sum of all lines before it: a later edit shows.
log() { # WORD...
    read_time
    sum_journal
    printf 'time=%s run=%s sum=%s %s\n' "$reply_time" "${run:-none}" "$reply_sum" "$*" >>journal
    case $1 in
    event=arm\ * | event=hold\ * | event=confirm* | event=roll* | event=teardown) log_to_system "$*" ;;
    esac
}

# Add a line to this machine's own log, where it has one; a logger that hangs is not waited for.
log_to_system() { # WORD...
    line="network=${directory##*/} run=${run:-none} $*"
    if [ -S /run/systemd/journal/stdout ] && command -v systemd-cat >/dev/null 2>&1; then
        printf '%s\n' "$line" | systemd-cat -t wgorch >/dev/null 2>&1 &
    elif [ -S /dev/log ] && command -v logger >/dev/null 2>&1; then
        logger -t wgorch -- "$line" </dev/null >/dev/null 2>&1 &
    fi
}

# Begin a new line where the last one was cut, as by a power failure.
mend_journal() {
    [ -s journal ] || return 0
    case $(tail -c 1 journal | wc -l) in *1) ;; *) echo >>journal ;; esac
}

# Replace a file: readers see the old text or the new one, whole.
write_atomic() { # FILE TEXT
    printf '%s\n' "$2" >"$1.$$" && mv -f "$1.$$" "$1"
}

# Remove those files that exist: no process if none does.
remove_existing() { # FILE...
    for file; do [ ! -e "$file" ] || rm -f "$file"; done
}

# Put renames on the disk.
sync_dir() {
    sync . 2>/dev/null || sync
}

# Sleep a tenth of a second, where sleep takes tenths.
sleep_short() {
    sleep 0.1 2>/dev/null || sleep 1
}

# The start time of a process in reply_start; empty if it is gone.
start_of() { # PID
    reply_start=
    [ -r "/proc/$1/stat" ] && IFS= read -r stat <"/proc/$1/stat" || return 1
    # shellcheck disable=SC2086 # fields, split at blanks
    set -- ${stat##*) }
    [ "$1" != Z ] && reply_start=${20}
}

# True if the process lives that a file names: reply_pid, reply_until.
is_alive() { # FILE with "PID START [UNTIL]"
    [ -r "$1" ] && read -r reply_pid noted_start reply_until <"$1" && start_of "$reply_pid" 2>/dev/null &&
        [ "$reply_start" = "$noted_start" ]
}

# Kill the script that runs, and wait until it is gone.
end_running() {
    kills=0
    while is_alive running; do
        kill -9 "-$reply_pid" 2>/dev/null
        kill -9 "$reply_pid" 2>/dev/null
        kills=$((kills + 1))
        [ "$kills" -lt 100 ] || return 1
        sleep_short
    done
    [ ! -s running ] || : >running
}

# Run a script in a process group of its own, as long as the guard file is there; with the firewall's rules, if they are
# fresh.
run_script() { # GUARD SCRIPT SECONDS [RULES4 RULES6]
    end_running || return 1
    read_now
    guard=$1 given4=${4-} given6=${5-} setsid sh "$directory/$2" </dev/null &
    child=$!
    start_of "$child" && printf '%s %s %s\n' "$child" "$reply_start" "$((reply_now + $3))" >running
    wait "$child"
    status=$?
    : >running
    [ "$status" -lt 128 ] || log "event=killed script=$2 signal=$((status - 128))"
    return "$status"
}

# Read the lock, or a file like it: lock_who, lock_since, lock_until, lock_boot, lock_epoch.
read_lock() { # [FILE]
    lock_who='' lock_since='' lock_until=0 lock_boot='' lock_epoch=''
    [ -s "${1-lock}" ] || return 1
    while IFS= read -r line; do
        case $line in
        who=*) lock_who=${line#*=} ;;
        since=*) lock_since=${line#*=} ;;
        until=*) lock_until=${line#*=} ;;
        boot=*) lock_boot=${line#*=} ;;
        epoch=*) lock_epoch=${line#*=} ;;
        esac
    done <"${1-lock}"
}

# The text of this change's lock in reply_lock.
lock_text() { # WHO SINCE UNTIL
    reply_lock="run=$run
who=$1
since=$2
until=$3
boot=$boot_id
epoch=$epoch"
}

# Take the lock; false if there is one.
take_lock() { # WHO SINCE UNTIL
    lock_text "$@"
    set -C
    printf '%s\n' "$reply_lock" 2>/dev/null >lock
    taken=$?
    set +C
    return "$taken"
}

# Let the lock last at least so long; read_lock has read it.
extend_lock() { # UNTIL
    [ "$lock_until" -lt "$1" ] || return 0
    lock_text "$lock_who" "$lock_since" "$1"
    write_atomic lock "$reply_lock"
}

# True if the lock is this change's.
holds_lock() {
    # Its first line decides, and no more is read: dash reads byte by byte.
    [ -s lock ] && IFS= read -r line <lock && [ "$line" = "run=$run" ]
}

# End: another run has the host, or may have it.
end_busy() {
    printf 'busy 0\n'
    exit 75
}

# End: the lock or the lease of this change is over.
end_lost() {
    printf 'lost %s\n' "$run"
    exit 1
}

# Let systemd end the lease, too, where it is: the watcher may be killed.
systemd_timer() { # start|stop [SECONDS]
    [ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1 || return 0
    unit=wgorch-lease-${directory##*/}-$run
    if [ "$1" = stop ]; then
        systemctl --quiet stop "$unit.timer" 2>/dev/null
    else
        systemd-run --quiet --collect --on-active="$2" --timer-property=AccuracySec=1s --unit="$unit" \
            /bin/sh "$directory/referee" watch "$run" >/dev/null 2>&1
    fi
    return 0
}

# Roll back a change that is claimed (reverting), and prove that all is as it was.
roll_back() { # WHY
    read -r self _ </proc/self/stat # in a subshell $$ is another process
    start_of "$self" && printf '%s %s\n' "$self" "$reply_start" >reverter
    end_running
    log "event=roll-back why=$1"
    write_atomic outcome "reverting $run $1"
    undo_change
    if [ -e boot.before ]; then mv -f boot.before boot; fi
    log "event=rolled-back result=$reply_result"
    write_atomic outcome "$reply_result $run $1"
    tries=0
    until rm -f reverting reverter running 'do' lease hold stay; do
        tries=$((tries + 1))
        # The claim stands as long as its file does: the watcher goes on, and calls this again.
        [ "$tries" -lt 20 ] || {
            log "event=stuck file=reverting"
            return 1
        }
        sleep_short
    done
    [ "$reply_result" = unlike ] || rm -f undo probe before after undo.log
    remove_existing unreadable
    sync_dir
    if is_alive watching; then kill -9 "-$reply_pid" 2>/dev/null; fi
    rm -rf watching lock
    systemd_timer stop # last: it may hang, and another run have the host meanwhile
    printf '%s %s\n' "$reply_result" "$run"
}

# Run undo until the state is as before, at most three times; then the last confirmed start-up script: reply_result.
undo_change() {
    for round in 1 2 3; do
        [ "$round" = 1 ] || sleep 1
        run_script reverting undo 30 >undo.log 2>&1
        reply_result=reverted
        # shellcheck disable=SC1091 # written by wgorch for this change
        if [ ! -r probe ] || { (. ./probe) >after 2>/dev/null && cmp -s before after; }; then return; fi
    done
    reply_result=unlike confirmed=boot
    [ -r boot.before ] && confirmed=boot.before
    [ -r "$confirmed" ] && run_script reverting "$confirmed" 90 >undo.log 2>&1 && reply_result=rebooted
}

# Wait until the process that has claimed the change has rolled it back.
await_rollback() {
    waits=0
    while [ -e reverting ] && [ "$waits" -lt 600 ]; do
        waits=$((waits + 1))
        sleep_short
    done
}

# lock: take the host for a change; roll back one that was left open. ABOUT: words on the change, for the journal.
lock_host() { # WHO SECONDS [ABOUT]
    remove_existing outcome
    read_time
    if ! take_lock "$1" "$reply_time" "$((reply_now + $2))"; then
        put_stale_lock_aside
        take_or_end "$1" "$2"
    fi
    if [ -e pending ] || [ -e reverting ]; then
        [ -e pending ] && mv pending reverting
        roll_back left-open
        take_or_end "$1" "$2"
    fi
    holds_lock || end_busy
    remove_existing lease hold stay # of a change that was confirmed and not finished
    mend_journal
    log "event=lock who=$1${3:+ $3}"
    printf 'locked %s\n' "$run"
}

# Put a lock aside that is over or of another boot; end if it holds.
put_stale_lock_aside() {
    [ -s lock ] || sleep_short # one that was created just now is not written yet
    read_now
    read_lock
    if [ "$lock_boot" = "$boot_id" ] && [ "$lock_until" -gt "$reply_now" ]; then
        printf 'busy %s\n' "$((lock_until - reply_now))"
        cat lock
        [ ! -e hold ] || [ ! -e pending ] || echo 'held=yes'
        exit 75
    fi
    judged="$lock_who $lock_since $lock_until $lock_boot"
    mv lock "lock.stale.$$" 2>/dev/null || return 0
    read_lock "lock.stale.$$"
    if [ "$judged" != "$lock_who $lock_since $lock_until $lock_boot" ]; then
        # Another run took it meanwhile.
        ln "lock.stale.$$" lock 2>/dev/null
        rm -f "lock.stale.$$"
        end_busy
    fi
    rm -rf "lock.stale.$$"
}

# Take the lock; end if another run was quicker, or if the disk is full.
take_or_end() { # WHO SECONDS
    read_time
    take_lock "$1" "$reply_time" "$((reply_now + $2))" && return
    [ -s lock ] || sleep_short
    [ ! -s lock ] || end_busy
    rm -f lock
    exit 1
}

# unlock: give up before anything was changed.
unlock_host() {
    holds_lock && rm -f 'do' undo probe before running boot.before lease lock
    printf 'unlocked %s\n' "$run"
}

# apply: arm the lease, and make the change under it. start_up: the text that becomes the start-up script.
apply_change() { # SECONDS MAXIMUM SECONDS-OF-THE-SCRIPT: not named, since the probe shares this shell
    : "${start_up:?}"
    read_now
    # One whose time is over may be another's at any moment.
    holds_lock && read_lock && [ "$lock_until" -gt "$reply_now" ] || end_lost
    # The probe may set the rules; what is too long for an environment is asked for again.
    rules4='' rules6=''
    remove_existing unreadable
    # shellcheck disable=SC1091 # written by wgorch for this change
    . ./probe >before 2>/dev/null || exit 1
    if [ -e unreadable ]; then
        read -r what <unreadable
        printf 'cannot read what runs here: %s failed\n' "$what"
        rm -f unreadable
        exit 1
    fi
    # That may have taken long, and a controller that lost this one have given the change up.
    holds_lock && [ -e 'do' ] || end_lost
    [ "$((${#rules4} + ${#rules6}))" -lt 65536 ] || rules4='' rules6=''
    remove_existing boot.before watching
    if [ -e boot ]; then cp -p boot boot.before || exit 1; fi
    arm_lease "$1" "$2"
    if run_script pending 'do' "$3" "$rules4" "$rules6" 2>&1; then
        log "event=applied"
        printf 'applied %s\n' "$run"
    elif mv pending reverting 2>/dev/null; then
        roll_back failed
    else
        await_rollback
        [ -r outcome ] && cat outcome
    fi
}

# Write the lease and `pending`, and start the watcher.
arm_lease() { # SECONDS MAXIMUM
    read_now
    echo "$((reply_now + $1)) $((reply_now + $2))" >lease || exit 1 # nothing reads it before pending is there
    read_time
    extend_lock "$((reply_now + $1 + 5))" || exit 1 # a lock lasts as long as its lease
    # Noclobber: another run's is not written over. Part of one is harmless: it is rolled back, and confirm syncs it first.
    set -C
    # shellcheck disable=SC2094 # what this created and could not fill is removed
    { printf '%s\n' "$start_up" || { rm -f pending; false; }; } >pending || exit 1
    set +C
    # The watcher closes its output after its first word, which is waited for.
    log "event=arm seconds=$1" # the watcher logs, too: not at once
    case $(setsid sh ./referee watch "$run" </dev/null 2>/dev/null &) in
    watching) ;;
    *)
        echo "nothing watches the lease"
        exit 1
        ;;
    esac
    systemd_timer start "$(($1 + 5))"
}

# Let the lease end later, and the lock with it.
extend_lease() { # UNTIL LATEST
    write_atomic lease "$1 $2"
    read_time
    read_lock && extend_lock "$(($1 + 5))"
    if ! holds_lock || [ ! -e pending ]; then
        # The lease ended meanwhile, and the lock with it; it must not stay because it was extended.
        holds_lock && [ ! -e reverting ] && rm -f lock
        end_lost
    fi
}

# renew: let the lease end later.
renew_lease() { # SECONDS
    if ! holds_lock || [ ! -e pending ] || ! read -r lease_until lease_latest <lease; then end_lost; fi
    read_now
    lease_until=$((reply_now + $1))
    [ "$lease_until" -le "$lease_latest" ] || lease_until=$lease_latest
    extend_lease "$lease_until" "$lease_latest"
    printf 'renewed %s %s\n' "$run" "$((lease_until - reply_now))"
}

# hold: let a change that was proven stand unconfirmed for people to look at, longer than any lease.
hold_change() { # SECONDS
    if ! holds_lock || [ ! -e pending ] || [ ! -e lease ] || [ ! -s hold ]; then end_lost; fi
    read_now
    extend_lease "$((reply_now + $1))" "$((reply_now + $1))"
    systemd_timer stop
    systemd_timer start "$(($1 + 5))"
    log "event=hold seconds=$1"
    printf 'held %s\n' "$run"
}

# Let the lock of a change that was held last no longer than its last steps may take.
shorten_lock() {
    read_now
    read_lock || return 0
    lock_text "$lock_who" "$lock_since" "$((reply_now + 900))"
    write_atomic lock "$reply_lock"
}

# confirm: pending becomes boot. The reply has the moment, and the sum of the journal, for other hosts to keep.
confirm_change() { # [WHO]
    if holds_lock && [ -e pending ] && { sync pending private_key 2>/dev/null || sync; } && mv pending boot 2>/dev/null; then
        sync_dir
        if [ -e hold ]; then shorten_lock; fi
        log "event=confirm${1:+ who=$1}"
        sync journal 2>/dev/null || sync
        sum_journal
        printf 'confirmed %s %s %s\n' "$run" "$reply_time" "$reply_sum"
    else
        [ -r outcome ] && cat outcome
        printf 'lost %s\n' "$run"
    fi
}

# revert: roll back, also what is confirmed here but not everywhere.
revert_change() { # WHY
    if holds_lock && mv pending reverting 2>/dev/null; then
        roll_back "$1"
    elif holds_lock && [ -e lease ] && [ ! -e reverting ] && [ ! -e outcome ] && mv boot reverting 2>/dev/null; then
        # The lease is open, and `pending` is neither there nor claimed: this very change made it `boot`.
        roll_back "$1"
    else
        await_rollback
        if [ -r outcome ]; then
            cat outcome
        else
            # The lease was never armed, so nothing was changed.
            holds_lock && [ ! -e reverting ] && rm -f 'do' undo probe before running boot.before lease lock
            printf 'nothing %s\n' "$run"
        fi
    fi
}

# watch: until the change is confirmed or rolled back.
watch_lease() {
    trap '' PIPE # it watches, even if the caller is gone
    start_of $$ && printf '%s %s\n' $$ "$reply_start" >watching && echo watching
    exec >/dev/null 2>&1
    trap - PIPE
    while [ -e pending ] || [ -e reverting ]; do
        holds_lock || [ -e reverting ] || exit 0
        read_now
        if is_alive running; then
            [ "$reply_now" -le "${reply_until:-$reply_now}" ] || kill -9 "-$reply_pid" 2>/dev/null
        elif [ -e reverting ] && ! is_alive reverter; then
            replace_reverter
            continue
        fi
        read -r lease_until _ <lease || lease_until=0
        if [ "$reply_now" -ge "$lease_until" ] && mv pending reverting 2>/dev/null; then
            start_rollback lease-ended
        fi
        # Far from the end it looks less often: each look is a process.
        if [ -e reverting ] || [ "$((lease_until - reply_now))" -lt 20 ]; then sleep 1; else sleep 5; fi
    done
    rm -f watching
}

# Roll back in a process of its own, which outlives this one. The verb's name is part of the protocol.
start_rollback() { # WHY
    setsid sh ./referee take-back "$run" "$1" </dev/null >/dev/null 2>&1 &
}

# Go on with a rollback whose process is gone.
replace_reverter() {
    sleep 1
    if [ -e reverting ] && ! is_alive reverter; then
        start_rollback left-open
        sleep 1
    fi
}

# Pass the records of this boot, and of the packages, to another network on this host: it uses what they are of.
pass_records() {
    for heir in "${directory%/*}"/*/boot; do
        [ "$heir" != "$directory/boot" ] && [ -r "$heir" ] || continue
        heir=${heir%/*}
        [ ! -r installed ] || cat installed >>"$heir/installed"
        [ -r recorded ] && IFS= read -r record_boot <recorded && [ "$record_boot" = "boot $boot_id" ] || return 0
        heir_boot=
        [ ! -r "$heir/recorded" ] || IFS= read -r heir_boot <"$heir/recorded"
        [ "$heir_boot" = "$record_boot" ] || printf '%s\n' "$record_boot" >"$heir/recorded"
        known="
$(cat "$heir/recorded")
"
        while read -r kind name rest; do
            case $kind in boot) continue ;; all4) sought=$kind ;; *) sought="$kind $name" ;; esac
            case $known in *"
$sought
"* | *"
$sought "*) continue ;; esac
            printf '%s\n' "$kind $name${rest:+ $rest}" >>"$heir/recorded"
        done <recorded
        return 0
    done
}

# Keep where the journals of other hosts ended, the latest of each: HEAD is "NAME TIME SUM".
keep_heads() { # HEAD...
    [ $# -gt 0 ] || return 0
    names=' ' heads=
    for head; do
        [ ! -r heads ] || while read -r name when rest; do
            given=${head#* }
            case $head in "$name "*) [ "$when" -le "${given%% *}" ] 2>/dev/null || head="$name $when $rest" ;; esac
        done <heads
        names="$names${head%% *} "
        heads="$heads$head
"
    done
    [ ! -r heads ] || while IFS= read -r head; do
        case $names in *" ${head%% *} "*) ;; *) heads="$heads$head
" ;; esac
    done <heads
    printf '%s' "$heads" >heads
}

# Let the record of the members be the latest of the revisions.
keep_members() {
    [ -s members ] && read -r number _ <members || return 0
    case $number in '' | *[!0-9]* | ????????*) return 0 ;; esac
    [ -d revisions ] || mkdir -m 700 revisions || return 0
    mv -f members "revisions/$(printf '%07d' "${number#"${number%%[!0]*}"}")"
}

# finish: the end of a confirmed change. WHAT: keep, remove (all but the key), or purge; with +history the journal and the
# revisions stay.
finish_change() { # VERB RUN WHAT [HEAD...]
    holds_lock || end_lost
    if is_alive watching; then kill -9 "-$reply_pid" 2>/dev/null; fi
    place_confirmed_key
    remove_unused_secrets
    gone='do undo undo.log probe before after running boot.before lease outcome watching hold stay'
    kept=${3%+history} with=${3#"${3%+history}"}
    shift 3
    if [ "$kept" = keep ]; then
        keep_heads "$@"
    else
        pass_records
        gone="$gone boot recorded members referee watch resolv.before installed nft.loaded nft.loaded.new $(printf ' %s' psk.*)"
        if [ -n "$with" ]; then
            keep_members
            log "event=teardown"
        else
            gone="$gone revisions journal heads"
            log_to_system "event=teardown"
        fi
    fi
    [ "$kept" != purge ] || gone="$gone private_key"
    # shellcheck disable=SC2086 # names without blanks; the lock goes last: a host without it has nothing else left
    rm -rf $gone lock
    [ "$kept" = keep ] || { cd / && rmdir "$directory" "${directory%/*}" 2>/dev/null; }
    systemd_timer stop # last, for the same reason
    printf 'finished %s\n' "$run"
}

# Put a confirmed new key in its place, which destroys the old one; remove those that were not confirmed.
place_confirmed_key() {
    for script in boot.before boot; do
        [ ! -r "$script" ] || while IFS= read -r line; do
            case $line in
            '#: key '*) [ -s "private_key.${line#'#: key '}" ] && mv -f "private_key.${line#'#: key '}" private_key && sync_dir ;;
            '#'*) ;;
            *) break ;;
            esac
        done <"$script"
    done
    remove_existing private_key.?*
}

# Remove the preshared keys that neither the start-up script nor a peer uses.
remove_unused_secrets() {
    for file in psk.*; do
        [ -r "$file" ] || return 0
        break
    done
    live=$(wg show all preshared-keys 2>/dev/null)
    used=' '
    [ ! -r boot ] || while IFS= read -r line; do
        case $line in
        '#'*) ;;
        *preshared-key*)
            line=${line#*/psk.}
            used="$used psk.${line%% *} "
            ;;
        esac
    done <boot
    for file in psk.*; do
        [ -r "$file" ] || continue
        IFS= read -r secret <"$file" || continue
        case "$used $live" in *" $file "* | *"$secret"*) ;; *) rm -f "$file" ;; esac
    done
}

# All of it is parsed before any of it runs: this file may be written anew while it runs.
main() { # VERB RUN WORD...
    run=${2-none}
    case ${1-} in
    lock) lock_host "$3" "$4" "${5-}" ;;
    unlock) unlock_host ;;
    apply) apply_change "$3" "$4" "$5" ;;
    renew) renew_lease "$3" ;;
    hold) hold_change "$3" ;;
    confirm) confirm_change "${3-}" ;;
    revert) revert_change "$3" ;;
    take-back) [ ! -e reverting ] || roll_back "$3" ;;
    watch) watch_lease ;;
    finish) finish_change "$@" ;;
    *)
        echo "usage: sh referee lock|unlock|apply|renew|hold|confirm|revert|take-back|watch|finish RUN ..." >&2
        exit 64
        ;;
    esac
}

main "$@"; exit
