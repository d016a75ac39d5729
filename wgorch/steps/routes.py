"""The way to LANs behind other hosts: into the tunnel, under our own protocol number."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.command import Change, change, command
from wgorch.state import ROUTE_PROTO, State


def routes(want: State, have: State) -> Iterator[Change]:
    if want.interface is None:
        return
    way = ("dev", want.interface.name, "proto", ROUTE_PROTO)
    for subnet in sorted(want.routes - have.routes):
        add = command("ip", "route", "replace", subnet, *way)
        yield change("+", f"route {subnet}", "packets to it would leave by another card", add)
    for subnet in sorted(have.routes - want.routes):
        drop = command("ip", "route", "delete", subnet, *way, may_be_absent=True)
        yield change("-", f"route {subnet}", "it should not lead into the tunnel", drop, disturbs=True)
