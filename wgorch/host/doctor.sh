# Settings of one host that can break its tunnel. It changes nothing. names: to be resolved there.
: "${nonce:?}" "${names?}"

# Begin a section of the answer.
section() { # NAME
    printf '\n%s %s\n' "$nonce" "$1"
}

section clock
date +%s
section managers
[ -r /etc/ufw/ufw.conf ] && grep -qi '^ENABLED=yes' /etc/ufw/ufw.conf && echo ufw
for place in /run/firewalld /run/dbus/firewalld; do [ -e "$place" ] && echo firewalld; done
pidof firewalld >/dev/null 2>&1 && echo firewalld
for name in dockerd NetworkManager systemd-networkd tailscaled netbird easytier-core zerotier-one; do
    pidof "$name" >/dev/null 2>&1 && printf '%s\n' "$name"
done
section legacy
command -v iptables-legacy-save >/dev/null 2>&1 && iptables-legacy-save 2>/dev/null | grep -c '^-A'
section nft-rules
command -v iptables-nft-save >/dev/null 2>&1 && iptables-nft-save 2>/dev/null | grep -c '^-A'
section names
for name in $names; do
    if getent hosts "$name" >/dev/null 2>&1; then printf '%s yes\n' "$name"; else printf '%s no\n' "$name"; fi
done
section end
