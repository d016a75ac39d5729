"""Interfaces that a probe and its reply cross in the desired network, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from wgorch.base.ip import innermost
from wgorch.base.value import value
from wgorch.gather.observed import Observed
from wgorch.inventory.model import IPAddress
from wgorch.steps.target import lan_interface
from wgorch.topology.topology import Topology
from wgorch.trace.probe import Kind


class Crossing(NamedTuple):
    """A packet that comes in (``in``) or goes out (``out``) by an interface."""

    host: str
    interface: str
    direction: str

    def __str__(self) -> str:
        return f"{'into' if self.direction == 'in' else 'out of'} {self.host}.{self.interface}"


@value
class PacketPath:
    """Path of a probe through the network; its reply takes the same one back."""

    hosts: tuple[str, ...]
    tunnel: str
    lan_interface: str = ""
    """Interface of the last host into the target's LAN; empty where the target is in the tunnel."""
    arrives_by: str = ""
    """Interface of the first host that the probe comes in by; empty where that host sends it."""

    def crossings(self, kind: Kind) -> list[Crossing]:
        """Every interface that a packet crosses, from its sender on."""
        first, last = (self.lan_interface, self.arrives_by) if kind.is_reply else (self.arrives_by, self.lan_interface)
        return list(self._crossings(self.hosts[::-1] if kind.is_reply else self.hosts, first, last))

    def _crossings(self, hosts: tuple[str, ...], first: str, last: str) -> Iterator[Crossing]:
        if first:
            yield Crossing(hosts[0], first, "in")
        for i, host in enumerate(hosts):
            if i > 0:
                yield Crossing(host, self.tunnel, "in")
            if i < len(hosts) - 1:
                yield Crossing(host, self.tunnel, "out")
        if last:
            yield Crossing(hosts[-1], last, "out")


def packet_path(
    topology: Topology, facts: Mapping[str, Observed], hosts: tuple[str, ...], target: IPAddress, arrives_by: str
) -> PacketPath:
    """The path over `hosts` to a target. Raises Unfit where the interface into its LAN cannot be found."""
    desired = topology.desired(hosts[-1])
    lan = innermost(desired.lans, target)
    into = ""
    if lan and target not in desired.host.addresses:
        there = facts.get(desired.name)  # none of a host that was not reached
        into = lan_interface(desired, there, lan) if there else desired.host.lan_interface or "LAN"
    return PacketPath(hosts, topology.inventory.network.interface, into, arrives_by)
