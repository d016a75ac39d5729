# Values below /proc/sys. They can carry no mark, so what was there before is recorded: "sysctl PATH BEFORE SET".
: "${reply_before=}" # of read_record

# Read a sysctl into reply_sysctl; empty if it cannot be read.
read_sysctl() { # PATH
    reply_sysctl=
    # read's status says nothing here: dash reads byte by byte, and such a file ends after its first read.
    [ ! -r "/proc/sys/$1" ] || read -r reply_sysctl <"/proc/sys/$1" || :
}

# Set sysctls and record what was there; after -- those of wgorch's own interface, which need no record.
set_value() { # PATH VALUE... [-- PATH VALUE...]
    values='' unrecorded='' restored=''
    while [ $# -ge 2 ] && [ "$1" != -- ]; do
        read_sysctl "$1"
        if [ -z "$reply_sysctl" ]; then
            echo "cannot read /proc/sys/$1"
            # At a start its device may be unplugged; the tunnel does not wait for it.
            [ -n "${starting-}" ] || return 1
            shift 2
            continue
        fi
        read_record sysctl "$1"
        if [ "$reply_before" = "$2" ]; then
            # What another network needs stays, and so does the record, for that one.
            if is_needed "$1" "$reply_sysctl"; then
                shift 2
                continue
            fi
            restored="$restored $1"
        elif [ "$reply_sysctl" != "$2" ]; then
            unrecorded="$unrecorded $1 ${reply_before:-$reply_sysctl} $2"
        fi
        [ "$reply_sysctl" = "$2" ] || values="$values $1 $2"
        shift 2
    done
    [ "${1-}" != -- ] || shift
    # shellcheck disable=SC2086 # paths and numbers, without blanks or patterns
    [ -z "$unrecorded" ] || record_sysctls $unrecorded || return 1
    # shellcheck disable=SC2086
    set -- $values "$@"
    while [ $# -ge 2 ]; do
        # In a container it may be right already, and read-only.
        read_sysctl "$1"
        [ "$reply_sysctl" = "$2" ] || write_sysctl "$1" "$2" || return 1
        shift 2
    done
    for path in $restored; do drop_record sysctl "$path" || return 1; done
}

# Write a sysctl.
write_sysctl() { # PATH VALUE
    if [ "$1" = net/ipv6/conf/all/forwarding ]; then
        forward_ipv6 "$2"
    else
        printf '%s\n' "$2" >"/proc/sys/$1"
    fi
}

# Set IPv6 forwarding (one switch before Linux 6.17) and keep each device's own forwarding and accept_ra.
forward_ipv6() { # VALUE
    # The switch sets every device's forwarding, and forgets router announcements where accept_ra is 1. What each had is on
    # the disk first (cards6): a run that was cut is completed by the next one.
    [ -s cards6 ] || write_atomic cards6 "$(for device in /proc/sys/net/ipv6/conf/*; do
        [ "${device##*/}" = all ] && continue
        read -r forwarding <"$device/forwarding" || :
        read -r accept_ra <"$device/accept_ra" || :
        printf '%s %s %s\n' "${device##*/}" "$forwarding" "$accept_ra"
    done)" || return 1
    while read -r device forwarding accept_ra; do
        [ "$accept_ra" != 1 ] || echo 2 >"/proc/sys/net/ipv6/conf/$device/accept_ra" 2>/dev/null
    done <cards6
    echo "$1" >/proc/sys/net/ipv6/conf/all/forwarding || return 1
    while read -r device forwarding accept_ra; do
        echo "$forwarding" >"/proc/sys/net/ipv6/conf/$device/forwarding" 2>/dev/null
        echo "$accept_ra" >"/proc/sys/net/ipv6/conf/$device/accept_ra" 2>/dev/null
    done <cards6
    rm -f cards6
}
