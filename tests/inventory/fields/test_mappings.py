"""Mapped LANs, the sources of private keys, and when relays are left."""

from __future__ import annotations

import pytest

from tests.inventory.mistyped import BASE, Row, assert_shown, home, ids, subnets
from wgorch.inventory.load import loads


def failover(text: str) -> str:
    """The inventory with a value of `failover:` in its fourth line."""
    return BASE.replace("hosts:\n", f"  failover: {text}\nhosts:\n", 1)


# fmt: off
BAD: list[Row] = [
    ('a private key', home('    private_key: yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n'), '13:18', 'error', 'hosts.home.private_key', 'private keys do not belong here (value hidden)', 'delete it; keys are generated on their host. Treat this one as'),
    ('a mapped LAN without a network', subnets('[{lan: 10.10.13.0/24}]'), '16:15', 'error', 'hosts.company.subnets[0].as', 'missing', '{lan: 10.10.13.0/24, as: 10.99.13.0/24}'),
    ('a mapped LAN of another size', subnets('[{lan: 10.10.13.0/24, as: 10.99.0.0/16}]'), '16:40', 'error', 'hosts.company.subnets[0].as', '10.99.0.0/16 is not of the same size as 10.10.13.0/24', 'a network with /24'),
    ('a misspelt field of a mapped LAN', subnets('[{lan: 10.10.13.0/24, to: 10.99.13.0/24}]'), '16:36', 'error', 'hosts.company.subnets[0].to', 'unknown field.', 'known here: lan, as'),
    ('a key source with both forms', home('    private_key: {file: /k, command: [pass]}\n'), '13:18', 'error', 'hosts.home.private_key', 'expected either file or command', '{file: /etc/wireguard/key}'),
    ('a relative path of a key', home('    private_key: {file: key}\n'), '13:25', 'error', 'hosts.home.private_key.file', 'expected an absolute path', '{file: /etc/wireguard/key}'),
    ('pings too often', failover('{interval: 0.25s}'), '4:24', 'error', 'network.failover.interval', '0.25s is below 500 ms', '500 ms to 30 s'),
    ('a time without a unit', failover('{interval: 2}'), '4:24', 'error', 'network.failover.interval', 'expected a time with its unit, got "2"', 'like 1s; 500 ms to 30 s'),
    ('a time in fine parts', failover('{interval: 1.0005s}'), '4:24', 'error', 'network.failover.interval', 'expected a time with its unit', 'like 1s; 500 ms to 30 s'),
    ('a relay left at once', failover('{misses: 1}'), '4:22', 'error', 'network.failover.misses', '1 is below 2', 'a number of pings 2-20'),
    ('a relay taken back after a day', failover('{back: 24h}'), '4:20', 'error', 'network.failover.back', '24h is above 1 h', '5 s to 1 h'),
    ('failover in one word', failover('1s'), '4:13', 'error', 'network.failover', 'expected a mapping', '{interval: 1s, misses: 3, back: 60s}'),
    ('a misspelt field of failover', failover('{intervall: 1s}'), '4:14', 'error', 'network.failover.intervall', 'unknown field. Did you mean "interval"?', 'known here: interval, misses, back'),
    ('a command that is one text', home('    private_key: {command: pass show wg}\n'), '13:28', 'error', 'hosts.home.private_key.command', 'expected a list of words', '{file: /etc/wireguard/key}'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_a_mistyped_mapping_is_shown_with_location_field_and_fix(row: Row) -> None:
    assert_shown(row)


def test_times_of_failover_may_have_parts_of_seconds() -> None:
    read = loads(failover("{interval: 0.75s, misses: 4, back: 1.5min}")).network.failover

    assert (750, 4, 90) == (read.interval_ms, read.misses, read.back_s)
