"""The steps by name. Each is a function of two States: what is wanted, what is there; it yields the Changes between.

A step never asks in which direction it is run: do is (wanted, seen), undo is (seen, wanted), boot is (wanted, nothing)
and teardown is (baseline, seen).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from wgorch.base.value import value
from wgorch.state.change import Change
from wgorch.state.state import State

StepFunction = Callable[[State, State], Iterator[Change]]


@value
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
        firewalld,
        forwarding,
        install,
        interface,
        keys,
        nft,
        peers,
        routes,
        startup,
        tables,
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
        ("empty_tables", tables.empty_tables, tables.__doc__),
        ("map_lans", firewall.map_lans, firewall.map_lans.__doc__),
        ("nft_table", nft.nft_table, nft.__doc__),
        ("firewalld_prepare", firewalld.firewalld_prepare, firewalld.firewalld_prepare.__doc__),
        ("firewalld", firewalld.firewalld, firewalld.firewalld.__doc__),
        ("firewalld_permanent", firewalld.firewalld_permanent, firewalld.firewalld_permanent.__doc__),
        ("routes", routes.routes, routes.__doc__),
        ("exit_routes", exits.exit_routes, exits.__doc__),
        ("dns", dns.dns, dns.__doc__),
        ("drop_ins", startup.drop_ins, startup.drop_ins.__doc__),
        ("persist", startup.persist, startup.__doc__),
    ]
    return {name: Step(name, run, (doc or "").strip().split("\n")[0]) for name, run, doc in modules}
