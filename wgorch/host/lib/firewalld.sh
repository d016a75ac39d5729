# firewalld. What is set at run time is gone after a reload; a new zone or policy exists only after one.

# Change firewalld's run-time state.
firewalld_set() { # WHERE WHAT
    output=$(firewall-cmd -q "$@" 2>&1) && return 0
    # At a start firewalld reads its permanent state by itself, and may come later than the boot script.
    [ -z "${starting-}" ] || return 0
    printf '%s\n' "$output"
    return 1
}

# The same, where the object may be absent and firewalld may be off.
firewalld_unset() { # WHERE WHAT
    output=$(firewall-cmd -q "$@" 2>&1)
    case $? in 0 | 17 | 112 | 140 | 252) return 0 ;; esac
    printf '%s\n' "$output"
    return 1
}

# Print firewalld's settings but wgorch's, one a line; COMMAND asks its run-time or its permanent state.
firewalld_state() {
    ask=$1 base=$2 interface=$3 with_interfaces=$4
    { "$ask" --list-all-zones; "$ask" --list-all-policies; } 2>/dev/null | awk -v p="$base" -v c="$interface" -v interfaces="$with_interfaces" '
        /^[^ \t]/ { n = $1; managed = index(n, p) == 1; next }
        !NF || managed { next }
        $1 == "rule" { sub(/^[ \t]+/, ""); print n, $0; next }
        $1 == "interfaces:" && interfaces == "no" { next }
        { k = $1; for (i = 2; i <= NF; i++) if (!(k == "interfaces:" && $i == c)) print n, k, $i }' | sort
    for word in chains rules passthroughs; do "$ask" --direct --get-all-$word 2>/dev/null | sed "s/^/direct $word /"; done | sort
    for set in $("$ask" --get-ipsets 2>/dev/null); do
        "$ask" --info-ipset="$set" | sed "s/ (.*//;s/[[:blank:]]*\$//;s/^/ipset $set /"
    done
}

# Print the lines of one text that another lacks, in one line.
lines_without() {
    lines=$1 without=$2
    printf '%s\n' "$lines" | while IFS= read -r line; do
        case "
$without
" in *"
$line
"*) ;; *) printf '%s; ' "$line" ;; esac
    done
}

# Refuse a reload of firewalld that would lose or bring up what others set, or flush iptables rules of others.
may_reload() {
    base=$1 interface=$2 with_interfaces=yes
    # NetworkManager sets the zones of its interfaces again by itself.
    for comm in /proc/[0-9]*/comm; do
        { read -r name <"$comm"; } 2>/dev/null && [ "$name" = NetworkManager ] && with_interfaces=no
    done
    running=$(firewalld_state firewall-cmd "$base" "$interface" "$with_interfaces")
    permanent=$(firewalld_state firewall-offline-cmd "$base" "$interface" "$with_interfaces")
    lost=$(lines_without "$running" "$permanent")
    if [ -n "$lost" ]; then
        echo "firewalld must be reloaded, and that would lose what is set but not permanent: ${lost%; } (keep it: firewall-cmd --runtime-to-permanent)"
        return 1
    fi
    brought=$(lines_without "$permanent" "$running")
    if [ -n "$brought" ]; then
        echo "firewalld must be reloaded, and that would bring what is permanent but not in use yet: ${brought%; } (firewall-cmd --reload, when it suits you)"
        return 1
    fi
    # Up to version 1.3 a reload flushes iptables too. Docker restores its own rules.
    foreign=$({ iptables-save; ip6tables-save; } 2>/dev/null | grep '^-A' | grep -v -e '"*wgorch:' \
        -e '-j DOCKER' -e '^-A DOCKER ' -e '^-A DOCKER-[B-TV-Z]' -e '^-A DOCKER-USER -j RETURN$' -e ' docker0 ' \
        -e ' br-[0-9a-f]\{12\} ' -e '^-A POSTROUTING -s [0-9./]* ! -o \(docker0\|br-[0-9a-f]\{12\}\) -j MASQUERADE$' | head -n 3)
    if [ -n "$foreign" ]; then
        echo "firewalld must be reloaded, and that may flush iptables rules of others: $(printf '%s' "$foreign" | tr '\n' ';') (move them into firewalld)"
        return 1
    fi
}

# Reload firewalld, if its configuration is valid.
reload_firewalld() {
    firewall-cmd -q --check-config && firewall-cmd -q --reload
}
