"""What `init` writes for machines drawn by a seed passes `check` and `plan`, or its notes say what to give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from tests.interop.hosts import key_of, targets
from tests.interop.machines import machines
from wgorch.errors import HostsFailed, InventoryError
from wgorch.gather.observed import Observed
from wgorch.interop.propose import NO_ENDPOINT, propose
from wgorch.inventory.assign import assign
from wgorch.inventory.load import loads
from wgorch.inventory.model import Inventory
from wgorch.plan.network import NetworkFacts, network_mtu, plan_network
from wgorch.plan.playbook import load_all
from wgorch.topology.path import unreachable_flows
from wgorch.topology.topology import build

COUNT, PASSING = 200, 150


def test_most_proposals_pass_and_the_others_say_why() -> None:
    outcomes = Counter(_outcome(seed) for seed in range(COUNT))
    assert set(outcomes) <= {"passes", NO_ENDPOINT, "no free subnet"}
    assert outcomes["passes"] >= PASSING, outcomes


def _outcome(seed: int) -> str:
    seen = machines(seed)
    proposal = propose(seen, targets(*seen), "office")
    try:
        inventory = loads(proposal.text())
    except InventoryError as error:
        assert NO_ENDPOINT in proposal.notes, f"{seed}: {error}\n{proposal.text()}"
        return NO_ENDPOINT
    topology = build(assign(inventory))
    assert not list(unreachable_flows(topology)), seed
    named = {machine.name: seen[machine.ssh] for machine in proposal.machines}
    try:
        _plan(inventory, named)
    except HostsFailed as error:
        assert any("Every candidate" in note for note in proposal.notes), f"{seed}: {error}\n{proposal.text()}"
        return "no free subnet"
    return "passes"


def _plan(inventory: Inventory, named: Mapping[str, Observed]) -> None:
    topology = build(assign(inventory))
    seen = {name: replace(there, host=name) for name, there in named.items()}
    keys = {name: key_of(name[:20]) for name in seen}
    facts = NetworkFacts(topology, seen, keys, network_mtu(topology, seen))
    plan_network(facts, load_all("", None, frozenset(seen)).up, frozenset(), frozenset(seen))
