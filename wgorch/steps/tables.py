"""Empty firewall tables that exist only because of us are taken away again (iptables-nft leaves them behind)."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.state.change import Change, change, command
from wgorch.state.rules import tool
from wgorch.state.state import State


def empty_tables(want: State, have: State) -> Iterator[Change]:
    for table in sorted(have.tables - want.tables):
        gone = command("drop_table", table)
        yield change("-", f"{tool(table)} table {table.removesuffix('6')}", "empty, and there only because of us", gone)
