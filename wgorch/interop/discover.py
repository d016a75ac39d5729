"""Find wgorch's networks on hosts, and read hosts of which nothing is known."""

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
    """The networks of ours on a host, asked of the host alone. Raises HostError."""
    text = fleet.open(host).exchange(uploaded("discover.sh"), "find wgorch networks", 30)
    found = {}
    for line in text.split("\n"):
        hit = re.fullmatch(r"network ([a-z][a-z0-9-]{0,14}) ([a-zA-Z][a-zA-Z0-9_.-]{0,14})?", line.strip() + " ")
        hit = hit or re.fullmatch(r"network ([a-z][a-z0-9-]{0,14}) ([a-zA-Z][a-zA-Z0-9_.-]{0,14})", line.strip())
        if hit and (hit[2] or hit[1] not in found):
            found[hit[1]] = hit[2] or "wg0"
    return [ManagedNetwork(name, interface) for name, interface in found.items()]


def look(fleet: Fleet, interface: str, name: str = "office") -> tuple[dict[str, Observed], dict[str, HostError]]:
    """How some machines are, of which nothing is known yet; and those that could not be asked."""
    network = Network(name, (), interface, ipv6=True)

    def work(host: str) -> Observed:
        return gather(fleet.open(host), network, Ask(DEFAULT_PORT, adopt=True))[1]

    return fleet.on_hosts(fleet.hosts, work)
