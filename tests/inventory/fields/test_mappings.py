"""Mapped LANs and the sources of private keys."""

from __future__ import annotations

import pytest

from tests.inventory.mistyped import Row, assert_shown, home, ids, subnets

# fmt: off
BAD: list[Row] = [
    ('a private key', home('    private_key: yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n'), '13:18', 'error', 'hosts.home.private_key', 'private keys do not belong here (value hidden)', 'delete it; keys are generated on their host. Treat this one as'),
    ('a mapped LAN without a network', subnets('[{lan: 10.10.13.0/24}]'), '16:15', 'error', 'hosts.company.subnets[0].as', 'missing', '{lan: 10.10.13.0/24, as: 10.99.13.0/24}'),
    ('a mapped LAN of another size', subnets('[{lan: 10.10.13.0/24, as: 10.99.0.0/16}]'), '16:40', 'error', 'hosts.company.subnets[0].as', '10.99.0.0/16 is not of the same size as 10.10.13.0/24', 'a network with /24'),
    ('a misspelt field of a mapped LAN', subnets('[{lan: 10.10.13.0/24, to: 10.99.13.0/24}]'), '16:36', 'error', 'hosts.company.subnets[0].to', 'unknown field.', 'known here: lan, as'),
    ('a key source with both forms', home('    private_key: {file: /k, command: [pass]}\n'), '13:18', 'error', 'hosts.home.private_key', 'expected either file or command', '{file: /etc/wireguard/key}'),
    ('a relative path of a key', home('    private_key: {file: key}\n'), '13:25', 'error', 'hosts.home.private_key.file', 'expected an absolute path', '{file: /etc/wireguard/key}'),
    ('a command that is one text', home('    private_key: {command: pass show wg}\n'), '13:28', 'error', 'hosts.home.private_key.command', 'expected a list of words', '{file: /etc/wireguard/key}'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_a_mistyped_mapping_is_shown_with_location_field_and_fix(row: Row) -> None:
    assert_shown(row)
