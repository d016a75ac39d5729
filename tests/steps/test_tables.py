"""The steps of steps/tables.py as a table: what is wanted, what is there, and the commands between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.steps.table import BASE, Row, make, rows
from wgorch.state.state import State

CREATED = replace(BASE, tables=frozenset({"nat"}), created_tables=frozenset({"nat"}))

TABLE: Mapping[str, list[Row]] = {
    "empty_tables": [
        ("a table of wgorch's making", BASE, CREATED, [("-", ["drop_table nat"])]),
        ("one that others have put something into", BASE, replace(BASE, tables=frozenset({"nat"})), []),
        (
            "a table that was there",
            replace(BASE, tables=frozenset({"nat"})),
            replace(BASE, tables=frozenset({"nat"})),
            [],
        ),
    ],
}


@pytest.mark.parametrize(("step", "want", "have", "changes"), rows(TABLE))
def test_a_step_finds_exactly_the_difference(
    step: str, want: State, have: State, changes: list[tuple[str, list[str]]]
) -> None:
    assert changes == make(step, want, have)
