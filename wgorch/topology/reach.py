"""Who reaches whom by the policy: questions to the inventory alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from wgorch.inventory.policy import ANY, LAN, PolicyRule, Service
from wgorch.topology.boxes import Box, boxes, rest
from wgorch.topology.policy import Line, Policy, Side
from wgorch.topology.topology import Topology


class Reach(NamedTuple):
    """A side that reaches another one."""

    source: str
    whole: bool
    """False where some of its addresses, of the target's, or of the services are refused."""
    lines: tuple[Line, ...]
    """The lines that allow it; none where there is no policy."""


def reaching(topology: Topology, target: Side, service: Service | None) -> Iterator[Reach]:
    """Yield the members and LANs that reach a target, by one service or by any."""
    for name, source in _sources(topology):
        if source != target and _has_path(topology, name.removesuffix(LAN), target):
            found = between(topology.policy, source, target, service)
            if found is not None:
                yield Reach(name, *found)


def between(
    policy: Policy, source: Side, target: Side, service: Service | None
) -> tuple[bool, tuple[Line, ...]] | None:
    """Whether all of it may pass, and the lines that allow it or a part; None where nothing may."""
    if not policy:
        return True, ()
    asked = boxes(policy, _line(source, target, service or Service(ANY)))
    current = (line for line in policy.lines if not policy.is_over(line))
    lines = tuple(line for line in current if rest(asked, boxes(policy, line)) != asked)
    if not lines:
        return None
    return not rest(asked, _boxes(policy, lines)), lines


def _boxes(policy: Policy, lines: Iterable[Line]) -> list[Box]:
    return [box for line in lines for box in boxes(policy, line)]


def _line(source: Side, target: Side, service: Service) -> Line:
    return Line(0, PolicyRule("", "", (service,)), source, target)


def _sources(topology: Topology) -> Iterator[tuple[str, Side]]:
    for name, member in topology.hosts.items():
        yield name, topology.policy.side(name)
        if member.subnets:
            yield f"{name}{LAN}", topology.policy.side(f"{name}{LAN}")


def _has_path(topology: Topology, source: str, target: Side) -> bool:
    """False where no member that the target belongs to is reached from a member."""
    owners = [
        name
        for name in topology.hosts
        for net in topology.own_networks(name)
        if any(net.version == its.version and net.overlaps(its) for its in target.networks)
    ]
    others = [name for name in owners if name != source]
    return any(topology.path(source, name) for name in others) or (not owners and bool(topology.hosts[source].exit))
