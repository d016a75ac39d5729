"""Addresses, networks, endpoints and machines."""

from __future__ import annotations

import pytest

from tests.inventory.mistyped import Row, address, assert_shown, endpoint, ids, subnets, swap

# fmt: off
BAD: list[Row] = [
    ('an address of two numbers', address('10.0'), '12:14', 'error', 'hosts.home.address', '10.0 reads as a decimal number; an address has 4 parts', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('an octet above 255', address('192.168.2.300'), '12:14', 'error', 'hosts.home.address', 'octet 4 is 300; the maximum is 255', 'a number 0-255 there'),
    ('a leading zero in an octet', address('192.168.02.1'), '12:14', 'error', 'hosts.home.address', 'a leading zero in octet 3 is ambiguous', '192.168.2.1'),
    ('a prefix above 32', subnets('[10.10.13.0/33]'), '16:15', 'error', 'hosts.company.subnets[0]', 'prefix 33 is larger than 32', 'a number 0-32'),
    ('a prefix above 32 in the second LAN', subnets('[10.10.14.0/24, 10.10.13.0/33]'), '16:30', 'error', 'hosts.company.subnets[1]', 'prefix 33 is larger than 32', 'a number 0-32'),
    ('a netmask', subnets('[10.10.13.0/255.255.255.0]'), '16:15', 'error', 'hosts.company.subnets[0]', 'a netmask is given', 'write the prefix: 10.10.13.0/24'),
    ('a netmask with holes', subnets('[10.10.13.0/255.0.255.0]'), '16:15', 'error', 'hosts.company.subnets[0]', '"255.0.255.0" is not a netmask', 'write the prefix, like 10.10.13.0/24'),
    ('two LANs in one string of a list', subnets('["10.10.13.0/24, 10.10.14.0/24"]'), '16:15', 'error', 'hosts.company.subnets[0]', '"10.10.13.0/24, 10.10.14.0/24" is one string with several networks', 'write a list: [10.10.13.0/24, 10.10.14.0/24]'),
    ('a loopback LAN', subnets('[127.0.0.0/8]'), '16:15', 'error', 'hosts.company.subnets[0]', '127.0.0.0/8 (loopback) cannot be routed to a peer', 'a private network, like 10.10.13.0/24'),
    ('a multicast LAN', subnets('[224.0.0.0/4]'), '16:15', 'error', 'hosts.company.subnets[0]', '224.0.0.0/4 (multicast) cannot be routed to a peer', 'a private network, like 10.10.13.0/24'),
    ('a link-local LAN', subnets('[169.254.0.0/16]'), '16:15', 'error', 'hosts.company.subnets[0]', '169.254.0.0/16 (link-local) cannot be routed to a peer', 'a private network, like 10.10.13.0/24'),
    ('everything as a LAN', subnets('[0.0.0.0/0]'), '16:15', 'error', 'hosts.company.subnets[0]', '0.0.0.0/0 (everything, or nothing) cannot be routed to a peer', 'a private network, like 10.10.13.0/24'),
    ('a reserved LAN', subnets('[240.0.0.0/4]'), '16:15', 'error', 'hosts.company.subnets[0]', '240.0.0.0/4 (reserved) cannot be routed to a peer', 'a private network, like 10.10.13.0/24'),
    ('an endpoint without a port', endpoint('203.0.113.13'), '7:15', 'error', 'hosts.bcc.endpoint', 'port missing', '203.0.113.13:51820'),
    ('an endpoint in brackets', endpoint('[2001:db8::1]'), '7:15', 'error', 'hosts.bcc.endpoint', 'YAML reads [..] as a list', 'put the endpoint in quotes'),
    ('an endpoint with a scheme', endpoint('udp://203.0.113.13:51820'), '7:15', 'error', 'hosts.bcc.endpoint', '"udp://" is not accepted', 'write 203.0.113.13:51820'),
    ('a web address as an endpoint', endpoint('https://x.example'), '7:15', 'error', 'hosts.bcc.endpoint', '"https://" is not accepted', 'write host:port'),
    ('a space in an endpoint', endpoint('"my host.example:51820"'), '7:15', 'error', 'hosts.bcc.endpoint', '"my host.example" is not a DNS name (space at 3)', 'letters, digits, dots and - only'),
    ('an underscore in an endpoint', endpoint('my_host.example:51820'), '7:15', 'error', 'hosts.bcc.endpoint', '"my_host.example" is not a DNS name ("_" at 3)', 'letters, digits, dots and - only'),
    ('an endpoint with a trailing dot', endpoint('host.example.:51820'), '7:15', 'error', 'hosts.bcc.endpoint', '"host.example." ends with a dot', 'write host.example'),
    ('an endpoint with a label of 64 letters', endpoint('a'*64+'.example:1'), '7:15', 'error', 'hosts.bcc.endpoint', '"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example" is not a DNS', '1 to 63 letters, digits or - between dots, no - at their'),
    ('an endpoint of 269 letters', endpoint('.'.join(['abcdefgh']*30)+':1'), '7:15', 'error', 'hosts.bcc.endpoint', 'a DNS name of 269 characters; at most 253', 'write its address'),
    ('an IPv6 endpoint without brackets', endpoint('"2001:db8::1:51820"'), '7:15', 'error', 'hosts.bcc.endpoint', '"2001:db8::1:51820" is an IPv6 address without brackets', 'write "[2001:db8::1]:51820", in quotes'),
    ('port 0 in an endpoint', endpoint('203.0.113.13:0'), '7:15', 'error', 'hosts.bcc.endpoint', '"0" is not a port', 'a number 1-65535'),
    ('port 70000', endpoint('203.0.113.13:70000'), '7:15', 'error', 'hosts.bcc.endpoint', '"70000" is not a port', 'a number 1-65535'),
    ('letters for the port of an endpoint', endpoint('203.0.113.13:abc'), '7:15', 'error', 'hosts.bcc.endpoint', '"abc" is not a port', 'a number 1-65535'),
    ('an emoji for an address', address('😀'), '12:14', 'error', 'hosts.home.address', '"😀" is not an IP address', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('full-width digits', address('１９２.168.2.2'), '12:14', 'error', 'hosts.home.address', '"１９２.168.2.2" is not an IP address ("１９２" is not a number)', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('an address with a prefix', address('192.168.2.2/24'), '12:14', 'error', 'hosts.home.address', '"192.168.2.2/24" has a prefix', 'write the address alone: 192.168.2.2'),
    ('a name for an address', address('home.example'), '12:14', 'error', 'hosts.home.address', '"home.example" is not an IP address', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('an address of five numbers', address('192.168.2.2.2'), '12:14', 'error', 'hosts.home.address', '"192.168.2.2.2" has 5 parts; an address has 4', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('an address of three numbers', address('192.168.2'), '12:14', 'error', 'hosts.home.address', '"192.168.2" has 3 parts; an address has 4', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('commas in an address', address('192,168,2,2'), '12:14', 'error', 'hosts.home.address', '"192,168,2,2" is not an IP address', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('an address as one number', address('3232236034'), '12:14', 'error', 'hosts.home.address', '"3232236034" has 1 part; an address has 4', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('the letter O in an address', address('192.168.2.O'), '12:14', 'error', 'hosts.home.address', '"192.168.2.O" is not an IP address ("O" is not a number)', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('a range of addresses', address('192.168.2.2-5'), '12:14', 'error', 'hosts.home.address', '"192.168.2.2-5" is not an IP address ("2-5" is not a number)', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('two double colons in an address', address('fd00::2::3'), '12:14', 'error', 'hosts.home.address', '"fd00::2::3" is not an IPv6 address', 'like 2001:db8::1'),
    ('an address with a trailing dot', address('192.168.2.2.'), '12:14', 'error', 'hosts.home.address', '"192.168.2.2." is not an IP address', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('a subnet with host bits', swap('subnet: 192.168.2.0/24','subnet: 192.168.2.1/24'), '3:11', 'error', 'network.subnet', '192.168.2.1/24 has host bits set', 'write the network: 192.168.2.0/24'),
    ('a subnet without a prefix', swap('subnet: 192.168.2.0/24','subnet: 192.168.2.0'), '3:11', 'error', 'network.subnet', '"192.168.2.0" has no prefix', '192.168.2.0/24 for a LAN, 192.168.2.0/32 for one machine'),
    ('a loopback subnet', swap('subnet: 192.168.2.0/24','subnet: 127.0.0.0/8'), '3:11', 'error', 'network.subnet', '127.0.0.0/8 (loopback) cannot be routed to a peer', 'a private network, like 10.10.13.0/24'),
    ('everything as the subnet', swap('subnet: 192.168.2.0/24','subnet: 0.0.0.0/0'), '3:11', 'error', 'network.subnet', '0.0.0.0/0 (everything, or nothing) cannot be routed to a peer', 'a private network, like 10.10.13.0/24'),
    ('a backslash for a slash', swap('subnet: 192.168.2.0/24','subnet: 192.168.2.0\\24'), '3:11', 'error', 'network.subnet', '"192.168.2.0\\24" is not an IP address ("0\\24" is not a number)', 'four numbers 0-255 with dots between them, like 192.168.2.1'),
    ('a mapped IPv4 LAN', subnets('["::ffff:10.0.0.0/120"]'), '16:15', 'error', 'hosts.company.subnets[0]', '::ffff:a00:0/120 (everything, or nothing) cannot be routed to a peer', 'a private network, like 10.10.13.0/24'),
    ('an address with a zone', address('"fd00::1%eth0"'), '12:14', 'error', 'hosts.home.address', '"fd00::1%eth0" has a zone', 'write the address alone: fd00::1'),
    ('an address where a LAN belongs', subnets('[10.10.13.61]'), '16:15', 'error', 'hosts.company.subnets[0]', '"10.10.13.61" has no prefix', '10.10.13.0/24 for a LAN, 10.10.13.61/32 for one machine'),
    ('a space before a prefix', subnets('[10.10.13.0 /24]'), '16:15', 'error', 'hosts.company.subnets[0]', '"10.10.13.0 /24" has a space in it', '10.10.13.0/24'),
    ('a negative prefix', subnets('[10.0.0.0/-1]'), '16:15', 'error', 'hosts.company.subnets[0]', '"-1" is not a prefix length', 'a number 0-32'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_a_mistyped_address_is_shown_with_location_field_and_fix(row: Row) -> None:
    assert_shown(row)
