"""IP addresses and networks: what a text names, what is public, longest prefix match."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Generic, TypeVar

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

T = TypeVar("T")

_LETTER = re.compile("[A-Za-z]")

NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),  # private use, RFC 1918
            "100.64.0.0/10",  # carrier-grade NAT, RFC 6598
            *("0.0.0.0/8", "::/128"),  # this network, unspecified
            *("127.0.0.0/8", "::1/128"),  # loopback
            *("169.254.0.0/16", "fe80::/10", "fec0::/10"),  # link-local, RFC 3927 and RFC 4291; site-local
            *("224.0.0.0/4", "ff00::/8"),  # multicast
            "fc00::/7",  # unique local, RFC 4193
            *("198.18.0.0/15", "2001:2::/48"),  # benchmarks, RFC 2544 and RFC 5180
            *("192.0.0.0/24", "2001::/23"),  # IETF protocol assignments, RFC 6890
            *("192.88.99.0/24", "2002::/16"),  # 6to4, RFC 7526
            "240.0.0.0/4",  # reserved, RFC 1112
            *("::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48"),  # IPv4 in IPv6, NAT64
            *("100::/64", "5f00::/16"),  # discard, RFC 6666; SRv6
        ),
    )
)
"""Networks that a host on the internet cannot connect to.

Documentation networks (192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32) are not among them, unlike in
`is_global`: examples and rehearsals use them as public addresses.
"""


@lru_cache(maxsize=1 << 14)
def as_ip(text: str) -> IPAddress | None:
    """Parse an IP address, an IPv6 zone included; None if the text is anything else, such as a name."""
    try:
        return ip_address(text)
    except ValueError:
        return None


@lru_cache(maxsize=1 << 14)
def is_ip_endpoint(text: str) -> bool:
    """True if ``host:port`` names its host by an IP address, IPv6 in brackets or not."""
    return as_ip(text.rpartition(":")[0].strip("[]")) is not None


def is_ip_host(host: str) -> bool:
    """True if the host of a loaded inventory is an IP address: it has a colon or no letter. Does not parse it."""
    return ":" in host or not _LETTER.search(host)


def is_public(ip: IPAddress) -> bool:
    """True if a host on the internet can connect to the address."""
    return not any(ip.version == net.version and ip in net for net in NOT_PUBLIC)


@lru_cache(maxsize=1 << 17)
def network(text: str) -> IPNetwork:
    """Parse a network, host bits or not. Cached: the answers of all hosts name the same few. Raises ValueError."""
    return ip_network(text, strict=False)


_MAX_TEXTS = 1 << 17
_texts: dict[int, tuple[IPNetwork, str]] = {}
"""Formatted networks by `id`; each entry keeps its network alive. To hash a network takes three times as long."""


def network_text(net: IPNetwork) -> str:
    """Format a network. Cached: the same objects stand in the plans of all hosts."""
    entry = _texts.get(id(net))
    if entry is None:
        if len(_texts) >= _MAX_TEXTS:
            _texts.clear()
        entry = _texts[id(net)] = (net, str(net))
    return entry[1]


def innermost(networks: Iterable[IPNetwork], address: IPAddress) -> IPNetwork | None:
    """Return the longest of some networks that holds an address, or None: for few networks, asked once."""
    return max((net for net in networks if address in net), key=lambda net: net.prefixlen, default=None)


class Prefixes(Generic[T]):
    """A longest-prefix-match table: values by network; a lookup costs one probe per distinct prefix length."""

    def __init__(self, pairs: Iterable[tuple[IPNetwork, T]]) -> None:
        """Build the table; of two values for the same network the first is kept."""
        tables: dict[tuple[int, int], dict[int, T]] = {}
        for net, value in pairs:
            shift = net.max_prefixlen - net.prefixlen
            tables.setdefault((net.version, shift), {}).setdefault(int(net.network_address) >> shift, value)
        self._shifts = {version: sorted(s for v, s in tables if v == version) for version in (4, 6)}
        self._tables = tables

    def of(self, address: IPAddress) -> T | None:
        """Return the value of the longest network that contains the address, or None."""
        number, version = int(address), address.version
        for shift in self._shifts[version]:
            table = self._tables[version, shift]
            if number >> shift in table:
                return table[number >> shift]
        return None
