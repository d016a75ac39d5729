# Wait until every one of some peers has had a handshake, or patience (seconds) is over; print "met KEY" for those that had.
: "${interface:?}" "${keys:?}" "${patience:?}"

tries=0
while [ "$tries" -lt "$patience" ]; do
    waiting=
    for key in $keys; do
        latest=$(wg show "$interface" latest-handshakes | while read -r peer moment; do [ "$peer" = "$key" ] && echo "$moment"; done)
        [ "${latest:-0}" -gt 0 ] || waiting=yes
    done
    [ -n "$waiting" ] || break
    sleep 1
    tries=$((tries + 1))
done
wg show "$interface" latest-handshakes | while read -r peer moment; do [ "$moment" -eq 0 ] || printf 'met %s\n' "$peer"; done
