# firewalld. What is set while it runs is gone after its reload; what makes a zone or a policy known is one.
firewalld_set() { # WHERE WHAT
    said=$(firewall-cmd -q "$@" 2>&1) && return 0
    # At a start it reads what it keeps by itself, and may come later than we.
    [ -z "${starting-}" ] || return 0
    printf '%s\n' "$said"
    return 1
}
firewalld_unset() { # WHERE WHAT: also where it does not know of it, or is not there
    said=$(firewall-cmd -q "$@" 2>&1)
    case $? in 0 | 17 | 112 | 140 | 252) return 0 ;; esac
    printf '%s\n' "$said"
    return 1
}
firewalld_state() { # COMMAND BASE CARD CARDS: all of it but ours; CARDS: no where the cards' zones do not count
    { "$1" --list-all-zones; "$1" --list-all-policies; } 2>/dev/null | awk -v p="$2" -v c="$3" -v cards="$4" '
        /^[^ \t]/ { n = $1; ours = index(n, p) == 1; next }
        !NF || ours { next }
        $1 == "rule" { sub(/^[ \t]+/, ""); print n, $0; next }
        $1 == "interfaces:" && cards == "no" { next }
        { k = $1; for (i = 2; i <= NF; i++) if (!(k == "interfaces:" && $i == c)) print n, k, $i }' | sort
    for word in chains rules passthroughs; do "$1" --direct --get-all-$word 2>/dev/null | sed "s/^/direct $word /"; done | sort
    for set in $("$1" --get-ipsets 2>/dev/null); do
        "$1" --info-ipset="$set" | sed "s/ (.*//;s/[[:blank:]]*\$//;s/^/ipset $set /"
    done
}
may_reload() { # BASE CARD: it would lose nothing of others
    # NetworkManager tells it the cards' zones again by itself.
    cards=yes
    for comm in /proc/[0-9]*/comm; do
        { read -r name <"$comm"; } 2>/dev/null && [ "$name" = NetworkManager ] && cards=no
    done
    running=$(firewalld_state firewall-cmd "$1" "$2" "$cards") kept=$(firewalld_state firewall-offline-cmd "$1" "$2" "$cards")
    only=$(printf '%s\n' "$running" | while IFS= read -r line; do
        case "
$kept
" in *"
$line
"*) ;; *) printf '%s; ' "$line" ;; esac
    done)
    waiting=$(printf '%s\n' "$kept" | while IFS= read -r line; do
        case "
$running
" in *"
$line
"*) ;; *) printf '%s; ' "$line" ;; esac
    done)
    if [ -n "$only" ]; then
        echo "firewalld must be reloaded, and that would lose what is set but not kept: ${only%; } (keep it: firewall-cmd --runtime-to-permanent)"
        return 1
    fi
    if [ -n "$waiting" ]; then
        echo "firewalld must be reloaded, and that would bring what is kept but not in use yet: ${waiting%; } (firewall-cmd --reload, when it suits you)"
        return 1
    fi
    # Up to version 1.3 a reload flushes iptables too. Docker puts its own rules back.
    others=$({ iptables-save; ip6tables-save; } 2>/dev/null | grep '^-A' | grep -v -e '"*wgorch:' \
        -e '-j DOCKER' -e '^-A DOCKER ' -e '^-A DOCKER-[B-TV-Z]' -e '^-A DOCKER-USER -j RETURN$' -e ' docker0 ' \
        -e ' br-[0-9a-f]\{12\} ' -e '^-A POSTROUTING -s [0-9./]* ! -o \(docker0\|br-[0-9a-f]\{12\}\) -j MASQUERADE$' | head -n 3)
    if [ -n "$others" ]; then
        echo "firewalld must be reloaded, and that may flush rules of iptables that others made: $(printf '%s' "$others" | tr '\n' ';') (move them into firewalld)"
        return 1
    fi
}
reload_firewalld() { firewall-cmd -q --check-config && firewall-cmd -q --reload; }
