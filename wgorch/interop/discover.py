"""Discover networks of wgorch on hosts, and read hosts without an inventory."""

from __future__ import annotations

import re

from wgorch.errors import HostError
from wgorch.gather.gather import Ask, gather
from wgorch.gather.observed import Observed
from wgorch.host.programs import uploaded
from wgorch.inventory.model import DEFAULT_PORT, Network
from wgorch.outcome import ManagedNetwork
from wgorch.remote.fleet import Fleet


def discover(fleet: Fleet, host: str) -> list[ManagedNetwork]:
    """The networks of wgorch on a host, read from the host alone. Raises HostError."""
    text = fleet.open(host).exchange(uploaded("discover.sh"), "find wgorch networks", 30)
    interfaces: dict[str, str] = {}
    for line in text.split("\n"):
        hit = _LINE.fullmatch(line.strip())
        if hit and (hit[2] or hit[1] not in interfaces):
            interfaces[hit[1]] = hit[2] or "wg0"
    return [ManagedNetwork(name, interface) for name, interface in interfaces.items()]


_LINE = re.compile(r"network ([a-z][a-z0-9-]{0,14})(?: ([a-zA-Z][a-zA-Z0-9_.-]{0,14}))?")
"""Name, and the interface where the host says it."""


def look(fleet: Fleet, interface: str, name: str = "office") -> tuple[dict[str, Observed], dict[str, HostError]]:
    """Readings of hosts without an inventory, and the errors of those that could not be read."""
    network = Network(name, (), interface, ipv6=True)

    def work(host: str) -> Observed:
        return gather(fleet.open(host), network, Ask((DEFAULT_PORT,), adopt=True))[1]

    return fleet.on_hosts(fleet.hosts, work)
