"""Rules for devices."""

from __future__ import annotations

import pytest

from tests.inventory.mistyped import BASE, Row, assert_shown, ids

KEY = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="
DEVICES = BASE + "devices:\n"
NO_ENDPOINT = "network: {name: a, subnet: 10.0.0.0/24}\nhosts:\n  h: {ssh: h.example}\ndevices:\n  phone:\n"

# fmt: off
BAD: list[Row] = [
    ('a device with the name of a host', DEVICES+'  home:\n', '21:3', 'error', 'devices.home', 'there is a host of that name (10:3)', 'another name'),
    ('two devices with one key', DEVICES+f'  phone: {{public_key: {KEY}}}\n  tablet: {{public_key: {KEY}}}\n', '22:24', 'error', 'devices.tablet.public_key', 'is also the key of devices.phone (21:23)', 'a key of its own; delete one of the two'),
    ('a device without a host to connect to', NO_ENDPOINT, '5:3', 'error', 'devices.phone', 'no host has an endpoint that a device could connect to', 'endpoint: under a public host'),
    ('a device in one line', DEVICES+'  phone: x\n', '21:10', 'error', 'devices.phone', 'expected a mapping', 'write "public_key: …" below the name, or nothing'),
    ('a public key that is none', DEVICES+'  phone: {public_key: x}\n', '21:23', 'error', 'devices.phone.public_key', "'x' is not 44 characters of base64", 'the output of `wg pubkey` on the device'),
]
# fmt: on


@pytest.mark.parametrize("row", BAD, ids=ids(BAD))
def test_a_contradictory_device_is_shown_with_location_field_and_fix(row: Row) -> None:
    assert_shown(row)
