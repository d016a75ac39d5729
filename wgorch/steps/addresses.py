"""The host's own address in the tunnel."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.state.change import Change, change, command
from wgorch.state.state import State


def addresses(want: State, have: State) -> Iterator[Change]:
    if want.interface is None:
        return
    name = want.interface.name
    for address in sorted(want.addresses - have.addresses):
        add = command("ip", "address", "replace", address, "dev", name)
        yield change("+", f"address {address}", f"{name} lacks it", add)
    for address in sorted(have.addresses - want.addresses):
        drop = command("ip", "address", "delete", address, "dev", name, may_be_absent=True)
        yield change("-", f"address {address}", f"{name} should not have it", drop, disturbs=True)
