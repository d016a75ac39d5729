"""Render the state of a network: sessions, errors, drift."""

from __future__ import annotations

import time
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from wgorch.base.text import count
from wgorch.inventory.model import Host
from wgorch.outcome import Status
from wgorch.plan.absent import Absence
from wgorch.plan.hold import Held
from wgorch.plan.members import Record
from wgorch.report.console import safe_text
from wgorch.report.plan import render_notes
from wgorch.report.sessions import Session, Use, ago, duration, relay_uses, sessions, size
from wgorch.topology.topology import Topology

MAX_DRIFT_LINES = 40
MAX_MEMBERS = 40
"""Number of members up to which their addresses are listed."""


def render_status(out: Console, topology: Topology, status: Status, *, verbose: bool = False) -> None:
    """Print one table of sessions and paths in the order of the inventory, then absent hosts, errors, drift and notes.

    `verbose`: also how each host was reached by SSH.
    """
    table = session_table(("received", "sent", "path"), right=("received", "sent"))
    by_host = sessions(topology, status)
    for name in (n for n in topology.inventory.hosts if n in by_host):
        rows = _rows(topology, status, name, by_host[name])
        for number, row in enumerate(rows):
            table.add_row(safe_text("" if number else name, "bold"), *row)
    out.print(table)
    if len(topology.hosts) <= MAX_MEMBERS:
        out.print(safe_text(f"addresses: {'; '.join(_place(host) for host in topology.hosts.values())}", "dim"))
    for line in unreachable_lines(status):
        out.print(line)
    for said in failover_lines(topology, status):
        out.print(safe_text(said, "yellow"))
    for name, session in status.ssh.items() if verbose else ():
        out.print(safe_text(f"{name}: {session or 'this machine, without SSH'}", "dim"))
    for error in status.errors:
        out.print(safe_text(f"✗ {error}", "red"))
    for held in status.held:
        out.print(safe_text(held_line(held), "yellow"))
    network = topology.inventory.network
    plans = {name: plan for name, plan in status.plans.items() if status.seen[name].is_managed(network)}
    for name, plan in status.plans.items():
        if name not in plans and plan.changes:
            out.print(safe_text(f"drift: {name}: not set up ({count(len(plan.changes), 'change')})", "yellow"))
    drift = [(name, change) for name, plan in plans.items() for change in plan.changes]
    for name, change in drift[:MAX_DRIFT_LINES]:
        out.print(safe_text(f"drift: {name}: {change.sign} {change.what}: {change.why}", "yellow"))
    if len(drift) > MAX_DRIFT_LINES:
        out.print(safe_text(f"drift: {len(drift) - MAX_DRIFT_LINES} more", "yellow"))
    for name, host in status.leaving.items():
        out.print(safe_text(f"drift: host {name} ({host.ssh}) left the inventory, and is not taken down", "yellow"))
    render_notes(out, status.plans)
    if status.record.number:
        out.print(safe_text(revision(status.record), "dim"))
    out.print(summary(status))


REASONS = {
    "lost": "{} did not answer",
    "loss": "{} lost much more",
    "drained": "{} is drained",
    "back": "{} answers again",
}
"""Why a host uses a relay, of the one that it prefers."""


def failover_lines(topology: Topology, status: Status) -> Iterator[str]:
    """A line for each host that does not use the relay that it prefers, and for each detour and drained relay."""
    for name, seen in status.seen.items():
        uses = relay_uses(topology, status, name)
        active = next((use for use in uses if use.state is Use.ACTIVE), None)
        if active and active is not uses[0]:
            since = f" for {duration(active.since_s)}" if active.since_s is not None else ""
            why = f": {REASONS[active.why].format(uses[0].relay)}" if active.why in REASONS else ""
            times = f"; {count(active.switches, 'change')} since its start" if active.switches else ""
            yield f"{name} uses {active.relay} by {active.interface}{since}{why}{times}"
        for each in seen.failover.detours:
            yield f"{name} does not hear {each.spoke} for {duration(max(0, seen.clock.uptime - each.since))}: it goes by {each.interface}"
        if seen.failover.drained:
            when, who = seen.failover.drained.split(" ")
            yield f"{name} is drained, by {who}, {time.strftime('%Y-%m-%d %H:%M %Z', time.localtime(int(when)))}: wgorch undrain {name}"


def _place(host: Host) -> str:
    """A member's tunnel addresses, and the LANs behind it."""
    lans = f" with {', '.join(map(str, host.subnets))}" if host.subnets else ""
    return f"{host.name} {', '.join(map(str, host.addresses))}{lans}"


def revision(record: Record) -> str:
    """The revision of a network for people."""
    when = time.strftime("%Y-%m-%d %H:%M %Z", time.localtime(record.when))
    return f"revision {record.number}, by {record.who}, {when}"


def held_line(held: Held) -> str:
    """A held change for people."""
    where = f"a change by {held.who} is held on {', '.join(held.hosts)}"
    if held.gone:
        return f"{where}, but no more on {', '.join(held.gone)}: wgorch rollback"
    return f"{where}, and rolls back in {duration(held.left_s)}: wgorch confirm, or wgorch rollback"


def session_table(columns: tuple[str, ...], right: tuple[str, ...]) -> Table:
    """An empty table of sessions; `columns`: those after the handshake, `right`: those of them with numbers."""
    table = Table(box=None, pad_edge=False)
    for title in ("host", "peer", "endpoint", "handshake", *columns):
        table.add_column(title, justify="right" if title in ("handshake", *right) else "left")
    return table


def unreachable_lines(status: Status) -> Iterator[Text]:
    """A line for each host that was not reached or not read, with the time since its peers last heard of it."""
    for name, error in status.unreachable.items():
        away = status.absences.get(name, Absence())
        since = f"; {away.seen_by} had a handshake with it {ago(away.age_s)}" if away.age_s is not None else ""
        if error.is_absence:
            yield safe_text(f"absent: {name}: {error.problem}{since}", "dim")
        else:
            yield safe_text(f"unknown: {error}", "red")


def summary(status: Status) -> Text:
    """The state of the network in one line."""
    changes = sum(len(plan.changes) for plan in status.plans.values()) + len(status.leaving)
    if changes:
        return safe_text(f"✗ drift detected; run `wgorch plan` ({count(changes, 'change')})", "yellow")
    if status.errors or not status.seen or any(not error.is_absence for error in status.unreachable.values()):
        return safe_text("✗ drift unknown: see the errors above", "yellow")
    in_sync = f"✓ {count(len(status.seen), 'host')} in sync with the inventory: configuration; traffic was not measured"
    if status.unreachable:
        return safe_text(f"{in_sync}; {len(status.unreachable)} absent", "yellow")
    return safe_text(in_sync, "green")


def _rows(topology: Topology, status: Status, name: str, its: list[Session]) -> list[list[Text]]:
    """The rows of a host: its sessions, then the hosts that it reaches through others."""
    if not status.seen[name].is_managed(topology.inventory.network):
        return [[safe_text("no tunnel", "yellow")]]
    uses = {use.relay: use.state.value for use in relay_uses(topology, status, name)}
    rows = [
        [
            safe_text(session.label),
            safe_text(session.traffic.endpoint or "-"),
            safe_text(session.age, session.style),
            safe_text(size(session.traffic.received)),
            safe_text(size(session.traffic.sent)),
            safe_text(uses.get(session.name or "", "direct")),
        ]
        for session in its
    ]
    known = {session.name for session in its}
    for other in topology.hosts if name in topology.hosts else ():
        if other in known:
            continue
        path = topology.path(name, other, status.avoided)
        if len(path) > 2:
            via = safe_text(f"via {', '.join(path[1:-1])}")
            rows.append([safe_text(other), *(safe_text("") for _ in range(4)), via])
    return rows or [[safe_text("no peers", "yellow")]]
