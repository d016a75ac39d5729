# Several relays: nexthop objects that lead into the interface of the one that is used, and policy rules for detours.
# 119 is wgorch's protocol number.
: "${directory:?}"

# Print the interface that a nexthop object leads into.
nexthop_device() { # ID
    ip nexthop show id "$1" 2>/dev/null | sed -n 's/.* dev \([^ ]*\) .*/\1/p'
}

# Make a nexthop object unless it leads into one of the interfaces already.
set_nexthop() { # FAMILY ID INTERFACE...
    family=$1 id=$2
    shift 2
    device=$(nexthop_device "$id")
    for interface; do [ "$interface" != "$device" ] || return 0; done
    for interface; do ip "$family" nexthop replace id "$id" dev "$interface" proto 119 && return 0; done
    return 1
}

# Let what leads into an interface lead into another one, before it goes: its routes would go with it.
leave_interface() { # INTERFACE OTHER...
    leaving=$1
    shift
    for family in -4 -6; do
        ip "$family" nexthop show dev "$leaving" proto 119 2>/dev/null | while read -r _ id _; do
            for interface; do
                [ "$interface" = "$leaving" ] || ip "$family" nexthop replace id "$id" dev "$interface" proto 119 2>/dev/null && break
            done
        done
    done
    return 0
}

# Put a policy rule in the place of an equal one.
set_detour_rule() { # FAMILY WORD...
    delete_detour_rule "$@"
    version=$1
    shift
    ip "$version" rule add "$@"
}

# Delete the policy rule.
delete_detour_rule() { # FAMILY WORD...
    family=$1 tries=0
    shift
    while ip "$family" rule delete "$@" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 16 ] || return 1
    done
}

# Remove at a start what an earlier one left of several relays: other interfaces of the network, its rules and objects.
reset_failover() { # INTERFACE MARK TABLE
    first=$1 mark=$2 detours=$3
    for path in /sys/class/net/"$first"?*; do
        alias=
        [ ! -r "$path/ifalias" ] || IFS= read -r alias <"$path/ifalias"
        [ "$alias" != "$mark" ] || end_interface "${path##*/}"
    done
    for family in -4 -6; do
        ip "$family" rule show 2>/dev/null | while read -r priority rule; do
            case $rule in *" iif "*" lookup $detours proto 119") ;; *) continue ;; esac
            name=${rule##* iif }
            ip "$family" rule delete priority "${priority%:}" iif "${name%% *}" lookup "$detours" protocol 119
        done
        ip "$family" route flush table "$detours" proto 119 2>/dev/null
    done
    for id in "$detours" "$((detours + 10000))"; do ip nexthop delete id "$id" 2>/dev/null; done
    return 0
}

# Let the failover script that was written run from now on; systemd and OpenRC have begun it anew.
renew_failover() { # STARTER
    case $1 in
    runit) end_failover ;;
    cron)
        end_failover
        setsid /bin/sh "$directory/failover" lap </dev/null >/dev/null 2>&1 &
        ;;
    esac
}

# End the failover script, with all that it has begun.
end_failover() {
    ending=' '
    for process in /proc/[0-9]*; do
        case $({ tr '\0' ' ' <"$process/cmdline"; } 2>/dev/null) in "/bin/sh $directory/failover "*) ending="$ending${process#/proc/} " ;; esac
    done
    for process in /proc/[0-9]*; do
        { while read -r word value; do
            [ "$word" = PPid: ] || continue
            case $ending in *" $value "*) ending="$ending${process#/proc/} " ;; esac
            break
        done <"$process/status"; } 2>/dev/null
    done
    # shellcheck disable=SC2086 # process numbers
    [ "$ending" = ' ' ] || kill $ending 2>/dev/null
    rm -rf "/run/wgorch-${directory##*/}"
    return 0
}
