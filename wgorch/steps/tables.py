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
    for table in sorted((have.tables - want.tables) & have.created_tables):
        gone = command("drop_table", table)
        yield change("-", f"{tool(table)} table {table.removesuffix('6')}", "empty, and created by wgorch", gone)


def _have(facts: Facts, _network: Network) -> Slice:
    return {"tables": frozenset(facts.firewall.rules), "created_tables": facts.files.created_tables}


def _target(target: Target) -> Slice:
    there, used = frozenset(target.facts.firewall.rules), {chain.table for chain in chains_of(target)}
    return {
        "tables": (there - target.facts.removable_tables(target.network)) | used,
        "created_tables": target.facts.files.created_tables | (used - there),
    }


NOUN = Noun(
    state=("tables", "created_tables"),
    steps=(step(empty_tables),),
    have=_have,
    target=_target,
    functions=("drop_table",),
    unprobed="the firewall's probe prints the names of tables",
)
