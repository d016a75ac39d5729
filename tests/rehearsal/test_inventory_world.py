"""Host keys and identities of the real world are left out of a rehearsal, however the inventory writes them."""

from __future__ import annotations

import pytest

from wgorch.rehearsal.inventory_world import without_real_keys


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("    host_key: SHA256:abc\n    relay: true\n", "    relay: true\n"),
        ("ssh: {host: a, user: root, identity: ~/.ssh/key}\n", "ssh: {host: a, user: root}\n"),
        ('ssh: {host: a, identity: "~/.ssh/my, key", user: root}\n', "ssh: {host: a, user: root}\n"),
        ("ssh: {identity: '~/k', host: a}\n", "ssh: {host: a}\n"),
        ("ssh: root@192.168.0.9   # its identity: none\n", "ssh: root@192.168.0.9   # its identity: none\n"),
    ],
)
def test_keys_of_the_real_world_are_left_out(text: str, left: str) -> None:
    assert without_real_keys(text) == left
