# Settings of one host that can break its tunnel. It changes nothing. names: to be resolved there.
: "${nonce:?}" "${names?}"

# Begin a section of the answer.
section() { # NAME
    printf '\n%s %s\n' "$nonce" "$1"
}

# Note what a missing or failing tool leaves open.
leave_open() { # WHAT
    unknown="$unknown$1;"
}

# Print the number of rules that a tool shows.
count_rules() { # TOOL
    command -v "$1" >/dev/null 2>&1 || return
    if rules=$("$1" 2>/dev/null); then
        printf '%s\n' "$rules" | grep -c '^-A'
    else
        leave_open "rules of ${1%-save} ($1 failed)"
    fi
}

# Print whether a name resolves. Of the exit codes of getent, 2 alone says that there is none.
resolve() { # NAME
    if command -v getent >/dev/null 2>&1; then
        getent hosts "$1" >/dev/null 2>&1
        case $? in
        0) printf '%s yes\n' "$1" ;;
        2) printf '%s no\n' "$1" ;;
        *) leave_open "whether $1 resolves (getent failed)" ;;
        esac
    elif nslookup "$1" >/dev/null 2>&1; then
        printf '%s yes\n' "$1"
    else
        leave_open "whether $1 resolves (getent is not installed)"
    fi
}

unknown=
section clock
date +%s
section managers
[ -r /etc/ufw/ufw.conf ] && grep -qi '^ENABLED=yes' /etc/ufw/ufw.conf && echo ufw
for place in /run/firewalld /run/dbus/firewalld; do [ -e "$place" ] && echo firewalld; done
command -v pidof >/dev/null 2>&1 || leave_open 'which network managers run (pidof is not installed)'
pidof firewalld >/dev/null 2>&1 && echo firewalld
for name in dockerd NetworkManager systemd-networkd tailscaled netbird easytier-core zerotier-one; do
    pidof "$name" >/dev/null 2>&1 && printf '%s\n' "$name"
done
section legacy
count_rules iptables-legacy-save
section nft-rules
count_rules iptables-nft-save
section names
for name in $names; do resolve "$name"; done
section unknown
printf '%s\n' "$unknown"
section end
