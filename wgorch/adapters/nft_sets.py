"""Many allowed flows as one nft rule: a set of source, target and port, in which nothing overlaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address
from itertools import product

from wgorch.inventory.model import IPNetwork
from wgorch.inventory.policy import Service
from wgorch.topology.boxes import Box, Ranges, rest, union
from wgorch.topology.passes import Pass

_ALL_PORTS: Ranges = ((0, 65535),)


def elements(passes: Iterable[Pass], *, ports: bool) -> Iterator[str]:
    """The elements of a set of ``source . target``, or with `ports` of ``source . target . port``; passes of one version."""
    done: list[Box] = []
    for each in passes:
        box = _box(each, ports=ports)
        for piece in rest([box], [other for other in done if _may_meet(box, other)]):
            for source, target, port in product(piece.sources, piece.targets, piece.services):
                text = f"{_addresses(each.version, source)} . {_addresses(each.version, target)}"
                yield f"{text} . {_range(*port)}" if ports else text
        done.append(box)


def _box(each: Pass, *, ports: bool) -> Box:
    return Box(
        each.version,
        _spans(each.source.networks),
        _spans(each.target.networks),
        (_ports(each.service) if ports else ((0, 0),)),
    )


def _ports(service: Service) -> Ranges:
    return service.ports or _ALL_PORTS


def _spans(networks: Iterable[IPNetwork]) -> Ranges:
    return union((int(net.network_address), int(net.broadcast_address)) for net in networks)


def _may_meet(box: Box, other: Box) -> bool:
    """False where two have nothing in common by their ends, which is quick to see."""
    return (
        box.sources[0][0] <= other.sources[-1][1]
        and other.sources[0][0] <= box.sources[-1][1]
        and box.targets[0][0] <= other.targets[-1][1]
        and other.targets[0][0] <= box.targets[-1][1]
    )


def _addresses(version: int, span: tuple[int, int]) -> str:
    make = IPv4Address if version == 4 else IPv6Address
    low, high = map(make, span)
    return str(low) if low == high else f"{low}-{high}"


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"
