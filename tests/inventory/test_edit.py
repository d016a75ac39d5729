"""An edit adds what it should, and leaves every other character as it is."""

from __future__ import annotations

import pytest

from wgorch.errors import UsageError
from wgorch.inventory.edit import add_fields, add_member
from wgorch.inventory.load import loads

HEAD = "network: {name: office, subnet: 10.9.0.0/24}  # ours\nhosts:\n  hub:\n    ssh: root@203.0.113.1\n"
HEAD += "    endpoint: '203.0.113.1:51820'   # public\n    relay: true\n"
KEY = "Id0bZVRIPHIdOi6ur5ygZ6f4gs0thaLwBRhjeudYxng="


@pytest.mark.parametrize(
    "devices",
    [
        "devices:\n  phone:\n",
        "devices:\n  phone: {}\n",
        "devices:\n  phone: {}   # of anna\n  other: {}\n",
        "devices:\n  phone: {dns: [9.9.9.9]}\n",
        "devices:\n  phone:\n    dns: [9.9.9.9]  # quad nine\n  other:\n",
        "devices: {phone: {}}\n",
        "devices: {phone: , other: {}}\n",
        "devices:\n  'phone':   # of anna\n",
    ],
)
def test_fields_are_added_and_nothing_else_changes(devices: str) -> None:
    text = HEAD + devices
    edited = add_fields(text, ["devices", "phone"], {"public_key": KEY, "address": "10.9.0.7"})
    before, after = loads(text), loads(edited)

    assert after.devices["phone"].public_key == KEY
    assert [str(a) for a in after.devices["phone"].given] == ["10.9.0.7"]
    assert after.devices["phone"].dns == before.devices["phone"].dns
    assert (after.hosts, after.network, list(after.devices)) == (before.hosts, before.network, list(before.devices))
    removed = edited.replace(f"public_key: {KEY}", "").replace("address: 10.9.0.7", "")
    assert [c for c in removed if c not in " {},\n~"] == [c for c in text if c not in " {},\n~"]


@pytest.mark.parametrize(
    "tail", ["", "\nverify:\n  - hub -> hub\n", "\n# the end\n", "\n\n# phones\ndevices:\n  phone:\n"]
)
@pytest.mark.parametrize(
    "last", ["    relay: true\n", "    relay: true   # forwards\n", "    subnets:\n      - 10.1.0.0/24\n"]
)
def test_a_host_is_added_at_the_end_of_its_section(tail: str, last: str) -> None:
    text = HEAD.replace("    relay: true\n", last) + tail
    edited = add_member(text, "hosts", "branch", ["ssh: root@192.0.2.7", "subnets: [10.2.0.0/24]  # eth1"])
    lines = edited.split("\n")

    assert list(loads(edited).hosts) == ["hub", "branch"]
    assert [line for line in text.split("\n") if line] == [
        line for line in lines if line and "branch" not in line and "192.0.2.7" not in line and "10.2.0.0" not in line
    ]
    assert list(loads(edited).devices) == list(loads(text).devices)


def test_what_is_not_there_is_refused() -> None:
    for text in (HEAD, "[]", "a: b: c", ""):
        with pytest.raises(UsageError):
            add_fields(text, ["devices", "phone"], {"public_key": KEY})
    with pytest.raises(UsageError):
        add_member("hosts: {}\n", "hosts", "a", [])
