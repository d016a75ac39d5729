"""The steps of steps/addresses.py as a table: what is wanted, what is there, and the commands between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.steps.table import BASE, UP, Row, make, rows
from wgorch.state.state import State

TABLE: Mapping[str, list[Row]] = {
    "addresses": [
        (
            "as wanted",
            replace(UP, addresses={"wg0": frozenset({"10.0.0.1/24"})}),
            replace(UP, addresses={"wg0": frozenset({"10.0.0.1/24"})}),
            [],
        ),
        (
            "another one",
            replace(UP, addresses={"wg0": frozenset({"10.0.0.1/24"})}),
            replace(UP, addresses={"wg0": frozenset({"10.0.0.9/24"})}),
            [
                (
                    "~",
                    [
                        "ip address replace 10.0.0.1/32 dev wg0",
                        "ip address delete 10.0.0.9/24 dev wg0",
                        "ip address replace 10.0.0.1/24 dev wg0",
                        "ip address delete 10.0.0.1/32 dev wg0",
                        "ip address delete 10.0.0.9/32 dev wg0",
                    ],
                )
            ],
        ),
        (
            "another network",
            replace(UP, addresses={"wg0": frozenset({"10.0.0.1/24"})}),
            replace(UP, addresses={"wg0": frozenset({"10.9.0.9/24", "fd00::9/64"})}),
            [
                ("+", ["ip address replace 10.0.0.1/24 dev wg0"]),
                ("-", ["ip address delete 10.9.0.9/24 dev wg0"]),
                ("-", ["ip address delete fd00::9/64 dev wg0"]),
            ],
        ),
        ("they go with the interface", BASE, replace(UP, addresses={"wg0": frozenset({"10.0.0.1/24"})}), []),
    ],
}


@pytest.mark.parametrize(("step", "want", "have", "changes"), rows(TABLE))
def test_a_step_finds_exactly_the_difference(
    step: str, want: State, have: State, changes: list[tuple[str, list[str]]]
) -> None:
    assert changes == make(step, want, have)
