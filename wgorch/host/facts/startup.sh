# What starts the boot script; and the digests of all of wgorch's files, in one process.
: "${network:?}" "${directory:?}"

ask_digests() {
    unit=/etc/systemd/system/wgorch-$network.service
    cron=/etc/cron.d/wgorch-$network
    openrc=/etc/init.d/wgorch-$network
    runit=/etc/sv/wgorch-$network/run
    set --
    for file in "$directory/boot" "$directory"/psk.* "$unit" "$cron" "$openrc" "$runit"; do
        can_read "$file" && set -- "$@" "$file"
    done
    timer=/etc/systemd/system/timers.target.wants/wgorch-$network-watch.timer
    if [ -r "$directory/watch" ] && { [ -r "$cron" ] || [ -r "$runit" ] || [ -L "$timer" ]; }; then
        set -- "$@" "$directory/watch"
    elif [ -e "$directory/watch" ] || [ -e "${unit%.service}-watch.timer" ]; then
        # A watch that was half removed equals no desired one.
        printf 'watch %s\n' 0000000000000000000000000000000000000000000000000000000000000000
    fi
    chooser=/etc/systemd/system/multi-user.target.wants/wgorch-$network-failover.service
    failover=
    for file in "$chooser" "/etc/runlevels/default/wgorch-$network-failover" "/etc/sv/wgorch-$network-failover/run" "$cron-failover"; do
        [ ! -e "$file" ] && [ ! -L "$file" ] || failover=$file
    done
    if [ -r "$directory/failover" ] && [ -n "$failover" ]; then
        set -- "$@" "$directory/failover"
    elif [ -e "$directory/failover" ] || [ -n "$failover" ]; then
        printf 'failover %s\n' 0000000000000000000000000000000000000000000000000000000000000000
    fi
    sums=
    [ $# -eq 0 ] || sums=$(sha256sum "$@" 2>/dev/null)
    # A file may go meanwhile.
    [ $# -eq 0 ] || [ -n "$sums" ] || unread 1 "sha256sum $1"
    while read -r sum file; do
        case $file in
        "$unit") printf 'unit systemd %s\n' "$sum" ;;
        "$openrc") printf 'unit openrc %s\n' "$sum" ;;
        "$runit") printf 'unit runit %s\n' "$sum" ;;
        "$cron") printf 'unit cron %s\n' "$sum" ;;
        */psk.*) printf 'secret %s %s\n' "${file##*/}" "$sum" ;;
        */watch) printf 'watch %s\n' "$sum" ;;
        */failover) printf 'failover %s\n' "$sum" ;;
        "$directory/boot") printf 'digest %s\n' "$sum" ;;
        esac
    done <<SUMS
$sums
SUMS
}

ask_enabled() {
    [ -r "/etc/cron.d/wgorch-$network" ] && echo 'enabled cron'
    [ -L "/etc/systemd/system/multi-user.target.wants/wgorch-$network.service" ] && echo 'enabled systemd'
    [ -L "/etc/runlevels/default/wgorch-$network" ] && echo 'enabled openrc'
    for place in /var/service /etc/service /service; do
        [ -L "$place/wgorch-$network" ] && echo 'enabled runit' && break
    done
}
