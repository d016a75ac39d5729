"""The steps of steps/nft.py as a table: what is wanted, what is there, and the commands between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.steps.table import UP, Row, make, rows
from wgorch.adapters.nft_policy import CHAINS
from wgorch.state.state import State


def _table(*rules: str, chain: str = "relayed") -> str:
    """The command that states a table with one chain."""
    head = [CHAINS[chain]] if CHAINS[chain] else []
    name = "table inet wgorch-office"
    return "\n".join(
        ["load_rules office", name, f"delete {name}", f"{name} {{", f"chain {chain} {{", *head, *rules, "}", "}"]
    )


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
                        "load_rules office\ntable inet wgorch-office\ndelete table inet wgorch-office\ntable inet wgorch-office {\n"
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
            [("-", ["load_rules office\ntable inet wgorch-office\ndelete table inet wgorch-office"])],
        ),
        (
            "rules in another order, since a drop before an accept is another policy",
            replace(UP, nft={"relayed 0123456789ab": "accept", "relayed ba9876543210": "drop"}),
            replace(UP, nft={"relayed ba9876543210": "drop", "relayed 0123456789ab": "accept"}),
            [
                (
                    "~",
                    [
                        _table(
                            'accept comment "wgorch:office 0123456789ab"', 'drop comment "wgorch:office ba9876543210"'
                        )
                    ],
                )
            ],
        ),
        (
            "a first policy waits until connections are tracked",
            replace(UP, nft={"policy-input 0123456789ab": "drop"}),
            UP,
            [
                (
                    "+",
                    [
                        "track_connections office inet wg0",
                        _table('drop comment "wgorch:office 0123456789ab"', chain="policy-input"),
                    ],
                )
            ],
        ),
        (
            "a rule whose time is over is no difference",
            replace(UP, nft={"relayed 0123456789ab@100": "accept", "relayed ba9876543210": "drop"}, clock=100),
            replace(UP, nft={"relayed ba9876543210": "drop"}),
            [],
        ),
        (
            "nor is it stated again",
            replace(UP, nft={"relayed 0123456789ab@100": "accept", "relayed ba9876543210": "drop"}, clock=100),
            replace(UP, nft={"relayed aaaaaaaaaaaa": "drop"}),
            [("~", [_table('drop comment "wgorch:office ba9876543210"')])],
        ),
        (
            "at a start it is stated and ends at once: the script stays the same",
            replace(UP, nft={"relayed 0123456789ab@100": "accept", "relayed ba9876543210": "drop"}, clock=100),
            UP,
            [
                (
                    "+",
                    [
                        _table(
                            'accept comment "wgorch:office 0123456789ab@100"',
                            'drop comment "wgorch:office ba9876543210"',
                        ),
                        "end_rules office",
                    ],
                )
            ],
        ),
    ],
}


@pytest.mark.parametrize(("step", "want", "have", "changes"), rows(TABLE))
def test_a_step_finds_exactly_the_difference(
    step: str, want: State, have: State, changes: list[tuple[str, list[str]]]
) -> None:
    assert changes == make(step, want, have)
