"""What no value may be: empty, a list or mapping, invisible characters."""

from __future__ import annotations

import pytest

from tests.inventory.mistyped import Row, address, assert_shown, home, ids, network, ssh, subnets, swap

# fmt: off
BAD: list[Row] = [
    ('a list where a number belongs', network('  listen_port: [1]\n'), '4:16', 'error', 'network.listen_port', 'expected a port 1-65535, got a list', 'write one value, without brackets or fields below it'),
    ('a mapping where a number belongs', network('  listen_port: {a: 1}\n'), '4:16', 'error', 'network.listen_port', 'expected a port 1-65535, got a mapping', 'write one value, without brackets or fields below it'),
    ('a field without a value', address(''), '12:13', 'error', 'hosts.home.address', 'empty', 'give a value or delete the line'),
    ('a tilde for a value', address('~'), '12:14', 'error', 'hosts.home.address', 'empty', 'give a value or delete the line'),
    ('null for a value', address('null'), '12:14', 'error', 'hosts.home.address', 'empty', 'give a value or delete the line'),
    ('an empty string', address('""'), '12:14', 'error', 'hosts.home.address', 'empty', 'give a value or delete the line'),
    ('an invisible character in a host name', swap('  home:\n','  home\u200b:\n'), '10:3', 'error', 'hosts', 'invisible character U+200B after "home"', 'delete it and type the value again'),
    ('an invisible character in an address', address('192.168.2.2\u200b'), '12:14', 'error', 'hosts.home.address', 'invisible character U+200B after "192.168.2.2"', 'delete it and type the value again'),
    ('a line break in a user name', ssh('{host: a, user: "ro\\nt"}'), '11:26', 'error', 'hosts.home.ssh.user', 'several lines where one value belongs', 'write the value on one line'),
    ('an escape in a user name', ssh('{host: a, user: "ro\\x1bt"}'), '11:26', 'error', 'hosts.home.ssh.user', 'control character \\x1b at position 3', 'delete it'),
    ('a NUL in a user name', ssh('{host: a, user: "ro\\0t"}'), '11:26', 'error', 'hosts.home.ssh.user', 'control character \\x00 at position 3', 'delete it'),
    ('a line separator in an address', address('"192.168.2.2\u2028"'), '12:14', 'error', 'hosts.home.address', 'invisible character U+2028 after "192.168.2.2"', 'delete it and type the value again'),
    ('a no-break space behind an address', address('192.168.2.2\u00a0'), '12:14', 'error', 'hosts.home.address', 'invisible character U+00A0 after "192.168.2.2"', 'delete it and type the value again'),
    ('typographic quotes', address('“192.168.2.2”'), '12:14', 'error', 'hosts.home.address', 'typographic quote “ at position 1', 'use " or no quotes at all'),
    ('ssh without a value', ssh(''), '11:9', 'error', 'hosts.home.ssh', 'empty', 'give a value or delete the line'),
    ('ssh as a list', ssh('[a]'), '11:10', 'error', 'hosts.home.ssh', 'expected user@host, got a list', 'write one value, without brackets or fields below it'),
    ('via without a value', ssh('{host: a, via: }'), '11:25', 'error', 'hosts.home.ssh.via', 'empty', 'give a value or delete the line'),
    ('a flag without a value', swap('relay: true','relay:'), '9:11', 'error', 'hosts.bcc.relay', 'empty', 'give a value or delete the line'),
    ('a block for an address', address('|\n      192.168.2.2'), '12:14', 'error', 'hosts.home.address', 'several lines where one value belongs', 'write the value on one line'),
    ('a tilde for a host name', swap('  home:\n','  ~:\n'), '10:3', 'error', 'hosts', 'empty', 'give a value or delete the line'),
    ('a tilde in a list', subnets('[~]'), '16:15', 'error', 'hosts.company.subnets[0]', 'empty', 'give a value or delete the line'),
    ('a list in a list', subnets('[[10.10.13.0/24]]'), '16:15', 'error', 'hosts.company.subnets[0]', 'expected a network like 10.10.13.0/24, got a list', 'write one value, without brackets or fields below it'),
    ('a bell in an interface name', home('    lan_interface: "e\\x07"\n'), '13:20', 'error', 'hosts.home.lan_interface', 'control character \\x07 at position 2', 'delete it'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_a_value_that_is_none_is_shown_with_location_field_and_fix(row: Row) -> None:
    assert_shown(row)
