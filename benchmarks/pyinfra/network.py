"""Second pass: interface, forwarding, peers, routes, pings."""

import json
from pathlib import Path

from pyinfra import host
from pyinfra.operations import iptables, server

job = json.loads(Path("hosts.json").read_text())
nodes = job["nodes"]
hub = nodes[0]
me = next(n for n in nodes if n["ssh"] == host.name)
keys = {n["name"]: Path(f"keys/{n['ssh']}").read_text().strip() for n in nodes}
others = [n for n in nodes[1:] if n is not me]
server.shell(
    commands=[
        "test -d /sys/class/net/wg0 || ip link add wg0 type wireguard 2>/dev/null || LOG_LEVEL=error wireguard-go wg0 >/dev/null 2>&1",
        f"wg set wg0 listen-port 51820 private-key /etc/wireguard/key; ip address replace {me['address']}/16 dev wg0; ip link set wg0 up mtu 1420",
    ]
)
server.sysctl(key="net.ipv4.ip_forward", value=1, persist=True, persist_file="/etc/sysctl.d/99-wg.conf")
iptables.rule(chain="FORWARD", jump="ACCEPT", in_interface="wg0")
iptables.rule(chain="FORWARD", jump="ACCEPT", out_interface="wg0")
iptables.rule(chain="POSTROUTING", jump="MASQUERADE", table="nat", source="10.99.0.0/16", out_interface="lan0")
routes = "; ".join(f"ip route replace {n['lan']} dev wg0" for n in others) or "true"
# The relay first: a spoke's first handshake to a relay without its key costs 5 s.
if me is hub:
    peers = [f"wg set wg0 peer {keys[n['name']]} allowed-ips {n['address']}/32,{n['lan']}" for n in others]
    server.shell(commands=["iptables-save > /etc/rules.v4", "; ".join(peers), routes])
if me is not hub:
    lans = "".join(f",{n['lan']}" for n in others)
    peer = f"wg set wg0 peer {keys['h0']} allowed-ips 10.99.0.0/16{lans} endpoint {hub['ssh']}:51820 persistent-keepalive 25"
    server.shell(commands=["iptables-save > /etc/rules.v4", peer, routes])
if me is not hub:
    server.shell(commands=[f"ping -c 1 -W 3 {hub['address']}", f"ping -c 1 -W 3 {me['next_lan']}"])
