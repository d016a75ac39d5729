"""Everything that has no other way leaves through another host; what cannot is stopped here, and never leaks.

The rules and routes are the ones that wg-quick uses: all but the tunnel's own packets (by their mark) ask a table of
ours, after the main table has been asked for more than a default route.
"""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.state.change import Change, change, command
from wgorch.state.state import ROUTE_PROTO, State


def exit_routes(want: State, have: State) -> Iterator[Change]:
    for way in sorted(want.ways - have.ways):
        family, words = way.split(" ")[0], way.split(" ")[1:]
        add = command("ip", family, "route", "replace", *words, "proto", ROUTE_PROTO)
        yield change("+", f"route {way}", "what has no other way would not go there", add)
    for rule in sorted(want.policy - have.policy):
        add = command("set_policy_rule", *rule.split(" "))
        yield change("+", f"rule {rule}", "the routes of the tunnel would not be asked", add)
    for rule in sorted(have.policy - want.policy):
        gone = command("delete_policy_rule", *rule.split(" "))
        yield change("-", f"rule {rule}", "not everything is to enter the tunnel", gone, disturbs=True)
    for way in sorted(have.ways - want.ways):
        family, words = way.split(" ")[0], way.split(" ")[1:]
        drop = command("ip", family, "route", "delete", *words, "proto", ROUTE_PROTO, may_be_absent=True)
        yield change("-", f"route {way}", "not everything is to enter the tunnel", drop, disturbs=True)
