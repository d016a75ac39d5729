"""Many allowed flows as one nft rule: a set of source, target and port, in which nothing overlaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address
from itertools import product

from wgorch.inventory.model import IPNetwork
from wgorch.inventory.policy import Service
from wgorch.topology.boxes import Box, Ranges, may_meet, rest, union
from wgorch.topology.passes import Pass

_ALL_PORTS: Ranges = ((0, 65535),)


def elements(passes: Iterable[Pass], *, ports: bool) -> Iterator[str]:
    """The elements of a set of ``source . target``, or with `ports` of ``source . target . port``; passes of one version."""
    done: list[Box] = []
    for each in passes:
        box = _box(each, ports=ports)
        for piece in rest([box], [other for other in done if may_meet(box, other)]):
            for source, target, port in product(piece.sources, piece.targets, piece.services):
                text = f"{_addresses(each.version, source)} . {_addresses(each.version, target)}"
                yield f"{text} . {_range(*port)}" if ports else text
        done.append(box)


def address_set(networks: Iterable[IPNetwork]) -> str:
    """Addresses of one version as nft lists them itself: neighbours as one range, and one range without braces.

    What is listed and loaded again, as a rollback does, must be listed the same.
    """
    networks = list(networks)
    texts = [_addresses(networks[0].version, span) for span in spans(networks)]
    return texts[0] if len(texts) == 1 else f"{{ {', '.join(texts)} }}"


def _box(each: Pass, *, ports: bool) -> Box:
    return Box(
        each.version,
        spans(each.source.networks),
        spans(each.target.networks),
        (_ports(each.service) if ports else ((0, 0),)),
    )


def _ports(service: Service) -> Ranges:
    return service.ports or _ALL_PORTS


def spans(networks: Iterable[IPNetwork]) -> Ranges:
    """The first and the last address of networks as numbers, those that touch as one."""
    return union((int(net.network_address), int(net.broadcast_address)) for net in networks)


def _addresses(version: int, span: tuple[int, int]) -> str:
    make, bits = (IPv4Address, 32) if version == 4 else (IPv6Address, 128)
    low, high = span
    size = high - low + 1
    if size == 1:
        return str(make(low))
    is_network = size & (size - 1) == 0 and low % size == 0
    return f"{make(low)}/{bits + 1 - size.bit_length()}" if is_network else f"{make(low)}-{make(high)}"


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"
