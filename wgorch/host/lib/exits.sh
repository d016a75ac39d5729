# Policy rules: what leaves through another host asks wgorch's own routing table. 119 is wgorch's protocol number.

# Put a policy rule in the place of wgorch's own of that priority.
set_policy_rule() { # FAMILY PRIORITY WORD...
    delete_policy_rule "$1" "$2"
    family=$1 priority=$2
    shift 2
    ip "$family" rule add priority "$priority" "$@"
}

# Let wgorch's other interfaces forget the source address of their packets: wireguard-go keeps it when a rule gives them
# another route, and the exit node accepts none but the tunnel's own.
renew_endpoints() { # INTERFACE
    wg show all endpoints 2>/dev/null | while read -r other peer endpoint; do
        alias=
        [ ! -r "/sys/class/net/$other/ifalias" ] || IFS= read -r alias <"/sys/class/net/$other/ifalias"
        case $other/$alias/$endpoint in "$1"/* | *'(none)') ;; */wgorch:*) wg set "$other" peer "$peer" endpoint "$endpoint" ;; esac
    done
}

# Delete wgorch's own policy rules of a priority.
delete_policy_rule() { # FAMILY PRIORITY
    tries=0
    while ip "$1" rule delete priority "$2" protocol 119 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 16 ] || return 1
    done
}
