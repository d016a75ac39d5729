"""Rules for tunnel addresses."""

from __future__ import annotations

import pytest

from tests.inventory.mistyped import Row, address, assert_shown, ids, swap

# fmt: off
BAD: list[Row] = [
    ('a broadcast address', address('192.168.2.255'), '12:14', 'error', 'hosts.home.address', '192.168.2.255 is the broadcast address of 192.168.2.0/24', '192.168.2.2 is free'),
    ('a network address', address('192.168.2.0'), '12:14', 'error', 'hosts.home.address', '192.168.2.0 is the network address of 192.168.2.0/24', '192.168.2.2 is free'),
    ('an address used twice', address('192.168.2.1'), '12:14', 'error', 'hosts.home.address', '192.168.2.1 is already used by hosts.bcc (8:14)', '192.168.2.2 is free'),
    ('an address outside the tunnel', address('10.0.0.5'), '12:14', 'error', 'hosts.home.address', '10.0.0.5 lies outside network.subnet 192.168.2.0/24 (3:11)', '192.168.2.2 is free'),
    ('an IPv6 address in an IPv4 tunnel', address('fd00::2'), '12:14', 'error', 'hosts.home.address', 'fd00::2 lies outside network.subnet 192.168.2.0/24 (3:11)', '192.168.2.2 is free'),
    ('an IPv6 address in a list, in an IPv4 tunnel', address('[192.168.2.2, "fd00::2"]'), '12:28', 'error', 'hosts.home.address[1]', 'fd00::2 lies outside network.subnet 192.168.2.0/24 (3:11)', '192.168.2.4 is free'),
    ('a subnet with too few addresses', swap('subnet: 192.168.2.0/24','subnet: 192.168.2.0/30'), '3:11', 'error', 'network.subnet', '192.168.2.0/30 has addresses for 2 hosts; there are 3', 'a larger network.subnet'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_an_unusable_address_is_shown_with_location_field_and_fix(row: Row) -> None:
    assert_shown(row)
