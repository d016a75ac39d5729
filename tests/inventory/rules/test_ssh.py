"""Rules for SSH targets."""

from __future__ import annotations

import pytest

from tests.inventory.mistyped import Row, assert_shown, ids, ssh, swap

# fmt: off
BAD: list[Row] = [
    ('jump hosts in a cycle', swap('via: root@198.51.100.66','via: home').replace('ssh: root@192.168.0.9','ssh: {host: 192.168.0.9, via: company}'), '11:35', 'error', 'hosts.home.ssh.via', 'cycle home -> company -> home', 'let one of them be reached directly'),
    ('a host that is its own jump host', ssh('{host: 192.168.0.9, via: home}'), '11:35', 'error', 'hosts.home.ssh.via', 'cycle home -> home', 'let one of them be reached directly'),
    ('a jump host that is nearly a host', ssh('{host: 192.168.0.9, via: compny}'), '11:35', 'warning', 'hosts.home.ssh.via', 'there is no host "compny" here, so it must be an alias of ~/.ssh/config. Did you mean', 'a host of this file, an alias, or user@host'),
    ('loopback for SSH', ssh('127.0.0.1'), '11:10', 'error', 'hosts.home.ssh', '127.0.0.1 is the machine wgorch runs on', 'write "ssh: local"'),
    ('one machine under two names', ssh('root@203.0.113.13'), '11:10', 'error', 'hosts.home.ssh', 'root@203.0.113.13 is also hosts.bcc (6:10)', 'one entry for each machine'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_a_contradictory_target_is_shown_with_location_field_and_fix(row: Row) -> None:
    assert_shown(row)
