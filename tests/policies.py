"""Random networks with policies, and packets for them, by seed."""

from __future__ import annotations

import json
import random
from ipaddress import IPv4Network, ip_address
from typing import Any

from wgorch.inventory.load import loads
from wgorch.inventory.model import Inventory, IPAddress, IPNetwork
from wgorch.inventory.policy import Service
from wgorch.topology.topology import Topology

KEY = "Tj5PEsDPeEAr2gpVVs4LYV/eoJRSgWzbaGtB5TOlwm"
PORTS = (22, 53, 80, 443, 8000, 8080, 65535)


def network(seed: int) -> dict[str, Any]:
    """Sections of an inventory: one or two relays, some gateways, one with a mapped LAN, some devices, exit nodes, groups."""
    chance = random.Random(f"network {seed}")
    both = chance.random() < 0.5
    hosts: dict[str, Any] = {}
    count = chance.randint(3, 6)
    for i in range(count):
        host: dict[str, Any] = {"ssh": f"root@198.51.100.{10 + i}"}
        if i < (2 if chance.random() < 0.4 else 1):
            host |= {"endpoint": f"203.0.113.{10 + i}:51820", "relay": True}
        elif chance.random() < 0.2:
            host["endpoint"] = f"203.0.113.{10 + i}:51820"
        elif chance.random() < 0.3:
            host["exit"] = "h0"
        lans: list[Any] = []
        if chance.random() < 0.7:
            mapped = chance.random() < 0.25
            lans.append({"lan": "10.50.0.0/24", "as": f"10.60.{i}.0/24"} if mapped else f"10.70.{i}.0/24")
            lans += [f"fd70:{i}::/64"] if both and chance.random() < 0.5 else []
        hosts[f"h{i}"] = host | ({"subnets": lans} if lans else {})
    devices: dict[str, Any] = {}
    for i in range(chance.randint(0, 3)):
        devices[f"d{i}"] = {"public_key": f"{KEY}{'048AEIMQUYcgkosw'[i]}="}
        devices[f"d{i}"] |= {"subnets": [f"10.80.{i}.0/24"]} if chance.random() < 0.3 else {}
        devices[f"d{i}"] |= {"exit": "h0"} if chance.random() < 0.3 else {}
    subnet: Any = ["10.40.0.0/24", "fd40::/64"] if both else "10.40.0.0/24"
    return {"network": {"name": "random", "subnet": subnet}, "hosts": hosts, "devices": devices}


def sides(sections: dict[str, Any], chance: random.Random) -> list[str]:
    """Names and addresses that lines may have, a few of them."""
    found = [*sections["hosts"], *sections["devices"], "any", "any"]
    found += [f"{n}.lan" for s in ("hosts", "devices") for n, m in sections[s].items() if m.get("subnets")]
    found += [f"10.40.0.{chance.randint(1, 9)}", "10.40.0.0/29", f"10.70.{chance.randint(0, 3)}.{chance.randint(1, 9)}"]
    found += [f"10.70.{chance.randint(0, 3)}.0/28", "10.0.0.0/8", f"10.60.{chance.randint(0, 3)}.0/25", "10.50.0.0/24"]
    if len(sections["network"]["subnet"]) == 2:
        found += ["fd40::/112", f"fd70:{chance.randint(0, 3)}::/80"]
    return found


def service(chance: random.Random) -> str:
    """A service as a line has it, or several."""
    low = chance.choice(PORTS)
    ports = [str(low), f"{low},{chance.choice(PORTS)}", f"{min(low, 60000)}-{min(low, 60000) + chance.randint(0, 500)}"]
    words = [f"{chance.choice(('tcp', 'udp'))} {chance.choice(ports)}", "ping", "tcp", "udp", "any"]
    return ", ".join(chance.sample(words, chance.choice((1, 1, 1, 2))))


def with_policy(seed: int, lines: int = 0) -> dict[str, Any]:
    """A network with a random policy; 30 networks, so that each is met by many policies."""
    sections = network(seed % 30)
    chance = random.Random(f"policy {seed}")
    known = sides(sections, chance)
    groups = {}
    for i in range(chance.randint(0, 3)):
        groups[f"g{i}"] = chance.sample([side for side in known if side != "any"], 3)
    known += list(groups) * 2
    policy = []
    for _ in range(lines or chance.randint(1, 12)):
        target = chance.choice([*known, "internet"])
        policy.append({f"{chance.choice(known)} -> {target}": service(chance)})
    return {**sections, "groups": groups, "policy": policy} if groups else {**sections, "policy": policy}


def loaded(sections: dict[str, Any]) -> Inventory:
    """The inventory of some sections, which are JSON and so YAML."""
    return loads(json.dumps({key: part for key, part in sections.items() if part}))


def addresses(topology: Topology) -> list[IPAddress]:
    """Addresses that matter: of all members, of machines in their LANs, and of the internet."""
    found: list[IPAddress] = [ip_address("192.0.2.80"), ip_address("2001:db8::80")]
    for member in topology.inventory.members.values():
        found += member.addresses
        found += [_nth(lan, n) for lan in member.subnets for n in (3, 20, 200)]
    return found


def _nth(net: IPNetwork, number: int) -> IPAddress:
    return net[number]


def port(chance: random.Random) -> int:
    """A port of a line, or just beside it."""
    return max(1, min(65535, chance.choice(PORTS) + chance.choice((0, 0, 0, -1, 1, 300))))


def services(chance: random.Random) -> Service:
    """One service of a packet; ``any`` is a protocol that no line can name."""
    kind = chance.choice(("tcp", "tcp", "udp", "ping", "any"))
    return Service(kind, ((at := port(chance), at),)) if kind in ("tcp", "udp") else Service(kind)


__all__ = ["IPv4Network", "addresses", "loaded", "network", "services", "with_policy"]
