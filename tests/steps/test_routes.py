"""The steps of steps/routes.py as a table: what is wanted, what is there, and the commands between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.steps.table import BASE, UP, Row, make, rows
from wgorch.state.state import State, TunnelRoute
from wgorch.topology.desired import ACTIVE

LAN = "10.10.13.0/24"


def choosing(nexthop: str, active: str = ACTIVE) -> State:
    """A host with two relays, with or without a nexthop object; its route leads by that, or into one interface."""
    routes = {"wg0": {TunnelRoute(LAN, metric=500)}, "wg0b": {TunnelRoute(LAN, metric=501)}}
    routes.setdefault(active, set()).add(TunnelRoute(LAN))
    return replace(
        UP,
        routes={name: frozenset(its) for name, its in routes.items()},
        nexthops={"-4": nexthop} if nexthop else {},
    )


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
            "the kernel has nexthop objects by now",
            choosing("77"),
            choosing(""),
            [("+", ["set_nexthop -4 77 wg0 wg0b"]), ("~", [f"ip route replace {LAN} nhid 77 proto 119"])],
        ),
        (
            "the kernel has none any more",
            choosing(""),
            choosing("77"),
            [("~", [f"ip route replace {LAN} dev wg0 proto 119"]), ("-", ["ip nexthop delete id 77"])],
        ),
        (
            "pinned by hand: it would not move with the others",
            choosing("77"),
            choosing("77", "wg0b"),
            [("+", [f"ip route replace {LAN} nhid 77 proto 119"])],
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
