"""Rules against routing loops."""

from __future__ import annotations

import pytest

from tests.inventory.mistyped import Row, assert_shown, home, ids, subnets, swap

# fmt: off
BAD: list[Row] = [
    ('a LAN inside another', home('    subnets: [10.10.0.0/16]\n'), '13:15', 'warning', 'hosts.home.subnets[0]', 'it contains the SSH address of company 10.10.13.62 (15:10), not behind', 'if company is in that LAN: behind: home under company; else narrow the subnet'),
    ('a LAN around an endpoint', subnets('[203.0.113.0/24]'), '16:15', 'error', 'hosts.company.subnets[0]', 'it contains the endpoint of bcc 203.0.113.13 (7:15): the tunnel would carry itself', 'narrow the subnet'),
    ("a LAN around its own gateway's endpoint", swap('    relay: true\n','    relay: true\n    subnets: [203.0.113.0/24]\n'), '10:15', 'error', 'hosts.bcc.subnets[0]', 'it contains the endpoint of bcc 203.0.113.13 (7:15): the tunnel would carry itself', 'narrow the subnet'),
    ("a LAN around another's SSH address", subnets('[192.168.0.0/24]'), '16:15', 'warning', 'hosts.company.subnets[0]', 'it contains the SSH address of home 192.168.0.9 (11:10), not behind', 'if home is in that LAN: behind: company under home; else narrow the subnet'),
    ('an endpoint inside the tunnel', swap('subnet: 192.168.2.0/24','subnet: 203.0.113.0/24'), '7:15', 'error', 'hosts.bcc.endpoint', '203.0.113.13 lies inside network.subnet: the tunnel would carry itself', 'the endpoint is the address outside the tunnel'),
    ('an SSH address inside the tunnel', swap('subnet: 192.168.2.0/24','subnet: 192.168.0.0/16'), '11:10', 'warning', 'hosts.home.ssh', '192.168.0.9 lies inside network.subnet: SSH would need the tunnel that it builds', 'the address outside the tunnel'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_a_routing_loop_is_shown_with_location_field_and_fix(row: Row) -> None:
    assert_shown(row)
