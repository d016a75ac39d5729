"""WireGuard networks as people make them, drawn by a seed: by wg-quick, by hand, with devices, routers, names, extras."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tests.lab.conftest import Lab

PLACES = {"bcc": "root@203.0.113.13", "home": "root@192.168.0.9", "company": "root@10.10.13.62"}
LANS = {"home": "192.168.0.0/24", "company": "10.10.13.0/24"}
INTERFACES = {"home": "wlp2s0", "company": "ens192"}
BY_DEVICE = "192.168.178.0/24"
"""The LAN of a router that SSH does not reach."""

INEXPRESSIBLE = (
    "blocked peer",
    "single addresses",
    "second address",
    "everything allowed",
    "route with attributes",
    "firewall mark",
)
"""Extras that no inventory can say: such a network is refused, and the object named."""
EXTRAS = (
    "phone",
    "router",
    "name servers",
    "endpoint by name",
    "daemon's route",
    "rule of its own",
    "preshared key",
    "single spokes",
)


@dataclass
class LiveNetwork:
    """One network: the commands that make it on each host, and what it has."""

    interface: str
    subnets: list[str]
    hosts: list[str]
    quick: bool
    extras: set[str]
    conf: dict[str, str] = field(default_factory=dict)
    after: dict[str, list[str]] = field(default_factory=dict)
    """Commands of a person after the interface is up, by host."""

    @property
    def expressible(self) -> bool:
        return not self.extras & set(INEXPRESSIBLE)

    def up(self, lab: Lab) -> None:
        """Bring it up on every host."""
        for host in self.hosts:
            lab.world.write(host, f"/etc/wireguard/{self.interface}.conf", self.conf[host], "600")
            if self.quick:
                lab.world.sh(host, f"wg-quick up {self.interface}")
            else:
                lab.world.sh(host, by_hand(self.interface, self.conf[host]))
            for command in self.after.get(host, []):
                lab.world.sh(host, command)

    def down(self, lab: Lab) -> None:
        """Take it down by what made it, and its files."""
        for host in self.hosts:
            there = lab.world.run(host, "ip", "link", "show", self.interface, check=False).returncode == 0
            down = f"wg-quick down {self.interface}" if self.quick and there else f"ip link delete {self.interface}"
            lab.world.sh(host, down, check=False)
            lab.world.sh(
                host, f"rm -f /etc/wireguard/{self.interface}.conf; ip rule delete fwmark 51 2>/dev/null", check=False
            )


def by_hand(interface: str, conf: str) -> str:
    """sh that does what wg-quick would, but that its routes are of another kind and nothing of it is run at a start."""
    lines = [line.partition(" = ") for line in conf.split("\n")]
    own = [value for name, _, value in lines if name == "Address"]
    mtu = next((value for name, _, value in lines if name == "MTU"), "1420")
    nets = [n for name, _, value in lines if name == "AllowedIPs" for n in value.split(", ") if n]
    single = any(each.endswith(("/32", "/128")) for each in own)
    routes = [
        n
        for n in nets
        if single
        or n.rpartition("/")[2] not in ("0", "24", "64")
        or n.startswith(("10.10", "192.168.0", "192.168.178"))
    ]
    script = [
        f"ip link add {interface} type wireguard 2>/dev/null || wireguard-go {interface} >/dev/null 2>&1",
        f"grep -v -e ^Address -e ^MTU -e ^DNS -e ^Post -e ^Table /etc/wireguard/{interface}.conf >/run/stripped.conf",
        f"wg setconf {interface} /run/stripped.conf; rm /run/stripped.conf",
        *(f"ip address add {each} dev {interface}" for value in own for each in value.split(", ")),
        f"ip link set {interface} mtu {mtu} up",
        *(f"ip route replace {net} dev {interface} 2>/dev/null || :" for net in routes),
        *(value.replace("%i", interface) for name, _, value in lines if name == "PostUp"),
    ]
    return "\n".join(script)


def drawn(seed: int, lab: Lab) -> LiveNetwork:
    """The network of a seed."""
    rng = random.Random(f"live network {seed}")
    hosts = rng.choice([["bcc", "home"], ["bcc", "company"], ["bcc", "home", "company"], ["bcc", "home", "company"]])
    four = rng.choice(["10.6.0.0/24", "172.27.9.0/24", "192.168.77.0/24"])
    subnets = [four, *(["fd00:6::/64"] if rng.random() < 0.3 else [])]
    extras = {extra for extra in EXTRAS if rng.random() < 0.3}
    if rng.random() < 0.3:
        extras.add(rng.choice(INEXPRESSIBLE))
    if "home" not in hosts:
        extras.discard("firewall mark")  # it is home's
    network = LiveNetwork(rng.choice(["wg0", "wg0", "wg1", "office-vpn"]), subnets, hosts, rng.random() < 0.6, extras)
    _configure(network, rng, lab)
    return network


def _addresses(network: LiveNetwork, number: int) -> list[str]:
    return [net.replace("0/24", str(number)).replace("::/64", f"::{number:x}") for net in network.subnets]


def _single(network: LiveNetwork, number: int) -> list[str]:
    return [f"{address}/{128 if ':' in address else 32}" for address in _addresses(network, number)]


def _keys(lab: Lab, names: list[str]) -> dict[str, tuple[str, str]]:
    made = lab.world.sh(
        "controller", f"for n in {' '.join(names)}; do k=$(wg genkey); echo $n $k $(echo $k | wg pubkey); done"
    )
    return {name: (private, public) for name, private, public in (line.split() for line in made.split("\n") if line)}


def _configure(network: LiveNetwork, rng: random.Random, lab: Lab) -> None:
    """Fill in the configuration of every host."""
    extras = network.extras
    keys = _keys(lab, [*network.hosts, "phone", "router", "blocked"])
    port = rng.choice(["51820", "38371", "443"])
    lans = [host for host in network.hosts if host in LANS and rng.random() < 0.7]
    if network.hosts[1:] == ["home", "company"] and len(lans) == 2 and rng.random() < 0.5:
        lans.pop()

    def length(host: str, net: str) -> str:
        alone = "single addresses" in extras or ("single spokes" in extras and host != "bcc")
        return ("128" if ":" in net else "32") if alone else net.rpartition("/")[2]

    mtu = rng.choice(["", "1420", "1380"])
    keepalive = rng.choice(["25", "25", "15", "0"])
    secret = lab.world.sh("controller", "wg genpsk").strip() if "preshared key" in extras else ""
    numbers = {host: number for number, host in enumerate(network.hosts, rng.choice([1, 10]))}

    def address(host: str) -> str:
        pairs = zip(_addresses(network, numbers[host]), network.subnets, strict=True)
        return ", ".join(f"{ip}/{length(host, net)}" for ip, net in pairs)

    for host in network.hosts:
        head = [f"Address = {address(host)}", f"PrivateKey = {keys[host][0]}"]
        head += [f"MTU = {mtu}"] if mtu else []
        head += (
            [f"ListenPort = {port if host == 'bcc' else 51000 + numbers[host]}"]
            if host == "bcc" or rng.random() < 0.5
            else []
        )
        head += ["FwMark = 0x33"] if "firewall mark" in extras and host == "home" else []
        head += ["Table = off"] if "everything allowed" in extras else []
        head += (
            ["DNS = 10.10.13.61, lan.example"]
            if "name servers" in extras and host == "home" and not network.quick
            else []
        )
        if host == "bcc" or host in lans:
            head.append(
                "PostUp = sysctl -q -w net.ipv4.ip_forward=1; iptables -A FORWARD -i %i -j ACCEPT; iptables -A FORWARD -o %i -j ACCEPT"
            )
            head.append("PostDown = iptables -D FORWARD -i %i -j ACCEPT; iptables -D FORWARD -o %i -j ACCEPT")
        if host in lans:
            head.append(
                f"PostUp = iptables -t nat -A POSTROUTING -s {network.subnets[0]} -o {INTERFACES[host]} -j MASQUERADE"
            )
            head.append(
                f"PostDown = iptables -t nat -D POSTROUTING -s {network.subnets[0]} -o {INTERFACES[host]} -j MASQUERADE"
            )
        network.conf[host] = "[Interface]\n" + "\n".join(head) + "\n"
    behind_router = [BY_DEVICE] if "router" in extras else []
    for host in network.hosts[1:]:
        lan = [LANS[host]] if host in lans else []
        network.conf["bcc"] += _peer(host, keys[host][1], [*_single(network, numbers[host]), *lan], secret=secret)
        others = [LANS[other] for other in lans if other != host]
        allowed = [*network.subnets, *others, *behind_router]
        if "everything allowed" in extras:
            allowed = ["0.0.0.0/0"]
        name = "hub.example.net" if "endpoint by name" in extras else "203.0.113.13"
        network.conf[host] += _peer("bcc", keys["bcc"][1], allowed, f"{name}:{port}", keepalive, secret)
    if "endpoint by name" in extras:
        for host in network.hosts[1:]:
            network.after.setdefault(host, []).append(":")
            lab.world.sh(host, "grep -q hub.example.net /etc/hosts || echo 203.0.113.13 hub.example.net >>/etc/hosts")
    if "phone" in extras:
        network.conf["bcc"] += _peer("Anna's phone", keys["phone"][1], _single(network, 200), secret=secret)
    if "router" in extras:
        network.conf["bcc"] += _peer("fritz.box", keys["router"][1], [*_single(network, 178), BY_DEVICE])
    if "blocked peer" in extras:
        network.conf["bcc"] += _peer("blocked since May", keys["blocked"][1], [])
    _extras(network, rng)


def _extras(network: LiveNetwork, rng: random.Random) -> None:
    """What a person did by hand afterwards."""
    i, last = network.interface, network.hosts[-1]
    commands = {
        "second address": ("bcc", f"ip address add {network.subnets[0].replace('0/24', '53/32')} dev {i}"),
        "daemon's route": ("bcc", f"ip route add 172.31.5.0/24 dev {i} proto bird metric 32"),
        "everything allowed": ("bcc", f"ip route add 172.31.6.0/24 dev {i} proto bgp"),
        "route with attributes": (last, f"ip route replace {network.subnets[0]} dev {i} mtu 1300"),
        "rule of its own": ("bcc", f"iptables -I FORWARD -i {i} -p tcp --dport 25 -j REJECT"),
    }
    for extra, (host, command) in commands.items():
        if extra in network.extras:
            network.after.setdefault(host, []).append(command)


def _peer(name: str, key: str, allowed: list[str], endpoint: str = "", keepalive: str = "0", secret: str = "") -> str:
    lines = [f"\n# {name}\n[Peer]", f"PublicKey = {key}"]
    lines += [f"PresharedKey = {secret}"] if secret else []
    lines += [f"AllowedIPs = {', '.join(allowed)}"] if allowed else []
    lines += [f"Endpoint = {endpoint}"] if endpoint else []
    lines += [f"PersistentKeepalive = {keepalive}"] if keepalive != "0" else []
    return "\n".join(lines) + "\n"
