"""Sections and fields that are missing, empty or no mapping."""

from __future__ import annotations

import pytest

from tests.inventory.mistyped import Row, assert_shown, ids, ssh, swap

# fmt: off
BAD: list[Row] = [
    ('an empty file', '', '1:1', 'error', '', 'the file is empty; expected a mapping with "network" and "hosts"', 'wgorch init writes one'),
    ('a file of comments', '# hi\n', '1:1', 'error', '', 'the file is empty; expected a mapping with "network" and "hosts"', 'wgorch init writes one'),
    ('hosts without a host', 'network: {name: a, subnet: 10.0.0.0/24}\nhosts:\n', '2:7', 'error', 'hosts', 'empty', 'give a value or delete the line'),
    ('no hosts at all', 'network: {name: a, subnet: 10.0.0.0/24}\n', '1:1', 'error', 'hosts', 'missing', 'add a hosts: section'),
    ('an empty mapping of hosts', 'network: {name: a, subnet: 10.0.0.0/24}\nhosts: {}\n', '2:8', 'error', 'hosts', 'no hosts given', 'see inventory/home-company.yaml for one'),
    ('hosts as a list', 'network: {name: a, subnet: 10.0.0.0/24}\nhosts:\n  - a\n', '3:3', 'error', 'hosts', 'expected a mapping, got a list', 'write the fields of hosts below it, each indented, as name:'),
    ('an empty network', 'network:\nhosts: {a: {ssh: a, address: 10.0.0.1}}\n', '1:9', 'error', 'network', 'empty', 'give a value or delete the line'),
    ('a network as a list', 'network: [a]\nhosts: {a: {ssh: a, address: 10.0.0.1}}\n', '1:10', 'error', 'network', 'expected a mapping, got a list', 'write the fields of network below it, each indented, as'),
    ('a list at the top', '- a\n', '1:1', 'error', '', 'expected a mapping with "network" and "hosts" at the top', 'wgorch init writes one'),
    ('a word at the top', 'hello\n', '1:1', 'error', '', 'expected a mapping with "network" and "hosts" at the top', 'wgorch init writes one'),
    ('ssh as an empty mapping', ssh('{}'), '11:10', 'error', 'hosts.home.ssh.host', 'missing', 'host: 10.10.13.62'),
    ('a misspelt field of a jump host', ssh('{host: a, via: {hst: b}}'), '11:25', 'error', 'hosts.home.ssh.via.host', 'missing', 'host: 10.10.13.62'),
    ('no network name', swap('  name: office\n',''), '2:3', 'error', 'network.name', 'missing', 'name: office'),
    ('no subnet', swap('  subnet: 192.168.2.0/24\n',''), '2:3', 'error', 'network.subnet', 'missing', 'subnet: 192.168.2.0/24'),
    ('a host without ssh', swap('    ssh: root@192.168.0.9\n',''), '11:5', 'error', 'hosts.home.ssh', 'missing', 'add ssh:'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_a_missing_field_is_shown_with_location_field_and_fix(row: Row) -> None:
    assert_shown(row)
