"""YAML that cannot be parsed: the location is that of the mistake, not where the parser stopped."""

from __future__ import annotations

import pytest

from tests.inventory.mistyped import BASE, Row, address, assert_shown, endpoint, ids, ssh, subnets, swap

# fmt: off
BAD: list[Row] = [
    ('a tab before a host', 'network:\n  name: office\nhosts:\n\tbcc: 1\n', '4:1', 'error', '', 'a tab is used for indentation', 'use spaces'),
    ('a tab before a field', swap('    ssh: root@192.168.0.9','\tssh: root@192.168.0.9'), '11:1', 'error', '', 'a tab is used for indentation', 'use spaces'),
    ('a list that is never closed', subnets('[10.10.13.0/24'), '16:14', 'error', '', 'the list opened here with "[" is never closed with "]"', 'add the "]"'),
    ('a mapping that is never closed', swap('via: root@198.51.100.66}','via: root@198.51.100.66'), '14:10', 'error', '', 'the mapping opened here with "{" is never closed with "}"', 'add the "}"'),
    ('an endpoint that ends with a colon', endpoint('203.0.113.13:'), '7:27', 'error', '', 'a second ":" on one line', 'put the value in quotes, or start a new line after the'),
    ('a short IPv6 endpoint without quotes', endpoint('[::1]:5'), '7:15', 'error', '', 'YAML reads [..] as a list', 'put it in quotes: "[::1]:5"'),
    ('an IPv6 endpoint without quotes', endpoint('[2001:db8::1]:51820'), '7:15', 'error', '', 'YAML reads [..] as a list', 'put it in quotes: "[2001:db8::1]:51820"'),
    ('a no-break space before a field', swap('    ssh: root@192.168.0.9','\u00a0   ssh: root@192.168.0.9'), '11:1', 'error', '', 'the character U+00A0, which looks like a space, is used for indentation', 'use spaces'),
    ('an SSH port left out behind its colon', ssh('root@1.2.3.4:'), '11:22', 'error', '', 'a second ":" on one line', 'put the value in quotes, or start a new line after the'),
    ('a colon forgotten', swap('    address: 192.168.2.2\n','    address 192.168.2.2\n'), '12:5', 'error', '', 'a ":", or the space after it, is missing here', 'write "key: value"'),
    ('a space forgotten behind a colon', swap('address: 192.168.2.2','address:192.168.2.2'), '12:5', 'error', '', 'a ":", or the space after it, is missing here', 'write "key: value"'),
    ('a second colon on a line', address('a: b'), '12:15', 'error', '', 'a second ":" on one line', 'put the value in quotes, or start a new line after the'),
    ('an indent that is too short', swap('    address: 192.168.2.2\n','   address: 192.168.2.2\n'), '12:4', 'error', '', 'the indentation does not fit the lines above', 'let keys of one level start in the same column'),
    ('an indent that is too long', swap('    address: 192.168.2.2\n','     address: 192.168.2.2\n'), '12:6', 'error', '', 'the indentation does not fit the lines above', 'let keys of one level start in the same column'),
    ('a quote that is never closed', address('"192.168.2.2'), '12:14', 'error', '', 'the quote opened here is never closed', 'add the closing quote'),
    ('an at sign before a value', address('@x'), '12:14', 'error', '', '"@" cannot start a value', 'put the value in quotes'),
    ('a backtick before a value', address('`x`'), '12:14', 'error', '', '"`" cannot start a value', 'put the value in quotes'),
    ('a percent sign before a value', address('%x'), '12:14', 'error', '', '"%" cannot start a value', 'put the value in quotes'),
    ('a star for a value', address('*'), '12:14', 'error', '', '"*" stands for aliases and anchors, which are not accepted', 'put the value in quotes'),
    ('an ampersand for a value', address('&'), '12:14', 'error', '', '"&" stands for aliases and anchors, which are not accepted', 'put the value in quotes'),
    ('two commas', subnets('[10.10.13.0/24,,10.10.14.0/24]'), '16:29', 'error', '', 'a value is missing before ","', 'delete one comma'),
    ('a directive of YAML', '%YAML 2.0\n---\n'+BASE, '1:1', 'error', '', "YAML directives are not accepted", 'delete the line'),
    ('a backslash in double quotes', address('"\\q"'), '12:15', 'error', '', 'unknown escape sequence after a backslash', 'put the value in single quotes'),
    ('a bracket at the end', BASE+']\n', '20:1', 'error', '', '"]" closes nothing that is open', 'delete it'),
    ('two closing brackets', subnets('[10.10.13.0/24]]'), '16:29', 'error', '', '"]" closes nothing that is open', 'delete it'),
    ('a dash before a host', swap('  home:\n','  - home:\n'), '10:3', 'error', '', '"-" starts a list on a level of keys', 'delete the "-", or indent the list'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_broken_yaml_is_shown_with_location_field_and_fix(row: Row) -> None:
    assert_shown(row)
