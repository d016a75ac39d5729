"""The steps of steps/nft.py as a table: what is wanted, what is there, and the commands between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.steps.table import UP, Row, make, rows
from wgorch.state.state import State

TABLE: Mapping[str, list[Row]] = {
    "nft_table": [
        (
            "the whole table at once",
            replace(UP, nft={"postrouting 0123456789ab": 'oifname "eth0" masquerade'}),
            UP,
            [
                (
                    "+",
                    [
                        "nft -f -\ntable inet wgorch-office\ndelete table inet wgorch-office\ntable inet wgorch-office {\n"
                        "chain postrouting {\ntype nat hook postrouting priority 95; policy accept;\n"
                        'oifname "eth0" masquerade comment "wgorch:office 0123456789ab"\n}\n}'
                    ],
                )
            ],
        ),
        (
            "what somebody put into it goes",
            UP,
            replace(UP, nft={"forward 0123456789ab": "drop"}),
            [("-", ["nft -f -\ntable inet wgorch-office\ndelete table inet wgorch-office"])],
        ),
    ],
}


@pytest.mark.parametrize(("step", "want", "have", "changes"), rows(TABLE))
def test_a_step_finds_exactly_the_difference(
    step: str, want: State, have: State, changes: list[tuple[str, list[str]]]
) -> None:
    assert changes == make(step, want, have)
