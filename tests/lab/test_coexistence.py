"""Other tunnels and bridges on a host are left as they are, and what overlaps with them is named."""

from __future__ import annotations

import time

from tests.lab.conftest import HOSTS, INVENTORY, Lab
from wgorch.rehearsal.snapshot import KEYS_STAY, snapshot

OTHERS = """
ip link add docker0 type bridge && ip address add 172.17.0.1/16 dev docker0 && ip link set docker0 up
ip tuntap add tailscale0 mode tun && ip address add 100.64.0.5/32 dev tailscale0 && ip link set tailscale0 up
ip route add 100.64.0.0/10 dev tailscale0 table 52
ip rule add priority 5210 fwmark 0x80000/0xff0000 lookup main
ip rule add priority 5270 lookup 52
LOG_LEVEL=error setsid wireguard-go wg1 </dev/null >/dev/null 2>&1
tries=0; until wg show wg1 >/dev/null 2>&1 || [ $tries -gt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
umask 077; wg genkey >/run/wg1 && wg set wg1 listen-port 51999 private-key /run/wg1 fwmark 0x77
wg set wg1 peer $(wg genkey | wg pubkey) allowed-ips 10.77.0.2/32 endpoint 192.0.2.200:51820
ip address add 10.77.0.1/24 dev wg1 && ip link set wg1 up
iptables -N DOCKER-USER; iptables -I FORWARD -j DOCKER-USER; iptables -A DOCKER-USER -j RETURN
iptables -A FORWARD -i docker0 ! -o docker0 -j ACCEPT; iptables -A FORWARD -d 172.17.0.0/16 -o docker0 -j DROP
iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
"""
GONE = """
ip link del docker0; ip link del tailscale0; ip link del wg1; ip rule del priority 5210; ip rule del priority 5270
rm -f /run/wg1; nft flush ruleset; sleep 0.3
"""


def test_what_others_made_stays_as_it_is(lab: Lab) -> None:
    world = lab.world
    try:
        for host in HOSTS:
            world.sh(host, OTHERS)
        before = {host: snapshot(world, host) for host in HOSTS}
        wg1 = {
            host: world.sh(host, "wg showconf wg1; wg show wg1 fwmark; ip rule; ip route show table 52")
            for host in HOSTS
        }
        lab.up()
        assert world.ping("home", "10.10.13.61")
        assert world.ask("home", "tcp", "10.10.13.61").endswith("said hello")
        for host in HOSTS:
            now = world.sh(host, "wg showconf wg1; wg show wg1 fwmark; ip rule; ip route show table 52")
            assert now == wg1[host]
        lab.wgorch("teardown", INVENTORY, "--yes")
        time.sleep(2)  # what read the hosts may still run for a moment
        left = {host: before[host].difference(snapshot(world, host), ignore=KEYS_STAY) for host in HOSTS}
        assert not any(left.values()), left

        for subnet, owner in (("172.17.0.0/24", "Docker"), ("100.64.0.0/24", "Tailscale"), ("10.77.0.0/24", "wg1")):
            text = INVENTORY.read_text().replace("192.168.2.0/24", subnet)
            inventory = lab.inventory("\n".join(line for line in text.split("\n") if "    address:" not in line))
            refused = lab.wgorch("plan", inventory, code=4)
            assert owner in refused.stderr, refused.stderr
            assert f"which overlaps {subnet}" in refused.stderr
    finally:
        for host in HOSTS:
            world.sh(host, GONE, check=False)
