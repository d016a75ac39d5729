# Ends the ssh processes of a controller that has died, and removes its files: a process with a terminal would live on.
#
# $1: a FIFO that the controller has open. A line +PID: that one has begun; -PID: it has ended. Prints an empty line once
# it listens.

exec <"$1"
echo
exec >/dev/null
live=' '
while read -r word; do
    case $word in
    +*) live="$live${word#+} " ;;
    -*)
        gone=${word#-}
        case $live in *" $gone "*) live="${live%% "$gone" *} ${live#* "$gone" }" ;; esac
        ;;
    esac
done
for pid in $live; do
    kill "$pid" 2>/dev/null
done
case $1 in
*/wgorch-*/reaper) rm -rf "${1%/reaper}" ;;
esac
