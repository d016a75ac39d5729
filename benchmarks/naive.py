"""A fabric script as one writes it on an evening: a connection a host, one command after the other, hosts side by side.

python naive.py HOSTS.json
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor

from fabric import Connection


def main() -> int:
    told = json.load(open(sys.argv[1]))
    nodes = told["nodes"]
    hub = nodes[0]
    connections = {n["name"]: Connection(n["ssh"], user="root") for n in nodes}

    def do(name: str, *commands: str) -> str:
        said = ""
        for command in commands:
            said = connections[name].run(command, hide=True).stdout.strip()
        return said

    def first(node: dict[str, str]) -> str:
        key = "/etc/wireguard/key"
        return do(
            node["name"],
            f"umask 077; test -s {key} || wg genkey > {key}",
            "test -d /sys/class/net/wg0 || ip link add wg0 type wireguard 2>/dev/null || LOG_LEVEL=error wireguard-go wg0 >/dev/null 2>&1",
            f"wg set wg0 listen-port 51820 private-key {key}",
            f"ip address replace {node['address']}/16 dev wg0",
            "ip link set wg0 up mtu 1420",
            "echo 'net.ipv4.ip_forward = 1' > /etc/sysctl.d/99-wg.conf",
            "sysctl -w net.ipv4.ip_forward=1",
            "iptables -C FORWARD -i wg0 -j ACCEPT 2>/dev/null || iptables -A FORWARD -i wg0 -j ACCEPT",
            "iptables -C FORWARD -o wg0 -j ACCEPT 2>/dev/null || iptables -A FORWARD -o wg0 -j ACCEPT",
            "iptables -t nat -C POSTROUTING -s 10.99.0.0/16 -o lan0 -j MASQUERADE 2>/dev/null || iptables -t nat -A POSTROUTING -s 10.99.0.0/16 -o lan0 -j MASQUERADE",
            "iptables-save > /etc/rules.v4",
            f"wg pubkey < {key}",
        )

    def second(node: dict[str, str]) -> None:
        others = [n for n in nodes[1:] if n is not node]
        if node is hub:
            for n in others:
                do(hub["name"], f"wg set wg0 peer {keys[n['name']]} allowed-ips {n['address']}/32,{n['lan']}")
        else:
            lans = "".join(f",{n['lan']}" for n in others)
            do(
                node["name"],
                f"wg set wg0 peer {keys[hub['name']]} allowed-ips 10.99.0.0/16{lans} endpoint {hub['ssh']}:51820 persistent-keepalive 25",
            )
        do(node["name"], "; ".join(f"ip route replace {n['lan']} dev wg0" for n in others) or "true")

    def third(node: dict[str, str]) -> None:
        do(node["name"], f"ping -c 1 -W 3 {hub['address']}", f"ping -c 1 -W 3 {node['next_lan']}")

    with ThreadPoolExecutor(len(nodes)) as pool:
        keys = dict(zip([n["name"] for n in nodes], pool.map(first, nodes), strict=True))
        second(hub)
        list(pool.map(second, nodes[1:]))
        list(pool.map(third, nodes[1:]))
    return 0


sys.exit(main())
