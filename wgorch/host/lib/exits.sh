# Policy rules: what leaves through another host asks wgorch's own routing table. 119 is wgorch's protocol number.

# Put a policy rule in the place of wgorch's own of that priority.
set_policy_rule() { # FAMILY PRIORITY WORD...
    delete_policy_rule "$1" "$2"
    family=$1 priority=$2
    shift 2
    ip "$family" rule add priority "$priority" "$@"
}

# Delete wgorch's own policy rules of a priority.
delete_policy_rule() { # FAMILY PRIORITY
    tries=0
    while ip "$1" rule delete priority "$2" protocol 119 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 16 ] || return 1
    done
}
