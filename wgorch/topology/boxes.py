"""Flows as boxes: what a line of a policy allows is sources x targets x services, and one line can be taken from another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from wgorch.inventory.model import IPNetwork
from wgorch.inventory.policy import ANY, PING, TCP, UDP, Service
from wgorch.topology.policy import Line, Policy, Side

Ranges = tuple[tuple[int, int], ...]
"""Numbers, as ranges with both ends included: sorted and apart."""

_FIRST = {TCP: 0, UDP: 1 << 17, PING: 1 << 18, ANY: (1 << 18) + 1}
"""Where the services of a protocol begin among all services; the last number is every other protocol."""

_EVERY_SERVICE: Ranges = ((1, 65535), ((1 << 17) + 1, (1 << 17) + 65535), (1 << 18, (1 << 18) + 1))


class Box(NamedTuple):
    """Flows of one IP version: each source to each target by each service."""

    version: int
    sources: Ranges
    targets: Ranges
    services: Ranges

    @property
    def is_empty(self) -> bool:
        return not (self.sources and self.targets and self.services)


def boxes(policy: Policy, line: Line) -> list[Box]:
    """The flows that a line allows."""
    services = union(each for service in line.rule.services for each in _services(service))
    found = (
        Box(version, _addresses(policy, line.source, version), _addresses(policy, line.target, version), services)
        for version in (4, 6)
    )
    return [box for box in found if not box.is_empty]


def everything() -> list[Box]:
    """All flows, which pass where there is no policy."""
    return [Box(v, ((0, (1 << bits) - 1),), ((0, (1 << bits) - 1),), _EVERY_SERVICE) for v, bits in ((4, 32), (6, 128))]


def rest(some: Iterable[Box], others: Iterable[Box]) -> list[Box]:
    """The flows of some boxes that are in no other one."""
    left = list(some)
    for other in others:
        left = [piece for box in left for piece in _less(box, other)]
        if not left:
            break
    return left


def may_meet(box: Box, other: Box) -> bool:
    """False where two boxes have nothing in common by their ends, which is quick to see."""
    return (
        box.version == other.version
        and box.sources[0][0] <= other.sources[-1][1]
        and other.sources[0][0] <= box.sources[-1][1]
        and box.targets[0][0] <= other.targets[-1][1]
        and other.targets[0][0] <= box.targets[-1][1]
        and box.services[0][0] <= other.services[-1][1]
        and other.services[0][0] <= box.services[-1][1]
    )


def size(box: Box) -> int:
    """How many flows a box has."""
    sources, targets, services = (sum(high - low + 1 for low, high in side) for side in box[1:])
    return sources * targets * services


def _less(box: Box, other: Box) -> Iterator[Box]:
    """A box without another one, in pieces that have nothing in common."""
    if not may_meet(box, other):
        yield box
        return
    common = Box(
        box.version,
        shared(box.sources, other.sources),
        shared(box.targets, other.targets),
        shared(box.services, other.services),
    )
    if common.is_empty:
        yield box
        return
    pieces = (
        box._replace(sources=minus(box.sources, other.sources)),
        box._replace(sources=common.sources, targets=minus(box.targets, other.targets)),
        common._replace(services=minus(box.services, other.services)),
    )
    yield from (piece for piece in pieces if not piece.is_empty)


def union(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Ranges in order, those that touch as one."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return tuple(found)


def shared(some: Ranges, others: Ranges) -> Ranges:
    """What two have in common."""
    return union((max(a, c), min(b, d)) for a, b in some for c, d in others if max(a, c) <= min(b, d))


def minus(some: Ranges, others: Ranges) -> Ranges:
    """What one has and the other has not."""
    found = list(some)
    for low, high in others:
        cut = []
        for first, last in found:
            if last < low or high < first:
                cut.append((first, last))
                continue
            cut += [(first, low - 1)] if first < low else []
            cut += [(high + 1, last)] if high < last else []
        found = cut
    return tuple(found)


def services_in(some: Iterable[Box]) -> tuple[Service, ...]:
    """The services of all boxes together; every one if a protocol without a name is among them."""
    found = union(each for box in some for each in box.services)
    if shared(found, ((_FIRST[ANY], _FIRST[ANY]),)):
        return (Service(ANY),)
    made = []
    for protocol in (TCP, UDP):
        first = _FIRST[protocol]
        ports = tuple((low - first, high - first) for low, high in shared(found, ((first + 1, first + 65535),)))
        made += [Service(protocol, () if ports == ((1, 65535),) else ports)] if ports else []
    return (*made, *([Service(PING)] if shared(found, ((_FIRST[PING], _FIRST[PING]),)) else []))


def _addresses(policy: Policy, side: Side, version: int) -> Ranges:
    found = union(_span(net) for net in side.networks if net.version == version)
    if not side.outside:
        return found
    bits = 32 if version == 4 else 128
    inside = union(_span(net) for net in policy.inside if net.version == version)
    return union((*found, *minus(((0, (1 << bits) - 1),), inside)))


def _span(net: IPNetwork) -> tuple[int, int]:
    return int(net.network_address), int(net.broadcast_address)


def _services(service: Service) -> Ranges:
    if service.protocol == ANY:
        return _EVERY_SERVICE
    first = _FIRST[service.protocol]
    if service.protocol == PING:
        return ((first, first),)
    return tuple((first + low, first + high) for low, high in service.ports or ((1, 65535),))
