"""Networks whose measurements are judged: the reference network, and a mesh of more than MATRIX hosts."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

from wgorch.inventory.load import load, loads
from wgorch.plan.playbook import CHECKS
from wgorch.topology.topology import build
from wgorch.verify.targets import measures_pair

TOPOLOGY = build(load(Path(__file__).parents[2] / "inventory" / "home-company.yaml"))
BCC, HOME, COMPANY, TARGET = (ip_address(a) for a in ("192.168.2.1", "192.168.2.2", "192.168.2.3", "10.10.13.61"))
KEYS = {name: letter * 43 + "=" for name, letter in (("bcc", "B"), ("home", "H"), ("company", "C"))}
EVERY = frozenset(CHECKS)

MANY = 14
MESH = build(
    loads(
        "network: {name: many, subnet: 10.9.0.0/24}\nhosts:\n"
        + "".join(f'  h{i:02}: {{ssh: root@192.0.2.{i + 1}, endpoint: "192.0.2.{i + 1}:51820"}}\n' for i in range(MANY))
    )
)
MANY_KEYS = {name: f"{i:043}=" for i, name in enumerate(MESH.hosts)}


def from_one_end(host: str) -> list[str]:
    """Peers that a host of the mesh measures."""
    return [peer for peer in MESH.peers(host) if measures_pair(MESH, host, peer)]
