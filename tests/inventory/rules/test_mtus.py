"""Rule for the MTU."""

from __future__ import annotations

import pytest

from tests.inventory.mistyped import Row, assert_shown, home, ids, network, shown

IPV6 = '[192.168.2.0/24, "fd00:2::/64"]'

# fmt: off
BAD: list[Row] = [
    ('a small MTU of a network with IPv6', network('  mtu: 1200\n').replace('192.168.2.0/24', IPV6), '4:8', 'error', 'network.mtu', 'IPv6 needs an MTU of 1280 in the tunnel, not 1200', '1280 or more, or no IPv6 in network.subnet'),
    ('a small MTU of a host with IPv6', home('    mtu: 1200\n').replace('192.168.2.0/24', IPV6), '13:10', 'error', 'hosts.home.mtu', 'IPv6 needs an MTU of 1280 in the tunnel, not 1200', '1280 or more, or no IPv6 in network.subnet'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_an_mtu_too_small_for_ipv6_is_shown_with_location_field_and_fix(row: Row) -> None:
    assert_shown(row)


def test_a_small_mtu_is_accepted_without_ipv6() -> None:
    assert "" == shown(network("  mtu: 1200\n"))
