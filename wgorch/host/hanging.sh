# End what a reading waits for when its time is over: the innermost processes below its shell, as often as it takes. The
# reading goes on and says which tool failed. It needs no controller.
: "${reader=}" "${reading_s:?}" # the former of the reading's own shell

sleep "$reading_s" &
timer=$!
trap 'kill "$timer" 2>/dev/null; exit' TERM
wait "$timer"
read -r own _ </proc/self/stat
rounds=0
while [ -d "/proc/$reader" ] && [ "$rounds" -lt 60 ]; do
    rounds=$((rounds + 1)) level=" $reader " innermost=
    while [ -n "$level" ]; do
        next=
        for stat in /proc/[0-9]*/stat; do
            { read -r line <"$stat"; } 2>/dev/null || continue
            # The name, in brackets, may have any character.
            # shellcheck disable=SC2086 # words
            set -- "${line%% *}" ${line##*) }
            case $level in *" $3 "*) [ "$1" = "$own" ] || next="$next $1" ;; esac
        done
        innermost=${next:-$innermost} level=${next:+$next }
    done
    # shellcheck disable=SC2086 # numbers
    [ -z "$innermost" ] || kill -9 $innermost 2>/dev/null
    sleep 1
done
