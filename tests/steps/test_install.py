"""The steps of steps/install.py as a table: what is wanted, what is there, and the commands between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.steps.table import BASE, Row, make, rows
from wgorch.state.state import State

TABLE: Mapping[str, list[Row]] = {
    "install": [
        (
            "nothing is missing",
            replace(BASE, tools=frozenset({"wg"})),
            replace(BASE, tools=frozenset({"wg", "ip"})),
            [],
        ),
        (
            "one package serves several commands",
            replace(BASE, tools=frozenset({"wg", "iptables", "iptables-save"})),
            replace(BASE, manager="apt"),
            [("+", ["install_packages apt iptables wireguard-tools"])],
        ),
        (
            "a package has another name elsewhere",
            replace(BASE, tools=frozenset({"wg", "ip"})),
            replace(BASE, manager="apk"),
            [("+", ["install_packages apk iproute2 wireguard-tools-wg"])],
        ),
        (
            "no package manager that we know",
            replace(BASE, tools=frozenset({"wg"})),
            BASE,
            [("+", ["cannot_install wg"])],
        ),
        (
            "packages go where asked",
            replace(BASE, manager="dnf"),
            replace(BASE, manager="dnf", packages=frozenset({"wireguard-tools"})),
            [("-", ["remove_packages dnf wireguard-tools"])],
        ),
        ("teardown takes no package away", BASE, replace(BASE, tools=frozenset({"wg"})), []),
    ],
}


@pytest.mark.parametrize(("step", "want", "have", "changes"), rows(TABLE))
def test_a_step_finds_exactly_the_difference(
    step: str, want: State, have: State, changes: list[tuple[str, list[str]]]
) -> None:
    assert changes == make(step, want, have)
