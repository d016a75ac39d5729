"""The way to LANs behind other hosts: into the tunnel, under our own protocol number."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from wgorch.state.change import Change, Command, change
from wgorch.state.state import ROUTE_PROTO, State
from wgorch.steps.peers import FEW


def routes(want: State, have: State) -> Iterator[Change]:
    if want.interface is None:
        return
    card = want.interface.name
    there, wanted = ({route.split()[0] for route in state.routes} for state in (have, want))
    new = sorted(want.routes - have.routes)
    other = [route for route in new if route.split()[0] in there]  # one that was taken over is marked, or given back
    gone = sorted(route for route in have.routes - want.routes if route.split()[0] not in wanted)
    for sign, found, why in (
        ("~", other, "it has another mark"),
        ("+", [route for route in new if route not in other], "packets to it would leave by another card"),
        ("-", gone, "it should not lead into the tunnel"),
    ):
        verb = "delete" if sign == "-" else "replace"
        for some in _told(found):
            made = [_command(verb, route, card) for route in some]
            what = (
                f"route {some[0] if sign == '-' else some[0].split()[0]}"
                if len(some) == 1
                else f"{len(some)} routes {some[0]} ... {some[-1]}"
            )
            yield change(sign, what, why, *made, disturbs=sign == "-")


def _told(routes: list[str]) -> Iterator[list[str]]:
    """A few are told one by one, many together: nobody reads sixty lines."""
    if len(routes) > FEW:
        yield routes
    else:
        yield from ([route] for route in routes)


@lru_cache(maxsize=1 << 14)
def _command(verb: str, route: str, card: str) -> Command:
    """A route as ``ip route`` takes it, the same for all hosts; without a protocol of its own it has ours."""
    subnet, _, proto = route.partition(" proto ")
    words = ("ip", "route", verb, subnet, "dev", card, "proto", proto or str(ROUTE_PROTO))
    return Command(words, may_be_absent=verb == "delete")
