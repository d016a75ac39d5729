"""Packages: install what is missing by the host's own package manager; remove it again only where asked."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.adapters.packages import MANAGERS, manager_of
from wgorch.facts.facts import Facts
from wgorch.inventory.model import Network
from wgorch.state.change import Change, change, command
from wgorch.state.rules import tool
from wgorch.state.state import State
from wgorch.steps.firewall import chains_of
from wgorch.steps.noun import Noun, Slice, step
from wgorch.steps.target import Target


def install(want: State, have: State) -> Iterator[Change]:
    """Install missing packages by the host's own package manager; remove them again only where asked."""
    missing = sorted(want.tools - have.tools)
    if missing and not have.manager:
        yield change("+", f"commands {' '.join(missing)}", "not installed", command("cannot_install", *missing))
    elif missing:
        names = sorted({MANAGERS[have.manager].package(tool) for tool in missing})
        making = command("install_packages", have.manager, *names)
        yield change("+", f"packages {' '.join(names)}", f"not installed; by {have.manager}", making)
    if installed := sorted(have.packages - want.packages):
        taking = command("remove_packages", have.manager, *installed)
        yield change("-", f"packages {' '.join(installed)}", "installed by wgorch", taking)


def _have(facts: Facts, _network: Network) -> Slice:
    system = facts.system
    return {
        "manager": manager_of(system.os, system.tools),
        "packages": facts.files.installed,
        "tools": system.tools,
    }


def _target(target: Target) -> Slice:
    tools = {f"{tool(chain.table)}{part}" for chain in chains_of(target) for part in ("", "-save", "-restore")}
    by_nft = target.desired.filtering and not target.facts.filters_by_iptables
    needed = {"ip", "wg", *tools, *(["nft"] if by_nft else [])}
    if not target.facts.system.kernel_wireguard and target.desired.host.wireguard_go:
        needed.add("wireguard-go")
    return {**_have(target.facts, target.network), "tools": frozenset(needed)}


NOUN = Noun(
    state=("manager", "packages", "tools"),
    steps=(step(install),),
    have=_have,
    target=_target,
    functions=("install_packages", "remove_packages", "cannot_install"),
    unprobed="installed before the lease, and never rolled back",
)
