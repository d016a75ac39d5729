"""Numbers, flags, names, keys and paths."""

from __future__ import annotations

import pytest

from tests.inventory.mistyped import Row, assert_shown, home, ids, network, ssh, swap

# fmt: off
BAD: list[Row] = [
    ('a host named no', swap('  home:\n','  no:\n'), '10:3', 'error', 'hosts', '"no" reads as the boolean false in YAML 1.1', 'quote it: "no"'),
    ('an octal number', network('  listen_port: 010\n'), '4:16', 'error', 'network.listen_port', '010 is octal 8 in YAML 1.1', '10'),
    ('a number of base 60', network('  persistent_keepalive: 1:30\n'), '4:25', 'error', 'network.persistent_keepalive', '1:30 reads as base-60 number 90 in YAML 1.1', '90'),
    ('a host name with a command in it', swap('  home:\n','  "a b;rm":\n'), '10:3', 'error', 'hosts', '"a b;rm" has characters other than a-z 0-9 -', 'like home'),
    ('a host name of 40 letters', swap('  home:\n','  '+'h'*40+':\n'), '10:3', 'error', 'hosts', '"hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh" is 40 characters long; at most 32', 'like home'),
    ('an interface named eth0', network('  interface: eth0\n'), '4:14', 'error', 'network.interface', '"eth0" is a reserved or usual system name', 'wg0'),
    ('an interface named lo', network('  interface: lo\n'), '4:14', 'error', 'network.interface', '"lo" is a reserved or usual system name', 'wg0'),
    ('an interface named all', network('  interface: all\n'), '4:14', 'error', 'network.interface', '"all" is a reserved or usual system name', 'wg0'),
    ('a slash in an interface name', network('  interface: a/b\n'), '4:14', 'error', 'network.interface', '"a/b" has characters other than a-z A-Z 0-9 _ . -', 'like wg0'),
    ('an interface name of 18 letters', network('  interface: wg0123456789abcdef\n'), '4:14', 'error', 'network.interface', '"wg0123456789abcdef" is 18 characters long; at most 15', 'like wg0'),
    ('an interface named like a directory', network('  interface: ".."\n'), '4:14', 'error', 'network.interface', '".." has characters other than a-z A-Z 0-9 _ . -', 'like wg0'),
    ('an option where a host belongs', ssh('{host: -x}'), '11:17', 'error', 'hosts.home.ssh.host', 'must not start with "-"', 'a name or an address'),
    ('a user that begins with a dash', ssh('{host: a, user: -x}'), '11:26', 'error', 'hosts.home.ssh.user', 'must not start with "-"', 'like root'),
    ('an MTU of 9000', network('  mtu: 9000\n'), '4:8', 'error', 'network.mtu', '9000 is above 1500', 'an MTU 576-1500, usually 1420'),
    ('an MTU of 500', network('  mtu: 500\n'), '4:8', 'error', 'network.mtu', '500 is below 576', 'an MTU 576-1500, usually 1420'),
    ('a network where an interface belongs', swap('lan_interface: ens192','lan_interface: 10.10.13.0/24'), '17:20', 'error', 'hosts.company.lan_interface', 'expected an interface name like ens192, got "10.10.13.0/24"', 'as `ip link` names it; omit it to detect the interface'),
    ('a space in an interface name', swap('lan_interface: ens192','lan_interface: "ens 192"'), '17:20', 'error', 'hosts.company.lan_interface', '"ens 192" has characters other than a-z A-Z 0-9 _ . -', 'like ens192'),
    ('an emoji in a host name', swap('  home:\n','  "h😀me":\n'), '10:3', 'error', 'hosts', '"h😀me" has characters other than a-z 0-9 -', 'like home'),
    ('Arabic digits', network('  mtu: ١٤٢٠\n'), '4:8', 'error', 'network.mtu', 'expected an MTU 576-1500, got "١٤٢٠"', 'a whole number in decimal, usually 1420'),
    ('a port in letters', ssh('{host: a, port: ssh}'), '11:26', 'error', 'hosts.home.ssh.port', 'expected a port 1-65535, got "ssh"', 'a whole number in decimal'),
    ('true for a port', ssh('{host: a, port: true}'), '11:26', 'error', 'hosts.home.ssh.port', 'expected a port 1-65535, got "true"', 'a whole number in decimal'),
    ('a decimal port', ssh('{host: a, port: 22.0}'), '11:26', 'error', 'hosts.home.ssh.port', 'expected a port 1-65535, got "22.0"', 'a whole number in decimal'),
    ('a hexadecimal port', ssh('{host: a, port: 0x16}'), '11:26', 'error', 'hosts.home.ssh.port', 'expected a port 1-65535, got "0x16"', 'a whole number in decimal'),
    ('an underscore in a port', ssh('{host: a, port: 5_1820}'), '11:26', 'error', 'hosts.home.ssh.port', 'expected a port 1-65535, got "5_1820"', 'a whole number in decimal'),
    ('port 0', ssh('{host: a, port: 0}'), '11:26', 'error', 'hosts.home.ssh.port', '0 is below 1', 'a port 1-65535'),
    ('a negative number', network('  persistent_keepalive: -5\n'), '4:25', 'error', 'network.persistent_keepalive', '-5 is below 0', 'seconds 0-65535, usually 25'),
    ('a number with a unit', network('  persistent_keepalive: 25s\n'), '4:25', 'error', 'network.persistent_keepalive', 'expected seconds 0-65535, got "25s"', 'a whole number in decimal, usually 25'),
    ('a leading zero in a port', ssh('{host: a, port: 08}'), '11:26', 'error', 'hosts.home.ssh.port', 'expected a port 1-65535, got "08"', 'a whole number in decimal'),
    ('maybe for a flag', swap('relay: true','relay: maybe'), '9:12', 'error', 'hosts.bcc.relay', 'expected true or false, got "maybe"', 'true or false'),
    ('a number for a flag', swap('relay: true','relay: 1'), '9:12', 'error', 'hosts.bcc.relay', 'expected true or false, got "1"', 'true or false'),
    ('a network name with a capital', swap('name: office','name: Office'), '2:9', 'error', 'network.name', '"Office" has characters other than a-z 0-9 - (first a letter)', 'office'),
    ('a long network name', swap('name: office','name: officeofficeoffice'), '2:9', 'error', 'network.name', '"officeofficeoffice" is 18 characters long; at most 15', 'like office'),
    ('a network name that begins with a digit', swap('name: office','name: 1office'), '2:9', 'error', 'network.name', '"1office" has characters other than a-z 0-9 - (first a letter)', 'like office'),
    ('a network named no', swap('name: office','name: no'), '2:9', 'error', 'network.name', '"no" reads as the boolean false in YAML 1.1', 'quote it: "no"'),
    ('a path for a network name', swap('name: office','name: ../x'), '2:9', 'error', 'network.name', '"../x" has characters other than a-z 0-9 - (first a letter)', 'like office'),
    ('a long interface name', swap('lan_interface: ens192','lan_interface: averylongnameforadevice'), '17:20', 'error', 'hosts.company.lan_interface', '"averylongnameforadevice" is 23 characters long; at most 15', 'like ens192'),
    ('a semicolon in an interface name', swap('lan_interface: ens192','lan_interface: "a;b"'), '17:20', 'error', 'hosts.company.lan_interface', '"a;b" has characters other than a-z A-Z 0-9 _ . -', 'like ens192'),
    ('a host key that is none', home('    host_key: abc\n'), '13:15', 'error', 'hosts.home.host_key', '"abc" is not a host key', 'like "ssh-ed25519 AAAA…" or "SHA256:…"'),
    ('an MD5 fingerprint', home('    host_key: MD5:aa:bb\n'), '13:15', 'error', 'hosts.home.host_key', '"MD5:aa:bb" is not a host key', 'like "ssh-ed25519 AAAA…" or "SHA256:…"'),
    ('an option for a key file', ssh('{host: a, identity: -x}'), '11:30', 'error', 'hosts.home.ssh.identity', 'must not start with "-"', 'like ~/.ssh/id_ed25519'),
    ('a key in place of its file', ssh('{host: a, identity: "-----BEGIN OPENSSH PRIVATE KEY-----"}'), '11:30', 'error', 'hosts.home.ssh.identity', 'a key itself, where its file is expected (value hidden)', 'like ~/.ssh/id_ed25519; treat this key as leaked'),
    ('a host named on', swap('  home:\n','  on:\n'), '10:3', 'error', 'hosts', '"on" reads as the boolean true in YAML 1.1', 'quote it: "on"'),
    ('a host name that begins with a dash', swap('  home:\n','  -home:\n'), '10:3', 'error', 'hosts', 'must not start with "-"', 'like home'),
    ('a host name in capitals', swap('  home:\n','  HOME:\n'), '10:3', 'error', 'hosts', '"HOME" has characters other than a-z 0-9 -', 'home'),
    ('an underscore in a host name', swap('  home:\n','  my_home:\n'), '10:3', 'error', 'hosts', '"my_home" has characters other than a-z 0-9 -', 'like home'),
    ('a number of 23 digits', network('  mtu: 99999999999999999999999\n'), '4:8', 'error', 'network.mtu', 'expected an MTU 576-1500, got "99999999999999999999999"', 'a whole number in decimal, usually 1420'),
    ('a decimal number', network('  mtu: 1420.0\n'), '4:8', 'error', 'network.mtu', 'expected an MTU 576-1500, got "1420.0"', 'a whole number in decimal, usually 1420'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_a_mistyped_value_is_shown_with_location_field_and_fix(row: Row) -> None:
    assert_shown(row)
