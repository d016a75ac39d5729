"""The steps of steps/interface.py as a table: what is wanted, what is there, and the commands between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.steps.table import BASE, KEY, OTHER, UP, WG0, Row, make, rows
from wgorch.state.state import State

TABLE: Mapping[str, list[Row]] = {
    "interface": [
        ("as wanted", UP, UP, []),
        (
            "missing",
            UP,
            BASE,
            [
                (
                    "+",
                    [
                        "make_interface wg0",
                        f"set_key wg0 {KEY} listen-port 51820",
                        "ip link set dev wg0 alias wgorch:office",
                        "ip link set dev wg0 mtu 1420 up",
                    ],
                )
            ],
        ),
        ("torn down", BASE, UP, [("-", ["end_interface wg0"])]),
        (
            "another port",
            UP,
            replace(BASE, interfaces={"wg0": replace(WG0, listen_port=40000)}),
            [("~", ["wg set wg0 listen-port 51820"])],
        ),
        (
            "another key",
            UP,
            replace(BASE, interfaces={"wg0": replace(WG0, public_key=OTHER)}),
            [("~", [f"set_key wg0 {KEY}"])],
        ),
        (
            "another MTU",
            UP,
            replace(BASE, interfaces={"wg0": replace(WG0, mtu=1500)}),
            [("~", ["ip link set dev wg0 mtu 1420"])],
        ),
        (
            "it is down",
            UP,
            replace(BASE, interfaces={"wg0": replace(WG0, up=False)}),
            [("~", ["ip link set dev wg0 up"])],
        ),
        (
            "it was down",
            replace(BASE, interfaces={"wg0": replace(WG0, up=False)}),
            UP,
            [("~", ["ip link set dev wg0 down"])],
        ),
        (
            "it is made again as it was: down",
            replace(BASE, interfaces={"wg0": replace(WG0, up=False)}),
            BASE,
            [
                (
                    "+",
                    [
                        "make_interface wg0",
                        f"set_key wg0 {KEY} listen-port 51820",
                        "ip link set dev wg0 alias wgorch:office",
                        "ip link set dev wg0 mtu 1420",
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
