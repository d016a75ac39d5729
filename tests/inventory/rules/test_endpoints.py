"""Rules for endpoints."""

from __future__ import annotations

import pytest

from tests.inventory.mistyped import Row, assert_shown, home, ids, swap

# fmt: off
BAD: list[Row] = [
    ('two spokes without a relay', swap('    relay: true\n',''), '12:3', 'warning', 'hosts.company', 'company and home cannot connect to each other, and no host is a relay', 'relay: true under bcc'),
    ('a relay without an endpoint', home('    relay: true\n'), '13:12', 'error', 'hosts.home.relay', 'a relay needs an endpoint that others can connect to', 'endpoint: ADDRESS:51820 under home'),
    ('no host with an endpoint', swap('    endpoint: 203.0.113.13:38371\n','').replace('    relay: true\n',''), '5:3', 'error', 'hosts', 'no host has an endpoint, so no host can connect to another', 'give the public host an endpoint and relay: true'),
    ('a host behind NAT without keepalives', home('    persistent_keepalive: 0\n'), '10:3', 'warning', 'hosts.home', 'no endpoint and persistent_keepalive 0: unreachable once its NAT mapping expires', 'persistent_keepalive: 25'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_a_contradictory_endpoint_is_shown_with_location_field_and_fix(row: Row) -> None:
    assert_shown(row)
