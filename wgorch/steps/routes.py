"""The way to LANs behind other hosts: into the tunnel, under our own protocol number."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.command import Change, change, command
from wgorch.state import ROUTE_PROTO, State


def routes(want: State, have: State) -> Iterator[Change]:
    if want.interface is None:
        return
    there, wanted = ({route.split()[0] for route in state.routes} for state in (have, want))
    for route in sorted(want.routes - have.routes):
        subnet = route.split()[0]
        add = command("ip", "route", "replace", *_way(route, want.interface.name))
        if subnet in there:  # one that was taken over is marked, or given back
            yield change("~", f"route {subnet}", "it has another mark", add)
        else:
            yield change("+", f"route {subnet}", "packets to it would leave by another card", add)
    for route in sorted(have.routes - want.routes):
        if route.split()[0] in wanted:
            continue
        drop = command("ip", "route", "delete", *_way(route, want.interface.name), may_be_absent=True)
        yield change("-", f"route {route}", "it should not lead into the tunnel", drop, disturbs=True)


def _way(route: str, card: str) -> tuple[str, ...]:
    """A route as ``ip route`` takes it; without a protocol of its own it has ours."""
    subnet, _, proto = route.partition(" proto ")
    return (subnet, "dev", card, "proto", proto or str(ROUTE_PROTO))
