"""Hosts and devices."""

from __future__ import annotations

import pytest

from tests.inventory.mistyped import Row, assert_shown, ids, swap

# fmt: off
BAD: list[Row] = [
    ('names that differ in case', swap('  company:\n','  Home:\n'), '13:3', 'error', 'hosts.Home', 'differs only in case from hosts.home (10:3)', 'give each host a name of its own, in small letters'),
    ('a host without fields', swap('  home:\n    ssh: root@192.168.0.9\n    address: 192.168.2.2\n','  home:\n'), '10:8', 'error', 'hosts.home', 'expected a mapping with ssh', 'write "ssh: root@HOST" below the name'),
    ('a host in one line', swap('  home:\n    ssh: root@192.168.0.9\n    address: 192.168.2.2\n','  home: root@1.2.3.4\n'), '10:9', 'error', 'hosts.home', 'expected a mapping with ssh', 'write "ssh: root@HOST" below the name'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_a_mistyped_member_is_shown_with_location_field_and_fix(row: Row) -> None:
    assert_shown(row)
