"""Render plans for people, and as shell commands."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from wgorch.base.text import count, visible
from wgorch.plan.host import BOOT, HostPlan
from wgorch.plan.script import by_hand
from wgorch.report.console import SIGNS, safe_text
from wgorch.state.change import Change, command
from wgorch.state.wireguard import PendingKey


def render_plan(out: Console, plans: Mapping[str, HostPlan], verb: str = "up") -> None:
    """Print the changes of each host with their reasons, the notes, and a summary."""
    for name, plan in plans.items() if any(plan.changes for plan in plans.values()) else ():
        out.print(safe_text(f"{name}: {count(len(plan.changes), 'change')}", "bold" if plan.changes else "dim"))
        for change in plan.changes:
            out.print(_change_line(change))
    render_notes(out, plans)
    out.print(safe_text(_summary(plans, verb)))


def _change_line(change: Change) -> Text:
    line = Text("  ")
    line.append(change.sign, SIGNS[change.sign])
    line.append(f" {visible(change.what)}")
    line.append(f"  — {visible(change.why)}", "dim")
    if change.disruptive:
        line.append("  (disruptive)", "yellow")
    return line


def _summary(plans: Mapping[str, HostPlan], verb: str) -> str:
    changes = [change for plan in plans.values() for change in plan.changes]
    hosts = count(len(plans), "host")
    if not changes:
        return f"No changes. {hosts} up to date." if verb == "up" else "No wgorch resources found."
    changed = sum(bool(plan.changes) for plan in plans.values())
    disruptive = sum(change.disruptive for change in changes)
    return f"{count(len(changes), 'change')} on {changed} of {hosts}; {disruptive} disruptive"


def render_notes(out: Console, plans: Mapping[str, HostPlan]) -> None:
    """Print the notes of every plan."""
    for plan in plans.values():
        for note in plan.notes:
            out.print(safe_text(f"note: {note}", "yellow"))


def shell_plan(plans: Mapping[str, HostPlan]) -> str:
    """The commands of a plan as a person could type them, by host: prerequisites, then each change with its reason."""
    lines = []
    if any(isinstance(peer, PendingKey) for plan in plans.values() for its in plan.want.peers.values() for peer in its):
        lines.append("# <HOST>: the public key of a host without one yet; to print it there: wg pubkey <private_key")
    for name, plan in plans.items():
        lines.append(f"# on {name}")
        if plan.changes:
            lines += by_hand(plan.want, plan.changes)
        for change in plan.changes:
            lines += _shell_change(plan, change)
        lines.append("")
    return "\n".join(lines)


def _shell_change(plan: HostPlan, change: Change) -> list[str]:
    if change.step == BOOT and plan.want.interfaces:
        boot = command("write_file", f"{plan.want.directory}/boot", "600", stdin=plan.boot.text)
        return [f"# {change.sign} boot script: {visible(change.why)}", boot.render()]
    comment = f"# {change.sign} {visible(change.what)}: {visible(change.why)}"
    return [comment, *(its.render() for its in change.commands)]
