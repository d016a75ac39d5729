"""Routes that the kernel makes of the tunnel's addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.steps.table import BASE, UP, Row, make, rows
from wgorch.state.state import State

LOCAL = "local 192.168.2.2 table local proto kernel scope host src 192.168.2.2"
CONNECTED = "192.168.2.0/24 proto kernel scope link src 192.168.2.2"
LOCAL6 = "local fd00::2 table local proto kernel"
CONNECTED6 = "fd00::/64 proto kernel metric 256"
FOUR, SIX, HOST = "192.168.2.2/24", "fd00::2/64", "192.168.2.2/32"


def state(addresses: tuple[str, ...], *routes: str) -> State:
    return replace(UP, addresses={"wg0": frozenset(addresses)}, kernel_routes={"wg0": frozenset(routes)})


WHOLE = state((FOUR, SIX), LOCAL, CONNECTED, LOCAL6, CONNECTED6)


TABLE: Mapping[str, list[Row]] = {
    "kernel_routes": [
        ("nothing is lost", WHOLE, WHOLE, []),
        ("a new address brings its routes", WHOLE, BASE, []),
        ("an address that goes takes them along", state((SIX,), LOCAL6, CONNECTED6), WHOLE, []),
        (
            "the connected route is lost",
            WHOLE,
            state((FOUR, SIX), LOCAL, LOCAL6, CONNECTED6),
            [("+", [f"ip route replace {CONNECTED} dev wg0"])],
        ),
        (
            "table local lacks the address",
            WHOLE,
            state((FOUR, SIX), LOCAL, CONNECTED, CONNECTED6),
            [("+", [f"ip route replace {LOCAL6} dev wg0"])],
        ),
        (
            "rolled back",
            state((FOUR, SIX), LOCAL, LOCAL6, CONNECTED6),
            WHOLE,
            [("-", [f"ip route delete {CONNECTED} dev wg0"])],
        ),
        ("a host address has no connected route", state((HOST,), LOCAL), state((HOST,), LOCAL), []),
    ],
}


@pytest.mark.parametrize(("step", "want", "have", "changes"), rows(TABLE))
def test_kernel_routes(step: str, want: State, have: State, changes: list[tuple[str, list[str]]]) -> None:
    assert changes == make(step, want, have)
