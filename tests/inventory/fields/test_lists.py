"""Lists of values."""

from __future__ import annotations

import pytest

from tests.inventory.mistyped import Row, address, assert_shown, ids, subnets, swap

# fmt: off
BAD: list[Row] = [
    ('two LANs in one line', subnets('10.10.13.0/24, 10.10.14.0/24'), '16:14', 'error', 'hosts.company.subnets', 'one string with a comma', 'write [10.10.13.0/24, 10.10.14.0/24]'),
    ('a LAN that is not in a list', subnets('10.10.13.0/24'), '16:14', 'error', 'hosts.company.subnets', 'expected a list', 'write [10.10.13.0/24]'),
    ('two addresses of one IP version', address('[192.168.2.2, 192.168.2.5]'), '12:28', 'error', 'hosts.home.address[1]', '192.168.2.5 and 192.168.2.2 are both IPv4; at most one of each version', 'keep one'),
    ('an empty list of addresses', address('[]'), '12:14', 'error', 'hosts.home.address', 'the list is empty', 'give a value or delete the line'),
    ('two subnets of one IP version', swap('subnet: 192.168.2.0/24','subnet: [192.168.2.0/24, 192.168.3.0/24]'), '3:28', 'error', 'network.subnet[1]', '192.168.3.0/24 and 192.168.2.0/24 are both IPv4; at most one of each version', 'keep one'),
    ('a mapping for a list', subnets('{a: b}'), '16:14', 'error', 'hosts.company.subnets', 'expected a list, got a mapping', 'write [value, value], or delete the line'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_a_mistyped_list_is_shown_with_location_field_and_fix(row: Row) -> None:
    assert_shown(row)
