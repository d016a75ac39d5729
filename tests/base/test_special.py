"""The table of addresses that cannot be reached from the internet, against the registries' as `ipaddress` has them."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from random import Random

import pytest

from wgorch.base.ip import NOT_PUBLIC, is_public

DOCUMENTATION = [*map(ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"))]
EXCEPTIONS = [
    *map(ip_network, ("192.0.0.0/24", "64:ff9b:1::/48")),  # newer in the registry than in Python 3.11
    *map(ip_network, ("224.0.0.0/4", "ff00::/8")),  # multicast: global to `ipaddress`, no host's address
    *map(
        ip_network,
        ("2001::/23", "192.88.99.0/24", "2002::/16", "64:ff9b::/96", "5f00::/16", "::ffff:0:0/96", "fec0::/10"),
    ),
]
"""Where the table differs on purpose, or versions of Python differ."""


def near(text: str) -> list[str]:
    """The edges of a network, and what lies just outside."""
    net = ip_network(text)
    first, last = int(net.network_address), int(net.broadcast_address)
    top = 2**net.max_prefixlen - 1
    kind = type(net.network_address)
    return [str(kind(n)) for n in (first - 1, first, (first + last) // 2, last, last + 1) if 0 <= n <= top]


def random_addresses() -> list[str]:
    chance = Random(4)
    four = [str(ip_address(chance.getrandbits(32))) for _ in range(400)]
    return four + [str(ip_address((0x2 << 124) | chance.getrandbits(124))) for _ in range(400)]


@pytest.mark.parametrize("text", [*(t for net in NOT_PUBLIC for t in near(str(net))), *random_addresses()])
def test_public_is_global(text: str) -> None:
    ip = ip_address(text)
    if any(ip.version == net.version and ip in net for net in (*DOCUMENTATION, *EXCEPTIONS)):
        return
    assert is_public(ip) == ip.is_global, ip


@pytest.mark.parametrize("net", DOCUMENTATION, ids=str)
def test_documentation_counts_as_public(net) -> None:  # type: ignore[no-untyped-def]
    assert is_public(net[7])


@pytest.mark.parametrize(
    "text", ["198.18.0.12", "198.19.255.1", "0.1.2.3", "240.0.0.1", "100.64.0.1", "192.0.0.8", "2001:2::1"]
)
def test_what_others_took_for_public_is_not(text: str) -> None:
    assert not is_public(ip_address(text))
