"""Addresses of the host inside the tunnel."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.facts.facts import Facts
from wgorch.facts.links import is_global
from wgorch.inventory.model import Network
from wgorch.state.change import Change, change, command
from wgorch.state.state import State
from wgorch.steps.noun import Noun, Slice, step
from wgorch.steps.target import Target


def addresses(want: State, have: State) -> Iterator[Change]:
    """Give the interface the host's address in the tunnel."""
    for name in want.interfaces:
        new, old = want.addresses.get(name, frozenset()), have.addresses.get(name, frozenset())
        for address in sorted(new - old):
            add = command("ip", "address", "replace", address, "dev", name)
            yield change("+", f"address {address}", f"missing on {name}", add)
        for address in sorted(old - new):
            drop = command("ip", "address", "delete", address, "dev", name, may_be_absent=True)
            yield change("-", f"address {address}", f"not wanted on {name}", drop, disruptive=True)


def _have(facts: Facts, network: Network) -> Slice:
    if not facts.is_managed(network):
        return {"addresses": {}}
    name = network.interface
    found = frozenset(str(a) for device, a in facts.links.addresses if device == name and is_global(a))
    return {"addresses": {name: found}}


def _target(target: Target) -> Slice:
    own = target.desired.host.addresses
    return {"addresses": {target.tunnel: frozenset(f"{a}/{target.network.prefix_of(a)}" for a in own)}}


def _probe(interface: str) -> Iterator[str]:
    yield f"ip -o address show dev {interface} | sed 's/^[0-9]*: //'"


NOUN = Noun(state=("addresses",), steps=(step(addresses),), have=_have, target=_target, probe_interface=_probe)
