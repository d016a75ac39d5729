"""Render plans for people, and as shell commands."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from wgorch.base.text import count, visible
from wgorch.inventory.model import Host
from wgorch.plan.host import BOOT, HostPlan
from wgorch.plan.typed import typed
from wgorch.report.console import SIGNS, safe_text
from wgorch.state.change import Change
from wgorch.state.wireguard import PendingKey


def render_plan(
    out: Console, plans: Mapping[str, HostPlan], verb: str = "up", removed: Mapping[str, Host] | None = None
) -> None:
    """Print the changes of each host with reasons and values, what follows from them, the notes, and a summary.

    `removed`: hosts that left the inventory, and are taken down.
    """
    removed = removed or {}
    for name, plan in plans.items() if removed or any(plan.changes for plan in plans.values()) else ():
        out.print(safe_text(f"{name}: {count(len(plan.changes), 'change')}", "bold" if plan.changes else "dim"))
        for change in plan.changes:
            if change.step != BOOT or len(plan.changes) == 1:
                _render_change(out, change)
    for name, host in removed.items():
        why = f"{host.ssh}: left the inventory; torn down after its peers drop it"
        out.print(_change_line("-", f"host {name}", why, disruptive=True))
    if follow := [name for name, plan in plans.items() if len(plan.changes) > 1 and plan.changes_boot]:
        out.print(safe_text(f"~ boot script of {', '.join(follow)}: updated to match (one change each)", "dim"))
    render_notes(out, plans)
    out.print(safe_text(_summary(plans, verb, removed)))


def _render_change(out: Console, change: Change) -> None:
    out.print(_change_line(f"  {change.sign}", change.what, change.why, disruptive=change.disruptive))
    for value in change.values:
        out.print(safe_text(f"        {value}", "dim"))


def _change_line(sign: str, what: str, why: str, *, disruptive: bool) -> Text:
    line = Text("")
    line.append(sign, SIGNS[sign.strip()])
    line.append(f" {visible(what)}")
    line.append(f"  — {visible(why)}", "dim")
    if disruptive:
        line.append("  (disruptive)", "yellow")
    return line


def _summary(plans: Mapping[str, HostPlan], verb: str, removed: Mapping[str, Host]) -> str:
    changes = [change for plan in plans.values() for change in plan.changes]
    if not changes and not removed:
        hosts = count(len(plans), "host")
        return f"No changes. {hosts} up to date." if verb == "up" else "No wgorch resources found."
    changed = sum(bool(plan.changes) for plan in plans.values()) + len(removed)
    disruptive = sum(change.disruptive for change in changes) + len(removed)
    hosts = count(len(plans) + len(removed), "host")
    return f"{count(len(changes) + len(removed), 'change')} on {changed} of {hosts}; {disruptive} disruptive"


def render_notes(out: Console, plans: Mapping[str, HostPlan]) -> None:
    """Print the notes of every plan; hosts with the same one share its line."""
    hosts: dict[str, list[str]] = {}
    for plan in plans.values():
        for note in plan.notes:
            hosts.setdefault(note.text, []).append(note.host)
    for text, names in hosts.items():
        out.print(safe_text(f"note: {', '.join(dict.fromkeys(names))}: {text}", "yellow"))


def shell_plan(plans: Mapping[str, HostPlan]) -> str:
    """The commands of a plan as a person would type them, by host: each change with its reason."""
    lines = []
    if any(isinstance(peer, PendingKey) for plan in plans.values() for its in plan.want.peers.values() for peer in its):
        lines.append("# <HOST>: the public key of a host without one yet; to print it there: wg pubkey <private_key")
    for name, plan in plans.items():
        lines += [f"# on {name}", *typed(plan), ""]
    return "\n".join(lines)
