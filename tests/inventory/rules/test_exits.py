"""Rules for exit nodes."""

from __future__ import annotations

import pytest

from tests.inventory.mistyped import BASE, Row, assert_shown, home, ids, swap

DEVICE = swap("verify:", "devices:\n  phone: {exit: bc}\nverify:")
CHAIN = (
    home("    exit: bcc\n")
    .replace("    relay: true\n", "    exit: cloud\n")
    .replace("verify:", "  cloud:\n    ssh: root@cloud.example\n    endpoint: cloud.example:51820\nverify:")
)

# fmt: off
BAD: list[Row] = [
    ('an unknown exit node', home('    exit: bc\n'), '13:11', 'error', 'hosts.home.exit', 'there is no host "bc". Did you mean "bcc"?', 'one of: bcc'),
    ('an unknown exit node of a device', DEVICE, '19:17', 'error', 'devices.phone.exit', 'there is no host "bc". Did you mean "bcc"?', 'one of: bcc'),
    ('a host as its own exit node', home('    exit: home\n'), '13:11', 'error', 'hosts.home.exit', 'a host cannot be its own exit node', 'one of: bcc'),
    ('an exit node behind NAT', home('    exit: company\n'), '13:11', 'error', 'hosts.home.exit', 'company has no endpoint, so home is no peer of it', 'one of: bcc'),
    ('an exit node that uses another', CHAIN, '13:11', 'error', 'hosts.home.exit', 'bcc itself uses the exit node cloud', 'one of: bcc, cloud'),
    ('an exit node of a relay', CHAIN.replace("    exit: cloud\n", "    exit: cloud\n    relay: true\n"), '9:11', 'error', 'hosts.bcc.exit', 'bcc is a relay; the packets that it forwards would use the exit node too', 'one of: cloud'),
    ('no host that could be an exit node', BASE.replace('    endpoint: 203.0.113.13:38371\n', '').replace('    relay: true\n', '    exit: home\n'), '8:11', 'error', 'hosts.bcc.exit', 'home has no endpoint, so bcc is no peer of it', 'delete the line'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_a_contradictory_exit_node_is_shown_with_location_field_and_fix(row: Row) -> None:
    assert_shown(row)
