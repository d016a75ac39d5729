"""Interfaces that a probe and its reply cross in the desired network, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from wgorch.base.ip import innermost
from wgorch.base.value import value
from wgorch.gather.observed import Observed
from wgorch.inventory.model import IPAddress
from wgorch.steps.target import lan_interface
from wgorch.topology.path import Walk
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
    """Path of a probe through the network; its reply takes the same one back, but where hosts choose between relays."""

    hosts: tuple[str, ...]
    tunnel: str
    """The network's interface."""
    lan_interface: str = ""
    """Interface of the last host into the target's LAN; empty where the target is in the tunnel."""
    arrives_by: str = ""
    """Interface of the first host that the probe comes in by; empty where that host sends it."""

    tunnels: tuple[tuple[str, str], ...] = ()
    """Between each two hosts, where there are several: the interface that the probe leaves by, and that it comes in by."""
    back_hosts: tuple[str, ...] = ()
    """Hosts that the reply passes, where hosts choose between relays."""
    back_tunnels: tuple[tuple[str, str], ...] = ()

    def crossings(self, kind: Kind) -> list[Crossing]:
        """Every interface that a packet crosses, from its sender on."""
        first, last = (self.lan_interface, self.arrives_by) if kind.is_reply else (self.arrives_by, self.lan_interface)
        return list(self._crossings(*self.path_of(kind), first, last))

    def path_of(self, kind: Kind) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
        """The hosts that a packet passes, and its interfaces between each two of them."""
        hosts, tunnels = (self.hosts, self.tunnels) if not kind.is_reply else (self.back_hosts, self.back_tunnels)
        hosts = hosts or self.hosts[::-1]
        return hosts, tunnels or ((self.tunnel, self.tunnel),) * (len(hosts) - 1)

    def _crossings(
        self, hosts: tuple[str, ...], tunnels: tuple[tuple[str, str], ...], first: str, last: str
    ) -> Iterator[Crossing]:
        if first:
            yield Crossing(hosts[0], first, "in")
        for i, host in enumerate(hosts):
            if i > 0:
                yield Crossing(host, tunnels[i - 1][1], "in")
            if i < len(hosts) - 1:
                yield Crossing(host, tunnels[i][0], "out")
        if last:
            yield Crossing(hosts[-1], last, "out")


def packet_path(
    topology: Topology,
    facts: Mapping[str, Observed],
    there: Walk,
    target: IPAddress,
    arrives_by: str,
    back: Walk | None = None,
) -> PacketPath:
    """The path to a target. Raises Unfit where the interface into its LAN cannot be found.

    `back`: that of the reply, where it may be another one.
    """
    desired = topology.desired(there.hosts[-1])
    lan = innermost(desired.lans, target)
    into = ""
    if lan and target not in desired.host.addresses:
        seen = facts.get(desired.name)  # none of a host that was not reached
        into = lan_interface(desired, seen, lan) if seen else desired.host.lan_interface or "LAN"
    tunnel = topology.inventory.network.interface
    if back is None or back.dropped:
        return PacketPath(there.hosts, tunnel, into, arrives_by)
    return PacketPath(there.hosts, tunnel, into, arrives_by, there.tunnels, back.hosts, back.tunnels)
