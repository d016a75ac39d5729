"""The steps of steps/dns.py as a table: what is wanted, what is there, and the commands between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.steps.table import BASE, UP, Row, make, rows
from wgorch.state.state import State

TABLE: Mapping[str, list[Row]] = {
    "dns": [
        ("set", replace(UP, dns=("9.9.9.9", "1.1.1.1")), UP, [("+", ["set_dns wgorch:office 9.9.9.9 1.1.1.1"])]),
        ("as wanted", replace(UP, dns=("9.9.9.9",)), replace(UP, dns=("9.9.9.9",)), []),
        ("put back", BASE, replace(UP, dns=("9.9.9.9",)), [("-", ["restore_dns wgorch:office"])]),
    ],
}


@pytest.mark.parametrize(("step", "want", "have", "changes"), rows(TABLE))
def test_a_step_finds_exactly_the_difference(
    step: str, want: State, have: State, changes: list[tuple[str, list[str]]]
) -> None:
    assert changes == make(step, want, have)
