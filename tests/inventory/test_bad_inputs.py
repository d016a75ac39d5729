"""What is told of an inventory that a hand mistyped: the place, the field, what is wrong, and what to type instead."""

from __future__ import annotations

import re
import time
import unicodedata
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from wgorch.errors import InventoryError
from wgorch.inventory import reader
from wgorch.inventory.load import load, loads

BASE = """\
network:
  name: office
  subnet: 192.168.2.0/24
hosts:
  bcc:
    ssh: root@203.0.113.13
    endpoint: 203.0.113.13:38371
    address: 192.168.2.1
    relay: true
  home:
    ssh: root@192.168.0.9
    address: 192.168.2.2
  company:
    ssh: {host: 10.10.13.62, user: root, via: root@198.51.100.66}
    address: 192.168.2.3
    subnets: [10.10.13.0/24]
    lan_interface: ens192
verify:
  - home -> 10.10.13.61
"""


class Told(NamedTuple):
    """One trouble as a user reads it."""

    place: str
    kind: str
    path: str
    message: str
    fix: str


def swap(old: str, new: str) -> str:
    """The good inventory with one thing in it replaced."""
    assert old in BASE
    return BASE.replace(old, new, 1)


def network(field: str) -> str:
    return swap("  subnet: 192.168.2.0/24\n", "  subnet: 192.168.2.0/24\n" + field)


def home(field: str) -> str:
    return swap("    address: 192.168.2.2\n", "    address: 192.168.2.2\n" + field)


def address(value: str) -> str:
    return swap("address: 192.168.2.2", "address: " + value)


def subnets(value: str) -> str:
    return swap("subnets: [10.10.13.0/24]", "subnets: " + value)


def endpoint(value: str) -> str:
    return swap("endpoint: 203.0.113.13:38371", "endpoint: " + value)


def ssh(value: str) -> str:
    return swap("ssh: root@192.168.0.9", "ssh: " + value)


def told(text: str) -> str:
    """Everything that is told of a text."""
    try:
        return "\n".join(loads(text).warnings)
    except InventoryError as error:
        return str(error)


def problems(text: str) -> list[Told]:
    """The same, taken apart."""
    found = []
    for block in re.split(r"\n(?=inventory\.yaml:)", told(text)):
        head, *below = block.split("\n")
        match = re.fullmatch(r"inventory\.yaml:(\d+:\d+): (error|warning): (.*)", head)
        assert match, head
        path, _, message = match[3].partition(": ") if re.match(PATH, match[3]) else ("", "", match[3])
        fix = next((line[len("    fix: ") :] for line in below if line.startswith("    fix: ")), "")
        found.append(Told(match[1], match[2], path, message, fix))
    return found


PATH = r"(network|hosts|verify|version|host|Hosts|a)([.\[]\S+)?: "

# fmt: off
BAD = [
    ('an empty file', '', '1:1', 'error', '', 'the file is empty; expected a mapping with "network" and "hosts"', 'inventory/home-company.yaml is one to start from'),
    ('a file of comments', '# hi\n', '1:1', 'error', '', 'the file is empty; expected a mapping with "network" and "hosts"', 'inventory/home-company.yaml is one to start from'),
    ('a tab before a host', 'network:\n  name: office\nhosts:\n\tbcc: 1\n', '4:1', 'error', '', 'a tab is used for indentation', 'use spaces'),
    ('a tab before a field', swap('    ssh: root@192.168.0.9','\tssh: root@192.168.0.9'), '11:1', 'error', '', 'a tab is used for indentation', 'use spaces'),
    ('a list that is never closed', subnets('[10.10.13.0/24'), '16:14', 'error', '', 'the list opened here with "[" is never closed with "]"', 'add the "]"'),
    ('a mapping that is never closed', swap('via: root@198.51.100.66}','via: root@198.51.100.66'), '14:10', 'error', '', 'the mapping opened here with "{" is never closed with "}"', 'add the "}"'),
    ('a field given twice', home('    address: 192.168.2.4\n'), '13:5', 'error', 'hosts.home.address', 'given twice (first at 12:5)', 'keep one'),
    ('a host given twice', swap('  company:','  home:'), '13:3', 'error', 'hosts.home', 'given twice (first at 10:3)', 'keep one'),
    ('a section given twice', BASE+'network: {}\n', '20:1', 'error', 'network', 'given twice (first at 1:1)', 'keep one'),
    ('an alias', subnets('*a'), '16:14', 'error', 'hosts.company.subnets', 'aliases ("*a") are not accepted', 'repeat the value'),
    ('an anchor', subnets('&a [10.10.13.0/24]'), '16:14', 'error', 'hosts.company.subnets', 'anchors ("&a") are not accepted', 'repeat the value where it is needed'),
    ('a merge key', home('    <<: {relay: true}\n'), '13:5', 'error', 'hosts.home.<<', 'merge keys ("<<") are not accepted', 'repeat the values'),
    ('a merged alias', home('    <<: *x\n'), '13:5', 'error', 'hosts.home.<<', 'merge keys ("<<") are not accepted', 'repeat the values'),
    ('a tag that would run code', address('!!python/object/apply:os.system [x]'), '12:14', 'error', 'hosts.home.address', 'tags ("!!python/object/apply:os.system") are not accepted', 'delete the tag'),
    ('a harmless tag', address('!!str 192.168.2.2'), '12:14', 'error', 'hosts.home.address', 'tags ("!!str") are not accepted', 'delete the tag'),
    ('the empty tag', address('! 192.168.2.2'), '12:14', 'error', 'hosts.home.address', 'tags ("!") are not accepted', 'delete the tag'),
    ('lists nested deeply', 'a: '+'['*30+']'*30, '1:23', 'error', '', 'nested deeper than 20 levels', 'an inventory needs 6 at most'),
    ('a field with a letter missing', swap('    address: 192.168.2.2','    adress: 192.168.2.2'), '12:5', 'error', 'hosts.home.adress', 'unknown field. Did you mean "address"?', 'known here: ssh, address, endpoint, relay, subnets,'),
    ('a list where a number belongs', network('  listen_port: [1]\n'), '4:16', 'error', 'network.listen_port', 'expected a port 1-65535, got a list', 'write one value, without brackets or fields below it'),
    ('a mapping where a number belongs', network('  listen_port: {a: 1}\n'), '4:16', 'error', 'network.listen_port', 'expected a port 1-65535, got a mapping', 'write one value, without brackets or fields below it'),
    ('a host named no', swap('  home:\n','  no:\n'), '10:3', 'error', 'hosts', '"no" reads as the boolean false in YAML 1.1', 'quote it: "no"'),
    ('an octal number', network('  listen_port: 010\n'), '4:16', 'error', 'network.listen_port', '010 is octal 8 in YAML 1.1', '10'),
    ('a number of base 60', network('  persistent_keepalive: 1:30\n'), '4:25', 'error', 'network.persistent_keepalive', '1:30 reads as base-60 number 90 in YAML 1.1', '90'),
    ('an address of two numbers', address('10.0'), '12:14', 'error', 'hosts.home.address', '10.0 reads as a decimal number; an address has 4 parts', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('a field without a value', address(''), '12:13', 'error', 'hosts.home.address', 'empty', 'give a value or delete the line'),
    ('a tilde for a value', address('~'), '12:14', 'error', 'hosts.home.address', 'empty', 'give a value or delete the line'),
    ('null for a value', address('null'), '12:14', 'error', 'hosts.home.address', 'empty', 'give a value or delete the line'),
    ('an empty string', address('""'), '12:14', 'error', 'hosts.home.address', 'empty', 'give a value or delete the line'),
    ('an octet above 255', address('192.168.2.300'), '12:14', 'error', 'hosts.home.address', 'octet 4 is 300; the maximum is 255', 'a number 0-255 there'),
    ('a leading zero in an octet', address('192.168.02.1'), '12:14', 'error', 'hosts.home.address', 'a leading zero in octet 3 is ambiguous', '192.168.2.1'),
    ('an invisible character in a host name', swap('  home:\n','  home\u200b:\n'), '10:3', 'error', 'hosts', 'invisible character U+200B after "home"', 'delete it and type the value again'),
    ('an invisible character in an address', address('192.168.2.2\u200b'), '12:14', 'error', 'hosts.home.address', 'invisible character U+200B after "192.168.2.2"', 'delete it and type the value again'),
    ('a prefix above 32', subnets('[10.10.13.0/33]'), '16:15', 'error', 'hosts.company.subnets[0]', 'prefix 33 is larger than 32', 'a number 0-32'),
    ('a prefix above 32 in the second LAN', subnets('[10.10.14.0/24, 10.10.13.0/33]'), '16:30', 'error', 'hosts.company.subnets[1]', 'prefix 33 is larger than 32', 'a number 0-32'),
    ('a netmask', subnets('[10.10.13.0/255.255.255.0]'), '16:15', 'error', 'hosts.company.subnets[0]', 'a netmask is given', 'write the prefix: 10.10.13.0/24'),
    ('a netmask with holes', subnets('[10.10.13.0/255.0.255.0]'), '16:15', 'error', 'hosts.company.subnets[0]', '"255.0.255.0" is not a netmask', 'write the prefix, like 10.10.13.0/24'),
    ('two LANs in one line', subnets('10.10.13.0/24, 10.10.14.0/24'), '16:14', 'error', 'hosts.company.subnets', 'one string with a comma', 'write [10.10.13.0/24, 10.10.14.0/24]'),
    ('a LAN that is not in a list', subnets('10.10.13.0/24'), '16:14', 'error', 'hosts.company.subnets', 'expected a list', 'write [10.10.13.0/24]'),
    ('two LANs in one string of a list', subnets('["10.10.13.0/24, 10.10.14.0/24"]'), '16:15', 'error', 'hosts.company.subnets[0]', '"10.10.13.0/24, 10.10.14.0/24" is one string with several networks', 'write a list: [10.10.13.0/24, 10.10.14.0/24]'),
    ('a broadcast address', address('192.168.2.255'), '12:14', 'error', 'hosts.home.address', '192.168.2.255 is the broadcast address of 192.168.2.0/24', '192.168.2.2 is free'),
    ('a network address', address('192.168.2.0'), '12:14', 'error', 'hosts.home.address', '192.168.2.0 is the network address of 192.168.2.0/24', '192.168.2.2 is free'),
    ('an address used twice', address('192.168.2.1'), '12:14', 'error', 'hosts.home.address', '192.168.2.1 is already used by hosts.bcc (8:14)', '192.168.2.2 is free'),
    ('names that differ in case', swap('  company:\n','  Home:\n'), '13:3', 'error', 'hosts.Home', 'differs only in case from hosts.home (10:3)', 'give each host a name of its own, in small letters'),
    ('a host name with a command in it', swap('  home:\n','  "a b;rm":\n'), '10:3', 'error', 'hosts', '"a b;rm" has characters other than a-z 0-9 -', 'like home'),
    ('a host name of 40 letters', swap('  home:\n','  '+'h'*40+':\n'), '10:3', 'error', 'hosts', '"hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh" is 40 characters long; at most 32', 'like home'),
    ('an interface named eth0', network('  interface: eth0\n'), '4:14', 'error', 'network.interface', '"eth0" is a reserved or usual system name', 'wg0'),
    ('an interface named lo', network('  interface: lo\n'), '4:14', 'error', 'network.interface', '"lo" is a reserved or usual system name', 'wg0'),
    ('an interface named all', network('  interface: all\n'), '4:14', 'error', 'network.interface', '"all" is a reserved or usual system name', 'wg0'),
    ('a slash in an interface name', network('  interface: a/b\n'), '4:14', 'error', 'network.interface', '"a/b" has characters other than a-z A-Z 0-9 _ . -', 'like wg0'),
    ('an interface name of 18 letters', network('  interface: wg0123456789abcdef\n'), '4:14', 'error', 'network.interface', '"wg0123456789abcdef" is 18 characters long; at most 15', 'like wg0'),
    ('an interface named like a directory', network('  interface: ".."\n'), '4:14', 'error', 'network.interface', '".." has characters other than a-z A-Z 0-9 _ . -', 'like wg0'),
    ('a LAN inside another', home('    subnets: [10.10.0.0/16]\n'), '13:15', 'warning', 'hosts.home.subnets[0]', 'it contains the SSH address of company 10.10.13.62 (15:10), not behind', 'narrow the subnet'),
    ('a LAN with two gateways', home('    subnets: [10.10.13.0/24]\n'), '17:15', 'error', 'hosts.company.subnets[0]', '10.10.13.0/24 equals hosts.home.subnets[0] 10.10.13.0/24 (13:15); WireGuard gives an', 'give each LAN one gateway, or renumber one LAN'),
    ('a LAN inside another of the same host', subnets('[10.10.13.0/24, 10.10.13.128/25]'), '16:30', 'error', 'hosts.company.subnets[1]', '10.10.13.128/25 lies inside hosts.company.subnets[0] 10.10.13.0/24 (16:15); WireGuard', 'give each LAN one gateway, or renumber one LAN'),
    ('a LAN inside the tunnel network', subnets('[192.168.2.128/25]'), '16:15', 'error', 'hosts.company.subnets[0]', '192.168.2.128/25 overlaps network.subnet 192.168.2.0/24 (3:11)', 'choose another tunnel network'),
    ('a LAN around the tunnel network', subnets('[192.168.0.0/16]'), '16:15', 'error', 'hosts.company.subnets[0]', '192.168.0.0/16 overlaps network.subnet 192.168.2.0/24 (3:11)', 'choose another tunnel network'),
    ('a LAN around an endpoint', subnets('[203.0.113.0/24]'), '16:15', 'error', 'hosts.company.subnets[0]', 'it contains the endpoint of bcc 203.0.113.13 (7:15): the tunnel would carry itself', 'narrow the subnet'),
    ("a LAN around its own gateway's endpoint", swap('    relay: true\n','    relay: true\n    subnets: [203.0.113.0/24]\n'), '10:15', 'error', 'hosts.bcc.subnets[0]', 'it contains the endpoint of bcc 203.0.113.13 (7:15): the tunnel would carry itself', 'narrow the subnet'),
    ("a LAN around another's SSH address", subnets('[192.168.0.0/24]'), '16:15', 'warning', 'hosts.company.subnets[0]', 'it contains the SSH address of home 192.168.0.9 (11:10), not behind', 'narrow the subnet'),
    ('a loopback LAN', subnets('[127.0.0.0/8]'), '16:15', 'error', 'hosts.company.subnets[0]', '127.0.0.0/8 (loopback) cannot be routed to a peer', 'a private network, like 10.10.13.0/24'),
    ('a multicast LAN', subnets('[224.0.0.0/4]'), '16:15', 'error', 'hosts.company.subnets[0]', '224.0.0.0/4 (multicast) cannot be routed to a peer', 'a private network, like 10.10.13.0/24'),
    ('a link-local LAN', subnets('[169.254.0.0/16]'), '16:15', 'error', 'hosts.company.subnets[0]', '169.254.0.0/16 (link-local) cannot be routed to a peer', 'a private network, like 10.10.13.0/24'),
    ('everything as a LAN', subnets('[0.0.0.0/0]'), '16:15', 'error', 'hosts.company.subnets[0]', '0.0.0.0/0 (everything, or nothing) cannot be routed to a peer', 'a private network, like 10.10.13.0/24'),
    ('a reserved LAN', subnets('[240.0.0.0/4]'), '16:15', 'error', 'hosts.company.subnets[0]', '240.0.0.0/4 (reserved) cannot be routed to a peer', 'a private network, like 10.10.13.0/24'),
    ('an endpoint without a port', endpoint('203.0.113.13'), '7:15', 'error', 'hosts.bcc.endpoint', 'port missing', '203.0.113.13:51820'),
    ('an endpoint that ends with a colon', endpoint('203.0.113.13:'), '7:27', 'error', '', 'a second ":" on one line', 'put the value in quotes, or start a new line after the'),
    ('a short IPv6 endpoint without quotes', endpoint('[::1]:5'), '7:15', 'error', '', 'YAML reads [..] as a list', 'put it in quotes: "[::1]:5"'),
    ('an IPv6 endpoint without quotes', endpoint('[2001:db8::1]:51820'), '7:15', 'error', '', 'YAML reads [..] as a list', 'put it in quotes: "[2001:db8::1]:51820"'),
    ('an endpoint in brackets', endpoint('[2001:db8::1]'), '7:15', 'error', 'hosts.bcc.endpoint', 'YAML reads [..] as a list', 'put the endpoint in quotes'),
    ('an endpoint port that is not the listen port', swap('    relay: true','    relay: true\n    listen_port: 51820'), '7:15', 'warning', 'hosts.bcc.endpoint', 'port 38371 is not hosts.bcc.listen_port 51820; right only behind a port forward', 'leave listen_port out, and it is 38371'),
    ('an endpoint with a scheme', endpoint('udp://203.0.113.13:51820'), '7:15', 'error', 'hosts.bcc.endpoint', '"udp://" is not accepted', 'write 203.0.113.13:51820'),
    ('a web address as an endpoint', endpoint('https://x.example'), '7:15', 'error', 'hosts.bcc.endpoint', '"https://" is not accepted', 'write host:port'),
    ('a space in an endpoint', endpoint('"my host.example:51820"'), '7:15', 'error', 'hosts.bcc.endpoint', '"my host.example" is not a DNS name (space at 3)', 'letters, digits, dots and - only'),
    ('an underscore in an endpoint', endpoint('my_host.example:51820'), '7:15', 'error', 'hosts.bcc.endpoint', '"my_host.example" is not a DNS name ("_" at 3)', 'letters, digits, dots and - only'),
    ('an endpoint with a trailing dot', endpoint('host.example.:51820'), '7:15', 'error', 'hosts.bcc.endpoint', '"host.example." ends with a dot', 'write host.example'),
    ('an endpoint with a label of 64 letters', endpoint('a'*64+'.example:1'), '7:15', 'error', 'hosts.bcc.endpoint', '"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example" is not a DNS', '1 to 63 letters, digits or - between dots, no - at their'),
    ('an endpoint of 269 letters', endpoint('.'.join(['abcdefgh']*30)+':1'), '7:15', 'error', 'hosts.bcc.endpoint', 'a DNS name of 269 characters; at most 253', 'its address will do'),
    ('an IPv6 endpoint without brackets', endpoint('"2001:db8::1:51820"'), '7:15', 'error', 'hosts.bcc.endpoint', '"2001:db8::1:51820" is an IPv6 address without brackets', 'write "[2001:db8::1]:51820", in quotes'),
    ('port 0 in an endpoint', endpoint('203.0.113.13:0'), '7:15', 'error', 'hosts.bcc.endpoint', '"0" is not a port', 'a number 1-65535'),
    ('port 70000', endpoint('203.0.113.13:70000'), '7:15', 'error', 'hosts.bcc.endpoint', '"70000" is not a port', 'a number 1-65535'),
    ('letters for the port of an endpoint', endpoint('203.0.113.13:abc'), '7:15', 'error', 'hosts.bcc.endpoint', '"abc" is not a port', 'a number 1-65535'),
    ('two spokes without a relay', swap('    relay: true\n',''), '12:3', 'warning', 'hosts.company', 'company and home cannot dial each other, and no host is a relay', 'relay: true under bcc'),
    ('a relay without an endpoint', home('    relay: true\n'), '13:12', 'error', 'hosts.home.relay', 'a relay must have an endpoint that others can dial', 'endpoint: ADDRESS:51820 under home'),
    ('nobody with an endpoint', swap('    endpoint: 203.0.113.13:38371\n','').replace('    relay: true\n',''), '5:3', 'error', 'hosts', 'no host has an endpoint, so nobody can dial anybody', 'give the public host an endpoint and relay: true'),
    ('jump hosts in a circle', swap('via: root@198.51.100.66','via: home').replace('ssh: root@192.168.0.9','ssh: {host: 192.168.0.9, via: company}'), '11:35', 'error', 'hosts.home.ssh.via', 'cycle home -> company -> home', 'let one of them be reached directly'),
    ('a host that is its own jump host', ssh('{host: 192.168.0.9, via: home}'), '11:35', 'error', 'hosts.home.ssh.via', 'cycle home -> home', 'let one of them be reached directly'),
    ('a jump host that is nearly a host', ssh('{host: 192.168.0.9, via: compny}'), '11:35', 'warning', 'hosts.home.ssh.via', 'there is no host "compny" here, so it must be an alias of ~/.ssh/config. Did you mean', 'a host of this file, an alias, or user@host'),
    ('a private key', home('    private_key: yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n'), '13:18', 'error', 'hosts.home.private_key', 'private keys do not belong here (value hidden)', 'delete it; keys are born on their host. Treat this one as'),
    ('a password', home('    password: hunter2\n'), '13:15', 'error', 'hosts.home.password', 'a secret in the file (value hidden)', 'delete it; wgorch asks where it needs one'),
    ('a password for SSH', ssh('{host: 192.168.0.9, password: hunter2}'), '11:40', 'error', 'hosts.home.ssh.password', 'a secret in the file (value hidden)', 'delete it; wgorch asks where it needs one'),
    ('a preshared key', network('  preshared_key: yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n'), '4:18', 'error', 'network.preshared_key', 'a secret in the file (value hidden)', 'delete it; wgorch asks where it needs one'),
    ('a private key as wg writes it', home('    PrivateKey: yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n'), '13:17', 'error', 'hosts.home.PrivateKey', 'private keys do not belong here (value hidden)', 'delete it; keys are born on their host. Treat this one as'),
    ('a password in a list', home('    password: [hunter2]\n'), '13:15', 'error', 'hosts.home.password', 'a secret in the file (value hidden)', 'delete it; wgorch asks where it needs one'),
    ('a secret in a mapping', home('    secret:\n      a: hunter2\n'), '14:7', 'error', 'hosts.home.secret', 'a secret in the file (value hidden)', 'delete it; wgorch asks where it needs one'),
    ('an option where a user belongs', ssh('"-oProxyCommand=x@h"'), '11:10', 'error', 'hosts.home.ssh', 'must not start with "-"', 'like root'),
    ('an option where a host belongs', ssh('{host: -x}'), '11:17', 'error', 'hosts.home.ssh.host', 'must not start with "-"', 'a name or an address'),
    ('a user that begins with a dash', ssh('{host: a, user: -x}'), '11:26', 'error', 'hosts.home.ssh.user', 'must not start with "-"', 'like root'),
    ('a host that begins with a dash', ssh('root@-x'), '11:10', 'error', 'hosts.home.ssh', 'must not start with "-"', 'write user@host'),
    ('a line break in a user name', ssh('{host: a, user: "ro\\nt"}'), '11:26', 'error', 'hosts.home.ssh.user', 'several lines where one value belongs', 'write the value on one line'),
    ('an escape in a user name', ssh('{host: a, user: "ro\\x1bt"}'), '11:26', 'error', 'hosts.home.ssh.user', 'control character \\x1b at position 3', 'delete it'),
    ('a NUL in a user name', ssh('{host: a, user: "ro\\0t"}'), '11:26', 'error', 'hosts.home.ssh.user', 'control character \\x00 at position 3', 'delete it'),
    ('a raw NUL', address('192.168\0.2.2'), '12:21', 'error', '', 'character U+0000 is not allowed in YAML', 'delete it, or save the file as UTF-8 text'),
    ('a raw escape', address('192.168\x1b.2.2'), '12:21', 'error', '', 'character U+001B is not allowed in YAML', 'delete it, or save the file as UTF-8 text'),
    ('an MTU of 9000', network('  mtu: 9000\n'), '4:8', 'error', 'network.mtu', '9000 is above 1500', 'an MTU 576-1500, usually 1420'),
    ('an MTU of 500', network('  mtu: 500\n'), '4:8', 'error', 'network.mtu', '500 is below 576', 'an MTU 576-1500, usually 1420'),
    ('a host behind NAT without keepalives', home('    persistent_keepalive: 0\n'), '10:3', 'warning', 'hosts.home', 'no endpoint and persistent_keepalive 0: others cannot reach it once its NAT forgets', 'persistent_keepalive: 25'),
    ('a network where a card belongs', swap('lan_interface: ens192','lan_interface: 10.10.13.0/24'), '17:20', 'error', 'hosts.company.lan_interface', 'expected a device name like ens192, got "10.10.13.0/24"', 'as `ip link` names it; or leave it out'),
    ('a space in a card', swap('lan_interface: ens192','lan_interface: "ens 192"'), '17:20', 'error', 'hosts.company.lan_interface', '"ens 192" has characters other than a-z A-Z 0-9 _ . -', 'like ens192'),
    ('a version that nobody knows', 'version: 9\n'+BASE, '1:1', 'error', 'version', 'unknown field. Did you mean "verify"?', 'known here: network, hosts, devices, links, verify'),
    ('an emoji in a host name', swap('  home:\n','  "h😀me":\n'), '10:3', 'error', 'hosts', '"h😀me" has characters other than a-z 0-9 -', 'like home'),
    ('an emoji for an address', address('😀'), '12:14', 'error', 'hosts.home.address', '"😀" is not an IP address', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('a line separator in an address', address('"192.168.2.2\u2028"'), '12:14', 'error', 'hosts.home.address', 'invisible character U+2028 after "192.168.2.2"', 'delete it and type the value again'),
    ('a no-break space behind an address', address('192.168.2.2\u00a0'), '12:14', 'error', 'hosts.home.address', 'invisible character U+00A0 after "192.168.2.2"', 'delete it and type the value again'),
    ('a no-break space before a field', swap('    ssh: root@192.168.0.9','\u00a0   ssh: root@192.168.0.9'), '11:1', 'error', '', 'the character U+00A0, which looks like a space, is used for indentation', 'use spaces'),
    ('typographic quotes', address('“192.168.2.2”'), '12:14', 'error', 'hosts.home.address', 'typographic quote “ at position 1', 'use " or no quotes at all'),
    ('full-width digits', address('１９２.168.2.2'), '12:14', 'error', 'hosts.home.address', '"１９２.168.2.2" is not an IP address ("１９２" is not a number)', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('Arabic digits', network('  mtu: ١٤٢٠\n'), '4:8', 'error', 'network.mtu', 'expected an MTU 576-1500, got "١٤٢٠"', 'a whole number in decimal, usually 1420'),
    ('hosts without a host', 'network: {name: a, subnet: 10.0.0.0/24}\nhosts:\n', '2:7', 'error', 'hosts', 'empty', 'give a value or delete the line'),
    ('no hosts at all', 'network: {name: a, subnet: 10.0.0.0/24}\n', '1:1', 'error', 'hosts', 'missing', 'add a hosts: section'),
    ('an empty mapping of hosts', 'network: {name: a, subnet: 10.0.0.0/24}\nhosts: {}\n', '2:8', 'error', 'hosts', 'no host is given', 'see inventory/home-company.yaml for one'),
    ('hosts as a list', 'network: {name: a, subnet: 10.0.0.0/24}\nhosts:\n  - a\n', '3:3', 'error', 'hosts', 'expected a mapping, got a list', 'write the fields of hosts below it, each indented, as name:'),
    ('an empty network', 'network:\nhosts: {a: {ssh: a, address: 10.0.0.1}}\n', '1:9', 'error', 'network', 'empty', 'give a value or delete the line'),
    ('a network as a list', 'network: [a]\nhosts: {a: {ssh: a, address: 10.0.0.1}}\n', '1:10', 'error', 'network', 'expected a mapping, got a list', 'write the fields of network below it, each indented, as'),
    ('a list at the top', '- a\n', '1:1', 'error', '', 'expected a mapping with "network" and "hosts" at the top', 'inventory/home-company.yaml is one to start from'),
    ('a word at the top', 'hello\n', '1:1', 'error', '', 'expected a mapping with "network" and "hosts" at the top', 'inventory/home-company.yaml is one to start from'),
    ('a host without fields', swap('  home:\n    ssh: root@192.168.0.9\n    address: 192.168.2.2\n','  home:\n'), '10:8', 'error', 'hosts.home', 'expected a mapping with ssh', 'write "ssh: root@HOST" below the name'),
    ('a host in one line', swap('  home:\n    ssh: root@192.168.0.9\n    address: 192.168.2.2\n','  home: root@1.2.3.4\n'), '10:9', 'error', 'hosts.home', 'expected a mapping with ssh', 'write "ssh: root@HOST" below the name'),
    ('ssh without a value', ssh(''), '11:9', 'error', 'hosts.home.ssh', 'empty', 'give a value or delete the line'),
    ('ssh as a list', ssh('[a]'), '11:10', 'error', 'hosts.home.ssh', 'expected user@host, got a list', 'write one value, without brackets or fields below it'),
    ('ssh as an empty mapping', ssh('{}'), '11:10', 'error', 'hosts.home.ssh.host', 'missing', 'host: 10.10.13.62'),
    ('a whole ssh command', ssh('"ssh root@1.2.3.4"'), '11:10', 'error', 'hosts.home.ssh', '"ssh root" has characters other than a-z A-Z 0-9 _ . -', 'like root'),
    ('an ssh URL', ssh('ssh://root@1.2.3.4:22'), '11:10', 'error', 'hosts.home.ssh', '"ssh://" is not accepted', 'write user@host, or user@host:port'),
    ('an SSH address with an octet above 255', ssh('root@1.2.3.400'), '11:10', 'error', 'hosts.home.ssh', 'octet 4 is 400; the maximum is 255', 'a number 0-255 there'),
    ('an SSH port above 65535', ssh('root@1.2.3.4:99999'), '11:10', 'error', 'hosts.home.ssh', '"99999" is not a port', 'a number 1-65535'),
    ('an SSH port left out behind its colon', ssh('root@1.2.3.4:'), '11:22', 'error', '', 'a second ":" on one line', 'put the value in quotes, or start a new line after the'),
    ('an empty user', ssh('"@1.2.3.4"'), '11:10', 'error', 'hosts.home.ssh', '"@1.2.3.4" names no user', 'write root@1.2.3.4, or 1.2.3.4'),
    ('a user without a host', ssh('root@'), '11:10', 'error', 'hosts.home.ssh', '"root@" names no host', 'write user@host'),
    ('a broken IPv6 address for SSH', ssh('"root@[2001:db8::zz]:22"'), '11:10', 'error', 'hosts.home.ssh', '"2001:db8::zz" is not an IP address', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('a command substitution for a host', ssh('"$(touch x)"'), '11:10', 'error', 'hosts.home.ssh', '"$(touch x)" is not a DNS name ("$" at 1)', 'letters, digits, dots and - only'),
    ('a semicolon in a user', ssh('"a;b@h"'), '11:10', 'error', 'hosts.home.ssh', '"a;b" has characters other than a-z A-Z 0-9 _ . -', 'like root'),
    ('loopback for SSH', ssh('127.0.0.1'), '11:10', 'error', 'hosts.home.ssh', '127.0.0.1 is the machine wgorch runs on', 'say so: "ssh: local"'),
    ('one machine under two names', ssh('root@203.0.113.13'), '11:10', 'error', 'hosts.home.ssh', 'root@203.0.113.13 is also hosts.bcc (6:10)', 'one entry for each machine'),
    ('via without a value', ssh('{host: a, via: }'), '11:25', 'error', 'hosts.home.ssh.via', 'empty', 'give a value or delete the line'),
    ('a decimal number for a jump host', ssh('{host: a, via: 5.5}'), '11:25', 'error', 'hosts.home.ssh.via', '5.5 reads as a decimal number; an address has 4 parts', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('a misspelt field of a jump host', ssh('{host: a, via: {hst: b}}'), '11:25', 'error', 'hosts.home.ssh.via.host', 'missing', 'host: 10.10.13.62'),
    ('a space in a jump host', ssh('{host: a, via: "a b"}'), '11:25', 'error', 'hosts.home.ssh.via', '"a b" is not a DNS name (space at 2)', 'letters, digits, dots and - only'),
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
    ('a flag without a value', swap('relay: true','relay:'), '9:11', 'error', 'hosts.bcc.relay', 'empty', 'give a value or delete the line'),
    ('an address with a prefix', address('192.168.2.2/24'), '12:14', 'error', 'hosts.home.address', '"192.168.2.2/24" has a prefix', 'write the address alone: 192.168.2.2'),
    ('an address outside the tunnel', address('10.0.0.5'), '12:14', 'error', 'hosts.home.address', '10.0.0.5 lies outside network.subnet 192.168.2.0/24 (3:11)', '192.168.2.2 is free'),
    ('an IPv6 address in an IPv4 tunnel', address('fd00::2'), '12:14', 'error', 'hosts.home.address', 'fd00::2 lies outside network.subnet 192.168.2.0/24 (3:11)', '192.168.2.2 is free'),
    ('a name for an address', address('home.example'), '12:14', 'error', 'hosts.home.address', '"home.example" is not an IP address', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('an address of five numbers', address('192.168.2.2.2'), '12:14', 'error', 'hosts.home.address', '"192.168.2.2.2" has 5 parts; an address has 4', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('an address of three numbers', address('192.168.2'), '12:14', 'error', 'hosts.home.address', '"192.168.2" has 3 parts; an address has 4', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('commas in an address', address('192,168,2,2'), '12:14', 'error', 'hosts.home.address', '"192,168,2,2" is not an IP address', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('an address as one number', address('3232236034'), '12:14', 'error', 'hosts.home.address', '"3232236034" has 1 part; an address has 4', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('the letter O in an address', address('192.168.2.O'), '12:14', 'error', 'hosts.home.address', '"192.168.2.O" is not an IP address ("O" is not a number)', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('a range of addresses', address('192.168.2.2-5'), '12:14', 'error', 'hosts.home.address', '"192.168.2.2-5" is not an IP address ("2-5" is not a number)', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('two addresses of one kind', address('[192.168.2.2, 192.168.2.5]'), '12:28', 'error', 'hosts.home.address[1]', '192.168.2.5 is of IPv4, as 192.168.2.2 is; there can be one of each kind', 'keep one'),
    ('an empty list of addresses', address('[]'), '12:14', 'error', 'hosts.home.address', 'the list is empty', 'give a value or delete the line'),
    ('an IPv6 address in a list, in an IPv4 tunnel', address('[192.168.2.2, "fd00::2"]'), '12:28', 'error', 'hosts.home.address[1]', 'fd00::2 lies outside network.subnet 192.168.2.0/24 (3:11)', '192.168.2.4 is free'),
    ('two double colons in an address', address('fd00::2::3'), '12:14', 'error', 'hosts.home.address', '"fd00::2::3" is not an IPv6 address', 'like 2001:db8::1'),
    ('an address with a trailing dot', address('192.168.2.2.'), '12:14', 'error', 'hosts.home.address', '"192.168.2.2." is not an IP address', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('a subnet with host bits', swap('subnet: 192.168.2.0/24','subnet: 192.168.2.1/24'), '3:11', 'error', 'network.subnet', '192.168.2.1/24 has host bits set', 'write the network: 192.168.2.0/24'),
    ('a subnet without a prefix', swap('subnet: 192.168.2.0/24','subnet: 192.168.2.0'), '3:11', 'error', 'network.subnet', '"192.168.2.0" has no prefix', '192.168.2.0/24 for a LAN, 192.168.2.0/32 for one machine'),
    ('two subnets of one kind', swap('subnet: 192.168.2.0/24','subnet: [192.168.2.0/24, 192.168.3.0/24]'), '3:28', 'error', 'network.subnet[1]', '192.168.3.0/24 is of IPv4, as 192.168.2.0/24 is; there can be one of each kind', 'keep one'),
    ('a subnet without room', swap('subnet: 192.168.2.0/24','subnet: 192.168.2.0/30'), '3:11', 'error', 'network.subnet', '192.168.2.0/30 has room for 2 hosts; there are 3', 'a larger network.subnet'),
    ('an IPv6 LAN without an IPv6 tunnel', swap('[10.10.13.0/24]','[10.10.13.0/24, "fd10::/64"]'), '16:30', 'error', 'hosts.company.subnets[1]', 'fd10::/64 is of IPv6, but the tunnel has no network of that kind', 'network.subnet: ["192.168.2.0/24", "fd00:2::/64"]'),
    ('a loopback subnet', swap('subnet: 192.168.2.0/24','subnet: 127.0.0.0/8'), '3:11', 'error', 'network.subnet', '127.0.0.0/8 (loopback) cannot be routed to a peer', 'a private network, like 10.10.13.0/24'),
    ('everything as the subnet', swap('subnet: 192.168.2.0/24','subnet: 0.0.0.0/0'), '3:11', 'error', 'network.subnet', '0.0.0.0/0 (everything, or nothing) cannot be routed to a peer', 'a private network, like 10.10.13.0/24'),
    ('a backslash for a slash', swap('subnet: 192.168.2.0/24','subnet: 192.168.2.0\\24'), '3:11', 'error', 'network.subnet', '"192.168.2.0\\24" is not an IP address ("0\\24" is not a number)', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('an endpoint inside the tunnel', swap('subnet: 192.168.2.0/24','subnet: 203.0.113.0/24'), '7:15', 'error', 'hosts.bcc.endpoint', '203.0.113.13 lies inside network.subnet: the tunnel would carry itself', 'the endpoint is the address outside the tunnel'),
    ('an SSH address inside the tunnel', swap('subnet: 192.168.2.0/24','subnet: 192.168.0.0/16'), '11:10', 'warning', 'hosts.home.ssh', '192.168.0.9 lies inside network.subnet: SSH would need the tunnel that it builds', 'the address outside the tunnel'),
    ('a network name with a capital', swap('name: office','name: Office'), '2:9', 'error', 'network.name', '"Office" has characters other than a-z 0-9 - (first a letter)', 'office'),
    ('a long network name', swap('name: office','name: officeofficeoffice'), '2:9', 'error', 'network.name', '"officeofficeoffice" is 18 characters long; at most 15', 'like office'),
    ('a network name that begins with a digit', swap('name: office','name: 1office'), '2:9', 'error', 'network.name', '"1office" has characters other than a-z 0-9 - (first a letter)', 'like office'),
    ('a network named no', swap('name: office','name: no'), '2:9', 'error', 'network.name', '"no" reads as the boolean false in YAML 1.1', 'quote it: "no"'),
    ('no network name', swap('  name: office\n',''), '2:3', 'error', 'network.name', 'missing', 'name: office'),
    ('no subnet', swap('  subnet: 192.168.2.0/24\n',''), '2:3', 'error', 'network.subnet', 'missing', 'subnet: 192.168.2.0/24'),
    ('a path for a network name', swap('name: office','name: ../x'), '2:9', 'error', 'network.name', '"../x" has characters other than a-z 0-9 - (first a letter)', 'like office'),
    ('a host without ssh', swap('    ssh: root@192.168.0.9\n',''), '11:5', 'error', 'hosts.home.ssh', 'missing', 'add ssh:'),
    ('a flow that is not in a list', swap('  - home -> 10.10.13.61\n','')[:-1]+' home -> 10.10.13.61\n', '18:9', 'error', 'verify', 'expected a list', 'write "- home -> 10.10.13.61" on lines of their own'),
    ('another arrow in a flow', swap('home -> 10.10.13.61','home => 10.10.13.61'), '19:5', 'error', 'verify[0]', '"home => 10.10.13.61" is not a flow', 'write it as: home -> 10.10.13.61'),
    ('a flow from nobody', swap('home -> 10.10.13.61','hom -> 10.10.13.61'), '19:5', 'error', 'verify[0]', 'there is no host "hom". Did you mean "home"?', 'one of: bcc, company, home'),
    ('a flow to nobody', swap('home -> 10.10.13.61','home -> comany'), '19:5', 'error', 'verify[0]', 'there is no host "comany". Did you mean "company"?', 'one of: bcc, company, home'),
    ('a flow to a broken address', swap('home -> 10.10.13.61','home -> 10.10.13.661'), '19:5', 'error', 'verify[0]', 'octet 4 is 661; the maximum is 255', 'a number 0-255 there'),
    ('a flow without a reader', swap('home -> 10.10.13.61','-> 10.10.13.61'), '19:5', 'error', 'verify[0]', '"-> 10.10.13.61" is not a flow', 'write it as: home -> 10.10.13.61'),
    ('a flow with a colon', swap('home -> 10.10.13.61','home: 10.10.13.61'), '19:5', 'error', 'verify[0]', 'expected a flow like home -> 10.10.13.61, got a mapping', 'write one value, without brackets or fields below it'),
    ('a flow without a word', swap('  - home -> 10.10.13.61\n','  -\n'), '19:4', 'error', 'verify[0]', 'empty', 'give a value or delete the line'),
    ('verify without a flow', swap('  - home -> 10.10.13.61\n',''), '18:8', 'error', 'verify', 'empty', 'list flows below it, or delete the line'),
    ('a typographic arrow', swap('home -> 10.10.13.61','home → 10.10.13.61'), '19:5', 'error', 'verify[0]', '"home → 10.10.13.61" is not a flow', 'write it as: home -> 10.10.13.61'),
    ('a flow by way of a host', swap('home -> 10.10.13.61','home -> bcc -> 10.10.13.61'), '19:5', 'error', 'verify[0]', '"home -> bcc -> 10.10.13.61" is not a flow', 'write it as: home -> 10.10.13.61'),
    ('a flow to a network', swap('home -> 10.10.13.61','home -> 10.10.13.0/24'), '19:5', 'error', 'verify[0]', '"10.10.13.0/24" has a prefix', 'write the address alone: 10.10.13.0'),
    ('a flow to a port', swap('home -> 10.10.13.61','home -> 10.10.13.61:80'), '19:5', 'error', 'verify[0]', '"10.10.13.61:80" has a port', 'write the address alone: 10.10.13.61'),
    ('no space behind the dash of a flow', BASE.replace('  - home','  -home'), '19:3', 'error', 'verify', 'expected a list', 'write "- home -> 10.10.13.61" on lines of their own'),
    ('the tunnel as a LAN card', swap('lan_interface: ens192','lan_interface: wg0'), '17:20', 'error', 'hosts.company.lan_interface', 'wg0 is the tunnel itself', "name the LAN's card"),
    ('a card without subnets', home('    lan_interface: eth0\n'), '13:20', 'warning', 'hosts.home.lan_interface', 'given without subnets, so it is never used', 'add subnets'),
    ('a long card', swap('lan_interface: ens192','lan_interface: averylongnameforadevice'), '17:20', 'error', 'hosts.company.lan_interface', '"averylongnameforadevice" is 23 characters long; at most 15', 'like ens192'),
    ('a semicolon in a card', swap('lan_interface: ens192','lan_interface: "a;b"'), '17:20', 'error', 'hosts.company.lan_interface', '"a;b" has characters other than a-z A-Z 0-9 _ . -', 'like ens192'),
    ('a host key that is none', home('    host_key: abc\n'), '13:15', 'error', 'hosts.home.host_key', '"abc" is not a host key', 'like "ssh-ed25519 AAAA…" or "SHA256:…"'),
    ('an MD5 fingerprint', home('    host_key: MD5:aa:bb\n'), '13:15', 'error', 'hosts.home.host_key', '"MD5:aa:bb" is not a host key', 'like "ssh-ed25519 AAAA…" or "SHA256:…"'),
    ('an option for a key file', ssh('{host: a, identity: -x}'), '11:30', 'error', 'hosts.home.ssh.identity', 'must not start with "-"', 'like ~/.ssh/id_ed25519'),
    ('a key in place of its file', ssh('{host: a, identity: "-----BEGIN OPENSSH PRIVATE KEY-----"}'), '11:30', 'error', 'hosts.home.ssh.identity', 'a key itself, where its file is meant (value hidden)', 'like ~/.ssh/id_ed25519; treat this key as leaked'),
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
    ('a template', address('{{ ip }}'), '12:15', 'error', '', 'a key must be a word, not a list or a mapping', 'write the value itself; templates ({{ … }}) are not read'),
    ('a block for an address', address('|\n      192.168.2.2'), '12:14', 'error', 'hosts.home.address', 'several lines where one value belongs', 'write the value on one line'),
    ('two documents', BASE+'---\n'+BASE, '20:1', 'error', '', 'a second document starts here', 'keep one document; delete the "---"'),
    ('a directive of YAML', '%YAML 2.0\n---\n'+BASE, '1:1', 'error', '', "YAML's directives are not accepted", 'delete the line'),
    ('a list as a key', '? [a]\n: b\n', '1:3', 'error', '', 'a key must be a word, not a list or a mapping', 'write key: value'),
    ('a backslash in double quotes', address('"\\q"'), '12:15', 'error', '', 'a backslash begins something that YAML does not know', 'put the value in single quotes'),
    ('a bracket at the end', BASE+']\n', '20:1', 'error', '', '"]" closes nothing that is open', 'delete it'),
    ('two closing brackets', subnets('[10.10.13.0/24]]'), '16:29', 'error', '', '"]" closes nothing that is open', 'delete it'),
    ('a dash before a host', swap('  home:\n','  - home:\n'), '10:3', 'error', '', '"-" starts a list, but keys stand on this level', 'delete the "-", or indent the list'),
    ('a tilde for a host name', swap('  home:\n','  ~:\n'), '10:3', 'error', 'hosts', 'empty', 'give a value or delete the line'),
    ('a host named on', swap('  home:\n','  on:\n'), '10:3', 'error', 'hosts', '"on" reads as the boolean true in YAML 1.1', 'quote it: "on"'),
    ('a host name that begins with a dash', swap('  home:\n','  -home:\n'), '10:3', 'error', 'hosts', 'must not start with "-"', 'like home'),
    ('a host name in capitals', swap('  home:\n','  HOME:\n'), '10:3', 'error', 'hosts', '"HOME" has characters other than a-z 0-9 -', 'home'),
    ('an underscore in a host name', swap('  home:\n','  my_home:\n'), '10:3', 'error', 'hosts', '"my_home" has characters other than a-z 0-9 -', 'like home'),
    ('a section with a capital', swap('hosts:','Hosts:'), '4:1', 'error', 'Hosts', 'unknown field. Did you mean "hosts"?', 'known here: network, hosts, devices, links, verify'),
    ('a section without its s', swap('hosts:','host:'), '4:1', 'error', 'host', 'unknown field. Did you mean "hosts"?', 'known here: network, hosts, devices, links, verify'),
    ('a hyphen in a field', network('  listen-port: 5\n'), '4:3', 'error', 'network.listen-port', 'unknown field. Did you mean "listen_port"?', 'known here: name, subnet, interface, listen_port, mtu,'),
    ('a field as wg writes it', network('  ListenPort: 5\n'), '4:3', 'error', 'network.ListenPort', 'unknown field. Did you mean "listen_port"?', 'known here: name, subnet, interface, listen_port, mtu,'),
    ('a field of another tool: role', home('    role: hub\n'), '13:5', 'error', 'hosts.home.role', 'unknown field. Did you mean "relay"?', 'known here: ssh, address, endpoint, relay, subnets,'),
    ('a field of another tool: port', network('  port: 5\n'), '4:3', 'error', 'network.port', 'unknown field. Did you mean "listen_port"?', 'known here: name, subnet, interface, listen_port, mtu,'),
    ('a field of another tool: allowed_ips', home('    allowed_ips: [10.0.0.0/8]\n'), '13:5', 'error', 'hosts.home.allowed_ips', 'unknown field. Did you mean "subnets"?', 'known here: ssh, address, endpoint, relay, subnets,'),
    ('a field of another tool: jump', ssh('{host: a, jump: b}'), '11:20', 'error', 'hosts.home.ssh.jump', 'unknown field. Did you mean "via"?', 'known here: host, user, port, via, identity'),
    ('a mapped IPv4 LAN', subnets('["::ffff:10.0.0.0/120"]'), '16:15', 'error', 'hosts.company.subnets[0]', '::ffff:a00:0/120 (everything, or nothing) cannot be routed to a peer', 'a private network, like 10.10.13.0/24'),
    ('an address with a zone', address('"fd00::1%eth0"'), '12:14', 'error', 'hosts.home.address', '"fd00::1%eth0" has a zone', 'write the address alone: fd00::1'),
    ('a tilde in a list', subnets('[~]'), '16:15', 'error', 'hosts.company.subnets[0]', 'empty', 'give a value or delete the line'),
    ('a mapping for a list', subnets('{a: b}'), '16:14', 'error', 'hosts.company.subnets', 'expected a list, got a mapping', 'write [value, value], or delete the line'),
    ('an address where a LAN belongs', subnets('[10.10.13.61]'), '16:15', 'error', 'hosts.company.subnets[0]', '"10.10.13.61" has no prefix', '10.10.13.0/24 for a LAN, 10.10.13.61/32 for one machine'),
    ('a list in a list', subnets('[[10.10.13.0/24]]'), '16:15', 'error', 'hosts.company.subnets[0]', 'expected a network like 10.10.13.0/24, got a list', 'write one value, without brackets or fields below it'),
    ('a space before a prefix', subnets('[10.10.13.0 /24]'), '16:15', 'error', 'hosts.company.subnets[0]', '"10.10.13.0 /24" has a space in it', '10.10.13.0/24'),
    ('a negative prefix', subnets('[10.0.0.0/-1]'), '16:15', 'error', 'hosts.company.subnets[0]', '"-1" is not a prefix length', 'a number 0-32'),
    ('a number of 23 digits', network('  mtu: 99999999999999999999999\n'), '4:8', 'error', 'network.mtu', 'expected an MTU 576-1500, got "99999999999999999999999"', 'a whole number in decimal, usually 1420'),
    ('a decimal number', network('  mtu: 1420.0\n'), '4:8', 'error', 'network.mtu', 'expected an MTU 576-1500, got "1420.0"', 'a whole number in decimal, usually 1420'),
    ('a bell in a card', home('    lan_interface: "e\\x07"\n'), '13:20', 'error', 'hosts.home.lan_interface', 'control character \\x07 at position 2', 'delete it'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=[row[0].replace(" ", "_") for row in BAD])
def test_a_mistyped_inventory_is_told_with_place_field_and_fix(row: tuple[str, ...]) -> None:
    _, text, place, kind, path, message, fix = row

    actual = [t for t in problems(text) if t.message.startswith(message)]

    assert [(place, kind, path)] == [(t.place, t.kind, t.path) for t in actual]
    assert fix
    assert actual[0].fix.startswith(fix)


def test_every_place_lies_inside_the_file() -> None:
    for _, text, *_ in BAD:
        lines = reader.BREAKS.split(text)
        locations = [tuple(map(int, t.place.split(":"))) for t in problems(text)]

        assert [] == [(line, column) for line, column in locations if not 1 <= column <= len(lines[line - 1]) + 1]


def test_the_reference_inventory_has_no_trouble() -> None:
    assert () == loads(BASE).warnings


@pytest.mark.parametrize(
    "text", ["\ufeff" + BASE, BASE.replace("\n", "\r\n"), BASE.replace("\n", "\r"), "---\n" + BASE]
)
def test_what_editors_add_does_no_harm(text: str) -> None:
    assert loads(BASE) == loads(text)


def test_a_line_with_windows_endings_is_told_at_its_place() -> None:
    text = address("192.168.2.300").replace("\n", "\r\n")

    assert ["12:14"] == [t.place for t in problems(text)]


def test_a_strange_character_behind_other_scripts_is_told_at_its_place() -> None:
    text = swap("  name: office", "  # 网络，办公室\n  name: of\0fice")

    assert [("3:11", "character U+0000 is not allowed in YAML")] == [(t.place, t.message) for t in problems(text)]


def test_all_troubles_of_a_file_are_told_at_once_in_its_order() -> None:
    text = (
        BASE.replace("38371", "70000").replace("192.168.2.2", "192.168.2.300").replace("10.10.13.0/24", "10.10.13.0/33")
    )

    actual = problems(text + "  - nobody -> 10.10.13.61\n")

    assert ["7:15", "12:14", "16:15", "20:5"] == [t.place for t in actual]


def test_a_wrong_value_has_no_echo_in_other_fields() -> None:
    assert ["hosts.bcc.endpoint"] == [t.path for t in problems(endpoint("203.0.113.13"))]
    assert ["hosts.company.subnets[0]"] == [t.path for t in problems(subnets("[10.10.13.0/33]"))]
    assert ["hosts.company.subnets"] == [t.path for t in problems(subnets("*a"))]


def test_of_a_thousand_troubles_fifty_are_told_and_the_rest_counted() -> None:
    text = "".join(f"x{i}: 1\n" for i in range(100))

    lines = told(text).split("\n")

    assert "inventory.yaml: … and 52 more" == lines[-1]


def test_a_missing_file_is_told_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(InventoryError) as raised:
        load(tmp_path / "none.yaml")

    assert f'none.yaml: error: cannot read "{tmp_path}/none.yaml": No such file' in str(raised.value)
    assert "fix: " in str(raised.value)


def test_a_directory_is_no_inventory(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="Is a directory"):
        load(tmp_path)


def test_a_file_in_another_encoding_is_told_at_its_first_foreign_byte(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_bytes(BASE.replace("office", "b\xfcro").encode("latin-1"))

    with pytest.raises(InventoryError) as raised:
        load(path)

    assert "inventory.yaml:2:10: error: byte 0xfc is not UTF-8\n    fix: save the file as UTF-8" in str(raised.value)


def test_a_file_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yaml"
    with path.open("wb") as file:
        file.truncate(8 << 30)

    with pytest.raises(InventoryError):
        load(path)


MANY = "network: {name: a, subnet: 10.0.0.0/8}\nhosts:\n"

BOMBS = {
    "a_large_file": "x" * 11_000_000,
    "many_values_in_brackets": "a: [" + "a," * 101_000 + "]",
    "many_values_in_lines": "a:\n" + "- a\n" * 101_000,
    "many_unknown_fields": MANY + "  h:\n" + "".join(f"    k{i}: 1\n" for i in range(15_000)),
    "many_broken_hosts": MANY + "".join(f"  h{i}: 1\n" for i in range(15_000)),
    "many_broken_flows": MANY + "  a: {ssh: a, address: 10.0.0.1}\nverify:\n" + "- x -> y\n" * 25_000,
    "one_field_again_and_again": "a: 1\n" * 20_000,
    "aliases_of_aliases": "a: &a [x,x]\n" + "".join(f"b{i}: &b{i} [*a,*a]\n" for i in range(6_000)),
    "a_billion_laughs": "a: &a [x]\n"
    + "".join(f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in pairwise("abcdefghi")),
    "lists_nested_deeply": "[" * 1_000_000,
    "mappings_nested_deeply": "{a: " * 200_000,
    "dashes": "- " * 300_000,
    "question_marks": "? " * 300_000,
    "colons": ": " * 300_000,
    "a_quote_without_end": 'a: "' + "x" * 900_000,
    "a_key_without_end": "x" * 900_000 + ": 1",
    "a_tag_without_end": "!<" + "x" * 1_000_000 + "> a",
    "spaces": " " * 900_000,
    "tabs": "\t" * 900_000,
    "equal_signs_after_a_secret": "password: " + "a=" * 900_000,
    "jump_hosts_in_a_row": MANY
    + "".join(
        f"  h{i}: {{ssh: {{host: x{i}.example, via: h{i + 1}}}, address: 10.0.{i >> 8}.{i & 255}}}\n"
        for i in range(1, 1200)
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_within_a_second(name: str) -> None:
    begin = time.process_time()
    with pytest.raises(InventoryError) as raised:
        loads(BOMBS[name])

    assert time.process_time() - begin < 1.0
    assert len(str(raised.value)) < 60_000


KEY = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="

SECRETS = {
    "in_a_field_of_its_own": home("    password: hunter2\n"),
    "in_quotes": home('    "password": "hunter2"\n'),
    "in_a_list": home("    passwords: [x, hunter2]\n"),
    "in_a_mapping": home("    secret:\n      a: x\n      b: hunter2\n"),
    "in_a_block": home("    sudo_pass: |\n      x\n      hunter2\n"),
    "before_another_trouble": ssh("{host: 192.168.0.9, password: hunter2, port: x}"),
    "with_a_tag": home("    password: !!str hunter2\n"),
    "with_an_anchor": home("    password: &p hunter2\n"),
    "given_twice": home("    password: hunter2\n    password: hunter2\n"),
    "given_twice_inside": home("    secret:\n      a: hunter2\n      a: hunter2\n"),
    "in_a_quote_that_is_never_closed": home('    password: "hunter2\n'),
    "with_a_second_colon": home("    password: a: hunter2\n"),
    "with_an_at_sign": home("    password: @hunter2\n"),
    "with_a_star": home("    psk: *hunter2!\n").replace("*hunter2!", "*x! hunter2"),
    "with_a_tab": home("\tpassword: hunter2\n"),
    "with_a_control_character": home("    token: hunter2\x07\n"),
    "with_an_equal_sign": home("    password = hunter2\n"),
    "in_the_address": ssh("root:hunter2@192.168.0.9"),
    "in_the_address_of_a_jump_host": ssh('{host: a, via: "root:hunter2@b"}'),
    "in_place_of_a_key_file": ssh('{host: a, identity: "-----BEGIN OPENSSH PRIVATE KEY----- hunter2"}'),
    "in_a_key_pasted_below": ssh("{host: a}").replace(
        "ssh: {host: a}", "identity: -----BEGIN RSA PRIVATE KEY-----\n      hunter2\n    ssh: {host: a, port: x}"
    ),
    "in_an_unknown_section": BASE + "credentials:\n  home: hunter2\n",
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_never_shown(name: str) -> None:
    text = SECRETS[name]

    assert "hunter2" in text
    assert "inventory.yaml:" in told(text)
    assert "hunter2" not in told(text)


@pytest.mark.parametrize(
    "text",
    [
        home(f"    private_key: {KEY}\n"),
        home(f"    PrivateKey = {KEY}\n"),
        home(f"    key: {KEY}\n"),
        address(KEY),
        address(f'"{KEY}'),
        subnets(f"[{KEY}]"),
        swap("  home:", f'  "{KEY}":'),
        swap("home -> 10.10.13.61", f"home -> {KEY}"),
        BASE + f"{KEY}: 1\n",
        BASE + f"{KEY}\n",
    ],
)
def test_a_key_of_wireguard_is_never_shown_wherever_it_was_pasted(text: str) -> None:
    assert "inventory.yaml:" in told(text)
    assert KEY not in told(text)


def test_nothing_that_a_terminal_would_obey_is_told() -> None:
    actual = "".join(told(text) for _, text, *_ in BAD)

    assert set() == {c for c in actual if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")}


def test_pythons_own_yaml_parser_finds_fault_with_the_same_files(monkeypatch: pytest.MonkeyPatch) -> None:
    here = [(name, t.place.split(":")[0], t.path) for name, text, *_ in BAD for t in problems(text) if t.path]
    monkeypatch.setattr(reader, "_Loader", yaml.SafeLoader)

    there = [(name, t.place.split(":")[0], t.path) for name, text, *_ in BAD for t in problems(text) if t.path]

    assert here == there


FIXED = [
    (address("192.168.02.2"), "192.168.02.2"),
    (network("  listen_port: 010\n"), "010"),
    (network("  persistent_keepalive: 1:30\n"), "1:30"),
    (network("  interface: eth0\n"), "eth0"),
    (swap("name: office", "name: Office"), "Office"),
    (subnets("[10.10.13.0 /24]"), "10.10.13.0 /24"),
    (endpoint("203.0.113.13"), "203.0.113.13\n"),
    (endpoint("udp://203.0.113.13:51820"), "udp://203.0.113.13:51820"),
    (endpoint("[2001:db8::1]:51820"), "[2001:db8::1]:51820"),
    (endpoint("host.example.:51820"), "host.example."),
    (address("192.168.2.2/24"), "192.168.2.2/24"),
    (subnets("[10.10.13.5/24]"), "10.10.13.5/24"),
    (subnets("[10.10.13.0/255.255.255.0]"), "10.10.13.0/255.255.255.0"),
    (subnets("10.10.13.0/24, 10.10.14.0/24"), "10.10.13.0/24, 10.10.14.0/24"),
    (swap("home -> 10.10.13.61", "home -> 10.10.13.61:80"), "10.10.13.61:80"),
    (network("  mtu: 9000\n"), "9000"),
]


@pytest.mark.parametrize(("text", "wrong"), FIXED)
def test_typing_what_the_fix_says_heals_the_file(text: str, wrong: str) -> None:
    fix = problems(text)[0].fix
    words = re.sub(r"^(write( the address alone:| a list:| the prefix:| the network:)?|put it in quotes:) ", "", fix)
    right = words.rsplit("usually ", 1)[-1] + ("\n" if wrong.endswith("\n") else "")

    healed = text.replace(wrong, right) if "\n" in wrong else right.join(text.rsplit(wrong, 1))

    assert "" == told(healed)
