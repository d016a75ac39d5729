"""The steps of steps/forwarding.py as a table: what is wanted, what is there, and the commands between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.steps.table import BASE, UP, Row, make, rows
from wgorch.state.state import State

TABLE: Mapping[str, list[Row]] = {
    "forwarding": [
        (
            "our card's value is written, the host's own is recorded",
            replace(UP, sysctls={"net/ipv4/conf/wg0/forwarding": "1", "net/ipv4/conf/ens192/forwarding": "1"}),
            replace(BASE, sysctls={"net/ipv4/conf/ens192/forwarding": "0"}),
            [
                ("~", ["set_value net/ipv4/conf/ens192/forwarding 1"]),
                ("~", ["write_sysctl net/ipv4/conf/wg0/forwarding 1"]),
            ],
        ),
        (
            "as wanted",
            replace(UP, sysctls={"net/ipv4/conf/wg0/forwarding": "1"}),
            replace(UP, sysctls={"net/ipv4/conf/wg0/forwarding": "1"}),
            [],
        ),
        (
            "torn down: only what outlives the interface is given back",
            replace(BASE, sysctls={"net/ipv4/conf/ens192/forwarding": "0", "net/ipv4/conf/wg0/forwarding": "0"}),
            replace(UP, sysctls={"net/ipv4/conf/ens192/forwarding": "1", "net/ipv4/conf/wg0/forwarding": "1"}),
            [("~", ["set_value net/ipv4/conf/ens192/forwarding 0"])],
        ),
    ],
}


@pytest.mark.parametrize(("step", "want", "have", "changes"), rows(TABLE))
def test_a_step_finds_exactly_the_difference(
    step: str, want: State, have: State, changes: list[tuple[str, list[str]]]
) -> None:
    assert changes == make(step, want, have)
