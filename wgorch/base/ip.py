"""What belongs to an address: the longest of some networks decides, in a few looks however many there are."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Generic, TypeVar

T = TypeVar("T")


class Prefixes(Generic[T]):
    """Values by network; of two for the same network the first holds."""

    def __init__(self, pairs: Iterable[tuple[IPv4Network | IPv6Network, T]]) -> None:
        tables: dict[tuple[int, int], dict[int, T]] = {}
        for net, value in pairs:
            shift = net.max_prefixlen - net.prefixlen
            tables.setdefault((net.version, shift), {}).setdefault(int(net.network_address) >> shift, value)
        self._tables = {version: sorted(s for v, s in tables if v == version) for version in (4, 6)}
        self._values = tables

    def of(self, address: IPv4Address | IPv6Address) -> T | None:
        """The value of the longest network that holds an address; None where none does."""
        number, version = int(address), address.version
        for shift in self._tables[version]:
            table = self._values[version, shift]
            if number >> shift in table:
                return table[number >> shift]
        return None


@lru_cache(maxsize=1 << 17)
def network(text: str) -> IPv4Network | IPv6Network:
    """A network from its text, host bits or not; the same few stand in the answers of all hosts."""
    return ip_network(text, strict=False)


def network_text(net: IPv4Network | IPv6Network) -> str:
    """A network as text; it keeps it, as each stands in the plans of many hosts."""
    kept: dict[str, object] = net.__dict__
    text = kept.get("written")
    if text is None:
        text = kept["written"] = str(net)
    return str(text)


@lru_cache(maxsize=1 << 14)
def as_ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address, or None where the text is a name."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
