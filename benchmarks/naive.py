"""A fabric script as written in an evening: a connection a host, one command after the other, hosts side by side.

python naive.py HOSTS.json
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fabric import Connection

Node = dict[str, str]
KEY = "/etc/wireguard/key"
POSTROUTING = "POSTROUTING -s 10.99.0.0/16 -o lan0 -j MASQUERADE"


class Naive:
    """The job in three passes: interface and key, peers and routes, pings."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes
        self.hub = nodes[0]
        self.keys: dict[str, str] = {}
        self._connections = {n["name"]: Connection(n["ssh"], user="root") for n in nodes}

    def do(self, name: str, *commands: str) -> str:
        """Run commands on a host, one after the other, and return the output of the last one."""
        output = ""
        for command in commands:
            output = self._connections[name].run(command, hide=True).stdout.strip()
        return output

    def first(self, node: Node) -> str:
        """Set the interface up and return its public key."""
        return self.do(
            node["name"],
            f"umask 077; test -s {KEY} || wg genkey > {KEY}",
            "test -d /sys/class/net/wg0 || ip link add wg0 type wireguard 2>/dev/null || "
            "LOG_LEVEL=error wireguard-go wg0 >/dev/null 2>&1",
            f"wg set wg0 listen-port 51820 private-key {KEY}",
            f"ip address replace {node['address']}/16 dev wg0",
            "ip link set wg0 up mtu 1420",
            "echo 'net.ipv4.ip_forward = 1' > /etc/sysctl.d/99-wg.conf",
            "sysctl -w net.ipv4.ip_forward=1",
            "iptables -C FORWARD -i wg0 -j ACCEPT 2>/dev/null || iptables -A FORWARD -i wg0 -j ACCEPT",
            "iptables -C FORWARD -o wg0 -j ACCEPT 2>/dev/null || iptables -A FORWARD -o wg0 -j ACCEPT",
            f"iptables -t nat -C {POSTROUTING} 2>/dev/null || iptables -t nat -A {POSTROUTING}",
            "iptables-save > /etc/rules.v4",
            f"wg pubkey < {KEY}",
        )

    def second(self, node: Node) -> None:
        """Add peers and routes."""
        others = [n for n in self.nodes[1:] if n is not node]
        if node is self.hub:
            for n in others:
                peer = f"peer {self.keys[n['name']]} allowed-ips {n['address']}/32,{n['lan']}"
                self.do(node["name"], f"wg set wg0 {peer}")
        else:
            networks = ",".join(["10.99.0.0/16", *(n["lan"] for n in others)])
            endpoint = f"endpoint {self.hub['ssh']}:51820 persistent-keepalive 25"
            self.do(node["name"], f"wg set wg0 peer {self.keys[self.hub['name']]} allowed-ips {networks} {endpoint}")
        self.do(node["name"], "; ".join(f"ip route replace {n['lan']} dev wg0" for n in others) or "true")

    def third(self, node: Node) -> None:
        """Ping the relay and the LAN of the next spoke."""
        self.do(node["name"], f"ping -c 1 -W 3 {self.hub['address']}", f"ping -c 1 -W 3 {node['next_lan']}")


def main() -> int:
    """Do the job; a command that fails raises."""
    naive = Naive(json.loads(Path(sys.argv[1]).read_text())["nodes"])
    nodes, spokes = naive.nodes, naive.nodes[1:]
    with ThreadPoolExecutor(len(nodes)) as pool:
        naive.keys = dict(zip([n["name"] for n in nodes], pool.map(naive.first, nodes), strict=True))
        naive.second(naive.hub)
        list(pool.map(naive.second, spokes))
        list(pool.map(naive.third, spokes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
