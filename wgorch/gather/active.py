"""The sessions with relays that hosts do not use just now, so that packets take other paths than usual."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wgorch.gather.observed import Observed
from wgorch.topology.desired import Choice, Cut
from wgorch.topology.topology import Topology


def avoided(topology: Topology, seen: Mapping[str, Observed]) -> Cut:
    """Pairs of a relay and a spoke whose session one of them avoids, as the hosts say that were read."""
    return frozenset((*_left(topology, seen), *_detoured(topology, seen)))


def active_choice(topology: Topology, name: str, seen: Observed) -> Choice | None:
    """The relay that a host uses; None where it does not choose, or its routes lead nowhere."""
    device = seen.active_interface(topology.inventory.network) or seen.failover.active.interface
    return next((choice for choice in topology.desired(name).choices if choice.interface == device), None)


def _left(topology: Topology, seen: Mapping[str, Observed]) -> Iterator[tuple[str, str]]:
    """The relays that a host prefers to the one that it uses."""
    for name, there in seen.items():
        choices, active = topology.desired(name).choices, active_choice(topology, name, there)
        preferred = choices[: choices.index(active)] if active else ()
        yield from ((choice.relay, name) for choice in preferred)


def _detoured(topology: Topology, seen: Mapping[str, Observed]) -> Iterator[tuple[str, str]]:
    """The spokes that a relay reaches through another one."""
    for name, there in seen.items():
        own = {detour.spoke for detour in topology.desired(name).detours}
        yield from ((name, each.spoke) for each in there.failover.detours if each.spoke in own)
