#!/bin/sh
# floor.sh ADDRESS LAN PING1 PING2: the whole job on one host. It prints its public key, reads its peers and routes up to
# END, prints READY, waits for a line, and prints how many of its pings were answered.
set -e
umask 077
address=$1 ping1=$3 ping2=$4
key=/etc/wireguard/key
[ -s $key ] || wg genkey >$key
echo "PUB $(wg pubkey <$key)"
[ -d /sys/class/net/wg0 ] || ip link add wg0 type wireguard 2>/dev/null || {
    LOG_LEVEL=error wireguard-go wg0 >/dev/null 2>&1
    i=0
    until wg show wg0 public-key >/dev/null 2>&1 || [ $i -gt 50 ]; do
        i=$((i + 1))
        sleep 0.02
    done
}
wg set wg0 listen-port 51820 private-key $key
printf 'address replace %s/16 dev wg0\nlink set wg0 up mtu 1420\n' "$address" | ip -batch -
for device in wg0 lan0; do
    [ ! -e "/proc/sys/net/ipv4/conf/$device" ] || echo 1 >"/proc/sys/net/ipv4/conf/$device/forwarding"
done
echo 'net.ipv4.ip_forward = 1' >/etc/sysctl.d/99-wg.conf
case $(iptables-save) in
*"-o wg0 "*) ;;
*)
    iptables-restore --noflush <<END
*filter
-A FORWARD -i wg0 -j ACCEPT
-A FORWARD -o wg0 -j ACCEPT
COMMIT
*nat
-A POSTROUTING -s 10.99.0.0/16 -o lan0 -j MASQUERADE
COMMIT
END
    iptables-save >/etc/rules.v4
    ;;
esac
# shellcheck disable=SC2086 # the words of a peer's line are arguments
while read -r line; do
    case $line in
    END) break ;;
    'peer '*) wg set wg0 $line ;;
    'route '*) echo "route replace ${line#route } dev wg0" ;;
    esac
done >/run/routes
ip -batch /run/routes
echo READY
read -r _
n=0
[ -z "$ping1" ] || {
    ping -n -c 1 -W 3 "$ping1" >/dev/null && n=$((n + 1))
    ping -n -c 1 -W 3 "$ping2" >/dev/null && n=$((n + 1))
}
echo "DONE $n"
