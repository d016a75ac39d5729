"""The steps of steps/routes.py as a table: what is wanted, what is there, and the commands between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.steps.table import BASE, UP, Row, make, rows
from wgorch.state.state import State, TunnelRoute

TABLE: Mapping[str, list[Row]] = {
    "routes": [
        (
            "missing: no gateway, only the interface",
            replace(UP, routes={"wg0": frozenset(map(TunnelRoute, ["10.10.13.0/24"]))}),
            UP,
            [("+", ["ip route replace 10.10.13.0/24 dev wg0 proto 119"])],
        ),
        (
            "as wanted",
            replace(UP, routes={"wg0": frozenset(map(TunnelRoute, ["10.10.13.0/24"]))}),
            replace(UP, routes={"wg0": frozenset(map(TunnelRoute, ["10.10.13.0/24"]))}),
            [],
        ),
        (
            "no longer wanted",
            UP,
            replace(UP, routes={"wg0": frozenset(map(TunnelRoute, ["10.10.13.0/24"]))}),
            [("-", ["ip route delete 10.10.13.0/24 dev wg0 proto 119"])],
        ),
        (
            "they go with the interface",
            BASE,
            replace(UP, routes={"wg0": frozenset(map(TunnelRoute, ["10.10.13.0/24"]))}),
            [],
        ),
    ],
}


@pytest.mark.parametrize(("step", "want", "have", "changes"), rows(TABLE))
def test_a_step_finds_exactly_the_difference(
    step: str, want: State, have: State, changes: list[tuple[str, list[str]]]
) -> None:
    assert changes == make(step, want, have)
