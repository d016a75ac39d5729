#!/bin/sh
# probe.sh ADDRESS LAN PING1 PING2: look at a host on which the job is done, change nothing, and ping.
wg show wg0 public-key
wg show wg0 allowed-ips
ip -o addr show
ip route show
iptables-save
cat /proc/sys/net/ipv4/conf/*/forwarding
ls -l /etc/wireguard
n=0
[ -z "$3" ] || {
    ping -n -c 1 -W 3 "$3" >/dev/null && n=$((n + 1))
    ping -n -c 1 -W 3 "$4" >/dev/null && n=$((n + 1))
}
echo "DONE $n"
