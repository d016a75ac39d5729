"""Rules for LANs."""

from __future__ import annotations

import pytest

from tests.inventory.mistyped import Row, assert_shown, home, ids, subnets, swap

# fmt: off
BAD: list[Row] = [
    ('a LAN with two gateways', home('    subnets: [10.10.13.0/24]\n'), '17:15', 'error', 'hosts.company.subnets[0]', '10.10.13.0/24 equals hosts.home.subnets[0] 10.10.13.0/24 (13:15); WireGuard gives an', 'give each LAN one gateway, or renumber one LAN'),
    ('a LAN inside another of the same host', subnets('[10.10.13.0/24, 10.10.13.128/25]'), '16:30', 'error', 'hosts.company.subnets[1]', '10.10.13.128/25 lies inside hosts.company.subnets[0] 10.10.13.0/24 of the same gateway', 'keep the wider one'),
    ('a LAN inside the tunnel network', subnets('[192.168.2.128/25]'), '16:15', 'error', 'hosts.company.subnets[0]', '192.168.2.128/25 overlaps network.subnet 192.168.2.0/24 (3:11)', 'choose another tunnel network'),
    ('a LAN around the tunnel network', subnets('[192.168.0.0/16]'), '16:15', 'error', 'hosts.company.subnets[0]', '192.168.0.0/16 overlaps network.subnet 192.168.2.0/24 (3:11)', 'choose another tunnel network'),
    ('an IPv6 LAN without an IPv6 tunnel', swap('[10.10.13.0/24]','[10.10.13.0/24, "fd10::/64"]'), '16:30', 'error', 'hosts.company.subnets[1]', 'fd10::/64 is IPv6, but the tunnel has no IPv6 network', 'network.subnet: ["192.168.2.0/24", "fd00:2::/64"]'),
    ('the tunnel as a LAN interface', swap('lan_interface: ens192','lan_interface: wg0'), '17:20', 'error', 'hosts.company.lan_interface', 'wg0 is the tunnel itself', 'name the interface into the LAN'),
    ('a LAN interface without subnets', home('    lan_interface: eth0\n'), '13:20', 'warning', 'hosts.home.lan_interface', 'unused without subnets', 'add subnets'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_a_contradictory_lan_is_shown_with_location_field_and_fix(row: Row) -> None:
    assert_shown(row)
