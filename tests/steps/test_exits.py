"""The steps of steps/exits.py as a table: what is wanted, what is there, and the commands between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.steps.table import RULE, UP, Row, make, rows
from wgorch.state.state import State

TABLE: Mapping[str, list[Row]] = {
    "exit_routes": [
        (
            "everything leaves by the tunnel: the routes first",
            replace(UP, exit_routes=frozenset({"-4 default dev wg0 table 7"}), policy_rules=frozenset({RULE})),
            UP,
            [
                ("+", ["ip -4 route replace default dev wg0 table 7 proto 119"]),
                ("+", [f"set_policy_rule {RULE}", "renew_endpoints wg0"]),
            ],
        ),
        (
            "no more: the rules first",
            UP,
            replace(UP, exit_routes=frozenset({"-4 default dev wg0 table 7"}), policy_rules=frozenset({RULE})),
            [
                ("-", [f"delete_policy_rule {RULE}"]),
                ("-", ["ip -4 route delete default dev wg0 table 7 proto 119"]),
            ],
        ),
    ],
}


@pytest.mark.parametrize(("step", "want", "have", "changes"), rows(TABLE))
def test_a_step_finds_exactly_the_difference(
    step: str, want: State, have: State, changes: list[tuple[str, list[str]]]
) -> None:
    assert changes == make(step, want, have)
