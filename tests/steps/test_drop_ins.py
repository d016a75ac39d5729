"""The steps of steps/drop_ins.py as a table: what is wanted, what is there, and the commands between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.steps.table import UP, Row, make, rows
from wgorch.state.state import State

TABLE: Mapping[str, list[Row]] = {
    "drop_ins": [
        (
            "NetworkManager is told at once",
            replace(UP, drop_ins={"/etc/NetworkManager/conf.d/wgorch-office.conf": "text"}),
            UP,
            [
                (
                    "+",
                    [
                        "write_file /etc/NetworkManager/conf.d/wgorch-office.conf 644\ntext",
                        "reload_network_manager /etc/NetworkManager/conf.d/wgorch-office.conf",
                    ],
                )
            ],
        ),
        (
            "teardown takes it",
            UP,
            replace(UP, drop_ins={"/x.conf": "text"}),
            [("-", ["rm -f /x.conf", "reload_network_manager /x.conf"])],
        ),
    ],
}


@pytest.mark.parametrize(("step", "want", "have", "changes"), rows(TABLE))
def test_a_step_finds_exactly_the_difference(
    step: str, want: State, have: State, changes: list[tuple[str, list[str]]]
) -> None:
    assert changes == make(step, want, have)
