"""The steps of steps/keys.py as a table: what is wanted, what is there, and the commands between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.steps.table import BASE, KEY, OTHER, UP, Row, make, rows
from wgorch.state.state import State

TABLE: Mapping[str, list[Row]] = {
    "keys": [
        (
            "no key yet",
            replace(BASE, key_mode="-rw-------"),
            BASE,
            [("+", ["generate_key /var/lib/wgorch/office/private_key"])],
        ),
        ("a key is there", replace(BASE, key_mode="-rw-------"), replace(BASE, key_mode="-rw-------"), []),
        (
            "others can read it",
            replace(BASE, key_mode="-rw-------"),
            replace(BASE, key_mode="-rw-r--r--"),
            [("~", ["chmod 600 /var/lib/wgorch/office/private_key"])],
        ),
        ("teardown keeps the key", BASE, replace(BASE, key_mode="-rw-------"), []),
        (
            "another one is asked for: it lies beside the old one at first",
            replace(BASE, key_mode="-rw-------", keys=frozenset({"<home>"})),
            replace(BASE, key_mode="-rw-------", keys=frozenset({KEY})),
            [("~", ["stage_key /var/lib/wgorch/office/private_key"])],
        ),
        (
            "the interface has preshared keys that wgorch did not make",
            replace(UP, key_mode="-rw-------", kept_secrets=frozenset({"psk.other.0a", "psk.other.0b"})),
            replace(UP, key_mode="-rw-------", kept_secrets=frozenset({"psk.other.0b"})),
            [("+", ["keep_preshared psk.other.0a wg0"])],
        ),
        (
            "a kept one stays until nothing uses it",
            replace(UP, key_mode="-rw-------"),
            replace(UP, key_mode="-rw-------", kept_secrets=frozenset({"psk.other.0b"})),
            [],
        ),
        (
            "it comes from elsewhere",
            replace(BASE, key_mode="-rw-------", keys=frozenset({KEY}), key_source=("pass", "show", "wg")),
            BASE,
            [("+", ["import_key /var/lib/wgorch/office/private_key pass show wg"])],
        ),
        (
            "what it comes from has another one now",
            replace(BASE, key_mode="-rw-------", keys=frozenset({OTHER}), key_source=("cat", "/etc/key")),
            replace(BASE, key_mode="-rw-------", keys=frozenset({KEY})),
            [("~", ["import_key /var/lib/wgorch/office/private_key cat /etc/key"])],
        ),
    ],
}


@pytest.mark.parametrize(("step", "want", "have", "changes"), rows(TABLE))
def test_a_step_finds_exactly_the_difference(
    step: str, want: State, have: State, changes: list[tuple[str, list[str]]]
) -> None:
    assert changes == make(step, want, have)
