"""Unknown fields: what was meant, and no value of a secret."""

from __future__ import annotations

import pytest

from tests.inventory.mistyped import BASE, Row, assert_shown, home, ids, network, ssh, swap

# fmt: off
BAD: list[Row] = [
    ('a field with a letter missing', swap('    address: 192.168.2.2','    adress: 192.168.2.2'), '12:5', 'error', 'hosts.home.adress', 'unknown field. Did you mean "address"?', 'known here: ssh, address, endpoint, relay, subnets,'),
    ('a password', home('    password: hunter2\n'), '13:15', 'error', 'hosts.home.password', 'a secret in the file (value hidden)', 'delete it; wgorch prompts for passwords'),
    ('a password for SSH', ssh('{host: 192.168.0.9, password: hunter2}'), '11:40', 'error', 'hosts.home.ssh.password', 'a secret in the file (value hidden)', 'delete it; wgorch prompts for passwords'),
    ('a preshared key', network('  preshared_key: yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n'), '4:18', 'error', 'network.preshared_key', 'a secret in the file (value hidden)', 'delete it; wgorch prompts for passwords'),
    ('a private key as wg writes it', home('    PrivateKey: yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n'), '13:17', 'error', 'hosts.home.PrivateKey', 'private keys do not belong here (value hidden)', 'delete it; keys are generated on their host. Treat this one as'),
    ('a password in a list', home('    password: [hunter2]\n'), '13:15', 'error', 'hosts.home.password', 'a secret in the file (value hidden)', 'delete it; wgorch prompts for passwords'),
    ('a secret in a mapping', home('    secret:\n      a: hunter2\n'), '14:7', 'error', 'hosts.home.secret', 'a secret in the file (value hidden)', 'delete it; wgorch prompts for passwords'),
    ('an unknown section', 'version: 9\n'+BASE, '1:1', 'error', 'version', 'unknown field. Did you mean "verify"?', 'known here: include, from, network, defaults, groups, hosts, devices, links, policy, approve, verify'),
    ('a section with a capital', swap('hosts:','Hosts:'), '4:1', 'error', 'Hosts', 'unknown field. Did you mean "hosts"?', 'known here: include, from, network, defaults, groups, hosts, devices, links, policy, approve, verify'),
    ('a section without its s', swap('hosts:','host:'), '4:1', 'error', 'host', 'unknown field. Did you mean "hosts"?', 'known here: include, from, network, defaults, groups, hosts, devices, links, policy, approve, verify'),
    ('a hyphen in a field', network('  listen-port: 5\n'), '4:3', 'error', 'network.listen-port', 'unknown field. Did you mean "listen_port"?', 'known here: name, subnet, interface, listen_port, mtu,'),
    ('a field as wg writes it', network('  ListenPort: 5\n'), '4:3', 'error', 'network.ListenPort', 'unknown field. Did you mean "listen_port"?', 'known here: name, subnet, interface, listen_port, mtu,'),
    ('a field of another tool: role', home('    role: hub\n'), '13:5', 'error', 'hosts.home.role', 'unknown field. Did you mean "relay"?', 'known here: ssh, address, endpoint, relay, subnets,'),
    ('a field of another tool: port', network('  port: 5\n'), '4:3', 'error', 'network.port', 'unknown field. Did you mean "listen_port"?', 'known here: name, subnet, interface, listen_port, mtu,'),
    ('a field of another tool: allowed_ips', home('    allowed_ips: [10.0.0.0/8]\n'), '13:5', 'error', 'hosts.home.allowed_ips', 'unknown field. Did you mean "subnets"?', 'known here: ssh, address, endpoint, relay, subnets,'),
    ('a field of another tool: jump', ssh('{host: a, jump: b}'), '11:20', 'error', 'hosts.home.ssh.jump', 'unknown field. Did you mean "via"?', 'known here: host, user, port, via, identity'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_an_unknown_field_is_shown_with_location_field_and_fix(row: Row) -> None:
    assert_shown(row)
