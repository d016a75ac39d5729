"""The steps by name. Each is a function of two States: what is wanted, what is there; it yields the Changes between.

A step never asks in which direction it is run: do is (wanted, seen), undo is (seen, wanted), boot is (wanted, nothing)
and teardown is (baseline, seen).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from wgorch.command import Change
from wgorch.frozen import frozen
from wgorch.state import State

StepFunction = Callable[[State, State], Iterator[Change]]


@frozen
class Step:
    """A named step. `doc` is the first line of its file, or of its function where the file has several."""

    name: str
    run: StepFunction
    doc: str

    def __call__(self, want: State, have: State) -> Iterator[Change]:
        return self.run(want, have)


@cache
def all_steps() -> dict[str, Step]:
    """Every step that wgorch ships, by name."""
    from wgorch.steps import (
        addresses,
        dns,
        exits,
        firewall,
        forwarding,
        install,
        interface,
        keys,
        nft,
        peers,
        persist,
        routes,
        tables,
        zones,
    )

    modules: list[tuple[str, StepFunction, str | None]] = [
        ("install", install.install, install.__doc__),
        ("keys", keys.keys, keys.__doc__),
        ("interface", interface.interface, interface.__doc__),
        ("addresses", addresses.addresses, addresses.__doc__),
        ("peers", peers.peers, peers.__doc__),
        ("forwarding", forwarding.forwarding, forwarding.__doc__),
        ("forward_rules", firewall.forward_rules, firewall.forward_rules.__doc__),
        ("input_rules", firewall.input_rules, firewall.input_rules.__doc__),
        ("masquerade", firewall.masquerade, firewall.masquerade.__doc__),
        ("clamp_mss", firewall.clamp_mss, firewall.clamp_mss.__doc__),
        ("tables", tables.tables, tables.__doc__),
        ("map_lans", firewall.map_lans, firewall.map_lans.__doc__),
        ("nft_table", nft.nft_table, nft.__doc__),
        ("new_zones", zones.new_zones, zones.new_zones.__doc__),
        ("zones", zones.zones, zones.zones.__doc__),
        ("kept_zones", zones.kept_zones, zones.kept_zones.__doc__),
        ("routes", routes.routes, routes.__doc__),
        ("exits", exits.exits, exits.__doc__),
        ("dns", dns.dns, dns.__doc__),
        ("others", persist.others, persist.others.__doc__),
        ("persist", persist.persist, persist.__doc__),
    ]
    return {name: Step(name, run, (doc or "").strip().split("\n")[0]) for name, run, doc in modules}
