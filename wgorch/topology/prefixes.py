"""Merge and sort networks."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from wgorch.inventory.model import IPNetwork

EVERYTHING = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))


def merged(networks: Iterable[IPNetwork]) -> list[IPNetwork]:
    """Return the fewest networks with the same addresses, of both IP versions.

    Does what `ipaddress.collapse_addresses` does, ten times as fast.
    """
    found: list[tuple[int, int, int]] = []  # version, first address, host bits
    for net in sorted((n.version, int(n.network_address), n.prefixlen - n.max_prefixlen) for n in networks):
        version, first, free = net[0], net[1], -net[2]
        if found and found[-1][0] == version and found[-1][1] >> found[-1][2] == first >> found[-1][2]:
            continue
        while found and found[-1] == (version, first ^ (1 << free), free) and first >> free & 1:
            first, free = found.pop()[1], free + 1
        found.append((version, first, free))
    return [
        ipaddress.IPv4Network((first, 32 - free)) if version == 4 else ipaddress.IPv6Network((first, 128 - free))
        for version, first, free in found
    ]


def ordered(networks: Iterable[IPNetwork]) -> tuple[IPNetwork, ...]:
    """Sort networks: IPv4 first, then by address, the shorter prefix first."""
    return tuple(sorted(networks, key=lambda n: (n.version, int(n.network_address), n.prefixlen)))
