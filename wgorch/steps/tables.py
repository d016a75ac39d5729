"""Empty iptables tables that exist because of wgorch are deleted again (iptables-nft leaves them behind)."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.facts.facts import Facts
from wgorch.inventory.model import Network
from wgorch.state.change import Change, change, command
from wgorch.state.rules import tool
from wgorch.state.state import State
from wgorch.steps.firewall import chains_of
from wgorch.steps.noun import Noun, Slice, step
from wgorch.steps.target import Target


def empty_tables(want: State, have: State) -> Iterator[Change]:
    """Delete empty iptables tables that exist because of wgorch (iptables-nft leaves them behind)."""
    for table in sorted(have.tables - want.tables):
        gone = command("drop_table", table)
        yield change("-", f"{tool(table)} table {table.removesuffix('6')}", "empty, and created by wgorch", gone)


def _have(facts: Facts, _network: Network) -> Slice:
    return {"tables": frozenset(facts.files.created_tables & facts.firewall.rules.keys())}


def _target(target: Target) -> Slice:
    facts = target.facts
    kept = facts.files.created_tables - facts.removable_tables(target.network)
    return {"tables": kept | {chain.table for chain in chains_of(target)}}


NOUN = Noun(
    state=("tables",),
    steps=(step(empty_tables),),
    have=_have,
    target=_target,
    functions=("drop_table",),
    unprobed="the firewall's probe prints the names of tables",
)
