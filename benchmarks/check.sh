#!/bin/sh
# What a host has of the job, one line each.
ip -o -4 address show dev wg0 2>/dev/null
for key in /etc/wireguard/key /var/lib/wgorch/bench/private_key; do
    [ -s "$key" ] && stat -c 'key %a' "$key"
done
wg show wg0 peers 2>/dev/null | sed 's/^/peer /'
ip route show dev wg0 2>/dev/null | sed 's/^/route /'
[ "$(cat /proc/sys/net/ipv4/conf/wg0/forwarding)" = 1 ] && echo forward 1
iptables-save | grep -q -e '-o wg0 .*ACCEPT' && echo rule forward
iptables-save | grep -q MASQUERADE && echo rule masquerade
