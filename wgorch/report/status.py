"""Render the state of a network: sessions, errors, drift."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from wgorch.base.text import count
from wgorch.outcome import Status
from wgorch.report.console import safe_text
from wgorch.report.plan import render_notes
from wgorch.report.sessions import Session, SessionState, session_state, sessions, size
from wgorch.topology.topology import Topology

MAX_DRIFT_LINES = 40


def render_status(out: Console, topology: Topology, status: Status, *, verbose: bool = False) -> None:
    """Print one table of sessions and paths, worst host first, then errors, drift and notes.

    `verbose`: also how each host was reached by SSH.
    """
    table = session_table(("received", "sent", "path"), right=("received", "sent"))
    add_unreachable(table, status)
    by_host = sessions(topology, status)
    for name in sorted(by_host, key=lambda name: -_severity(topology, status, name, by_host[name])):
        rows = _rows(topology, status, name, by_host[name])
        for number, row in enumerate(rows):
            table.add_row(safe_text("" if number else name, "bold"), *row)
    out.print(table)
    for name, session in status.ssh.items() if verbose else ():
        out.print(safe_text(f"{name}: {session or 'this machine, without SSH'}", "dim"))
    for error in status.errors:
        out.print(safe_text(f"✗ {error}", "red"))
    drift = [(name, change) for name, plan in status.plans.items() for change in plan.changes]
    for name, change in drift[:MAX_DRIFT_LINES]:
        out.print(safe_text(f"drift: {name}: {change.sign} {change.what}: {change.why}", "yellow"))
    if len(drift) > MAX_DRIFT_LINES:
        out.print(safe_text(f"drift: {len(drift) - MAX_DRIFT_LINES} more", "yellow"))
    render_notes(out, status.plans)
    out.print(summary(status))


def session_table(columns: tuple[str, ...], right: tuple[str, ...]) -> Table:
    """An empty table of sessions; `columns`: those after the handshake, `right`: those of them with numbers."""
    table = Table(box=None, pad_edge=False)
    for title in ("host", "peer", "endpoint", "handshake", *columns):
        table.add_column(title, justify="right" if title in ("handshake", *right) else "left")
    return table


def add_unreachable(table: Table, status: Status) -> None:
    """Add a row for each host that was not reached."""
    for name, error in status.unreachable.items():
        table.add_row(safe_text(name, "bold"), safe_text(f"unreachable: {error.problem}", "red"))


def summary(status: Status) -> Text:
    """The state of the network in one line."""
    changes = sum(len(plan.changes) for plan in status.plans.values())
    if changes:
        return safe_text(f"✗ drift detected; run `wgorch plan` ({count(changes, 'change')})", "yellow")
    if status.unreachable or status.errors:
        return safe_text("✗ drift unknown: see the errors above", "yellow")
    return safe_text(f"✓ {count(len(status.seen), 'host')} in sync with the inventory", "green")


def _severity(topology: Topology, status: Status, name: str, its: list[Session]) -> int:
    """How urgent a host is: 4 no tunnel, 3 a session that is down, 2 a stale one, 1 drift, 0 none."""
    if not status.seen[name].is_managed(topology.inventory.network):
        return 4
    states = {session_state(session.age_s) for session in its}
    if not states or SessionState.DOWN in states:
        return 3
    if SessionState.STALE in states:
        return 2
    plan = status.plans.get(name)
    return 1 if plan and plan.changes else 0


def _rows(topology: Topology, status: Status, name: str, its: list[Session]) -> list[list[Text]]:
    """The rows of a host: its sessions, then the hosts that it reaches through others."""
    if not status.seen[name].is_managed(topology.inventory.network):
        return [[safe_text("no tunnel", "yellow")]]
    rows = [
        [
            safe_text(session.label),
            safe_text(session.traffic.endpoint or "-"),
            safe_text(session.age, session.style),
            safe_text(size(session.traffic.received)),
            safe_text(size(session.traffic.sent)),
            safe_text("direct"),
        ]
        for session in its
    ]
    for other in topology.hosts if name in topology.hosts else ():
        path = topology.path(name, other)
        if len(path) > 2:
            via = safe_text(f"via {', '.join(path[1:-1])}")
            rows.append([safe_text(other), *(safe_text("") for _ in range(4)), via])
    return rows or [[safe_text("no peers", "yellow")]]
