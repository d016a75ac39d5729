"""Render plans as tables and as shell commands."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from wgorch.base.text import count, visible
from wgorch.plan.host import BOOT, HostPlan
from wgorch.plan.script import by_hand
from wgorch.report.console import SIGNS, plain
from wgorch.state.change import command
from wgorch.state.wireguard import PendingKey


def render_plan(out: Console, plans: Mapping[str, HostPlan], verb: str = "up") -> None:
    """The plan, by host and step, each change with its reason."""
    total = sum(len(plan.changes) for plan in plans.values())
    if not total:
        render_notes(out, plans)
        up_to_date = f"No changes. {count(len(plans), 'host')} up to date."
        out.print(plain(up_to_date if verb == "up" else "No wgorch resources found."))
        return
    for name, plan in plans.items():
        if not plan.changes:
            out.print(plain(f"{name}: 0 changes", "dim"))
            continue
        out.print(plain(f"{name}: {len(plan.changes)} changes", "bold"))
        for change in plan.changes:
            line = Text("  ")
            line.append(change.sign, SIGNS[change.sign])
            line.append(f" {visible(change.what)}")
            line.append(f"  — {visible(change.why)}", "dim")
            if change.disturbs:
                line.append("  (disturbs traffic)", "yellow")
            out.print(line)
    render_notes(out, plans)
    disturbing = sum(c.disturbs for p in plans.values() for c in p.changes)
    end = f"{disturbing} of them disturb what runs now" if disturbing else "none of them disturbs what runs now"
    out.print(plain(f"{total} changes on {sum(bool(p.changes) for p in plans.values())} of {len(plans)} hosts; {end}"))


def render_notes(out: Console, plans: Mapping[str, HostPlan]) -> None:
    for plan in plans.values():
        for note in plan.notes:
            out.print(plain(f"note: {visible(str(note))}", "yellow"))


def shell_plan(plans: Mapping[str, HostPlan]) -> str:
    """The commands of a plan, host by host, as a person could type them: what they need, then each with its reason."""
    lines = []
    if any(isinstance(peer, PendingKey) for plan in plans.values() for its in plan.want.peers.values() for peer in its):
        lines.append("# <host> stands for the public key of a host that has none yet: wg pubkey <private_key there")
    for name, plan in plans.items():
        lines.append(f"# on {name}")
        if plan.changes:
            lines += by_hand(plan.want, plan.changes)
        for change in plan.changes:
            if change.step == BOOT and plan.want.interfaces:
                boot = command("write_file", f"{plan.want.directory}/boot", "600", stdin=plan.boot.text)
                lines += [f"# {change.sign} boot script: {visible(change.why)}", boot.render()]
                continue
            lines.append(f"# {change.sign} {visible(change.what)}: {visible(change.why)}")
            lines += [command.render() for command in change.commands]
        lines.append("")
    return "\n".join(lines)
