"""SSH targets."""

from __future__ import annotations

import pytest

from tests.inventory.mistyped import Row, assert_shown, ids, ssh

# fmt: off
BAD: list[Row] = [
    ('an option where a user belongs', ssh('"-oProxyCommand=x@h"'), '11:10', 'error', 'hosts.home.ssh', 'must not start with "-"', 'like root'),
    ('a host that begins with a dash', ssh('root@-x'), '11:10', 'error', 'hosts.home.ssh', 'must not start with "-"', 'write user@host'),
    ('a whole ssh command', ssh('"ssh root@1.2.3.4"'), '11:10', 'error', 'hosts.home.ssh', '"ssh root" has characters other than letters, digits, and _ . + @ \\ $ -', 'like root'),
    ('an ssh URL', ssh('ssh://root@1.2.3.4:22'), '11:10', 'error', 'hosts.home.ssh', '"ssh://" is not accepted', 'write user@host, or user@host:port'),
    ('an SSH address with an octet above 255', ssh('root@1.2.3.400'), '11:10', 'error', 'hosts.home.ssh', 'octet 4 is 400; the maximum is 255', 'a number 0-255 there'),
    ('an SSH port above 65535', ssh('root@1.2.3.4:99999'), '11:10', 'error', 'hosts.home.ssh', '"99999" is not a port', 'a number 1-65535'),
    ('an empty user', ssh('"@1.2.3.4"'), '11:10', 'error', 'hosts.home.ssh', '"@1.2.3.4" names no user', 'write root@1.2.3.4, or 1.2.3.4'),
    ('a user without a host', ssh('root@'), '11:10', 'error', 'hosts.home.ssh', '"root@" names no host', 'write user@host'),
    ('a broken IPv6 address for SSH', ssh('"root@[2001:db8::zz]:22"'), '11:10', 'error', 'hosts.home.ssh', '"2001:db8::zz" is not an IP address', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('a command substitution for a host', ssh('"$(touch x)"'), '11:10', 'error', 'hosts.home.ssh', '"$(touch x)" is not a DNS name ("$" at 1)', 'letters, digits, dots and - only'),
    ('a semicolon in a user', ssh('"a;b@h"'), '11:10', 'error', 'hosts.home.ssh', '"a;b" has characters other than letters, digits, and _ . + @ \\ $ -', 'like root'),
    ('a decimal number for a jump host', ssh('{host: a, via: 5.5}'), '11:25', 'error', 'hosts.home.ssh.via', '5.5 reads as a decimal number; an address has 4 parts', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('a space in a jump host', ssh('{host: a, via: "a b"}'), '11:25', 'error', 'hosts.home.ssh.via', '"a b" is not a DNS name (space at 2)', 'letters, digits, dots and - only'),
    ('a shell word as the zone of an IPv6 address', ssh('"fe80::1%$(id)"'), '11:10', 'error', 'hosts.home.ssh', '"$(id)" is not the name of an interface', 'like fe80::1%eth0'),
    ('a space in the zone of an IPv6 address', ssh('{host: "fe80::1%a b"}'), '11:17', 'error', 'hosts.home.ssh.host', '"a b" is not the name of an interface', 'like fe80::1%eth0'),
    ('a password in an SSH URL', ssh('ssh://root:hunter2@1.2.3.4'), '11:10', 'error', 'hosts.home.ssh', '"ssh://" is not accepted', 'write user@host, or user@host:port'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_a_mistyped_target_is_shown_with_location_field_and_fix(row: Row) -> None:
    assert_shown(row)
