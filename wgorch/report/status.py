"""Plans, verdicts and states as text for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from wgorch.base.wgkey import names_by_key
from wgorch.facts.observed import Observed
from wgorch.outcome import Status
from wgorch.report.console import plain
from wgorch.report.plan import render_notes
from wgorch.topology.topology import Topology

STALE_S = 180
"""WireGuard forgets a session after 180 s; with keepalive a handshake is never older."""


# --- status


def render_status(out: Console, topology: Topology, status: Status) -> None:
    """One table for the network: per host and peer the session, its traffic, its way, and what differs."""
    table = Table(box=None, pad_edge=False)
    for title in ("host", "peer", "endpoint", "handshake", "received", "sent", "path"):
        table.add_column(title, justify="right" if title in ("handshake", "received", "sent") else "left")
    for name, error in status.unreachable.items():
        table.add_row(plain(name, "bold"), plain(f"not reached: {error.problem}", "red"))
    names = names_by_key(status.keys)
    for name in sorted(status.seen, key=lambda name: -_badness(topology, status, name)):  # worst first
        seen = status.seen[name]
        if not seen.is_managed(topology.inventory.network):
            table.add_row(plain(name, "bold"), plain("no tunnel here", "yellow"))
            continue
        first = True
        for row in _session_rows(topology, name, seen, names):
            table.add_row(plain(name if first else "", "bold"), *row)
            first = False
    out.print(table)
    for trouble in status.trouble:
        out.print(plain(f"✗ {trouble}", "red"))
    drift = [(n, c) for n, p in status.plans.items() for c in p.changes]
    for name, change in drift[:40]:
        out.print(plain(f"drift: {name}: {change.sign} {change.what}: {change.why}", "yellow"))
    render_notes(out, status.plans)
    if status.code:
        out.print(plain("not as the inventory says; `wgorch plan` shows what `wgorch up` would change", "yellow"))
    else:
        out.print(plain(f"✓ {len(status.seen)} hosts are as the inventory says", "green"))


def _badness(topology: Topology, status: Status, name: str) -> int:
    """How much a host needs to be looked at: no tunnel, a dead session, an old one, drift."""
    seen = status.seen[name]
    if not seen.is_managed(topology.inventory.network):
        return 4
    ages = [seen.clock - t.handshake if t.handshake else None for t in seen.traffic.values()]
    if not ages or None in ages:
        return 3
    if any(age is not None and age > STALE_S for age in ages):
        return 2
    plan = status.plans.get(name)
    return 1 if plan and plan.changes else 0


def _session_rows(topology: Topology, name: str, seen: Observed, names: Mapping[str, str]) -> list[list[Text]]:
    rows = []
    known = topology.hosts
    # By name: wg itself lists peers in whatever order they come.
    for key, traffic in sorted(seen.traffic.items(), key=lambda pair: names.get(pair[0], pair[0])):
        peer = names.get(key, f"{key[:8]}…")
        age = seen.clock - traffic.handshake if traffic.handshake else None
        style = "red" if age is None else "yellow" if age > STALE_S else "green"
        rows.append(
            [
                plain(peer),
                plain(traffic.endpoint or "-"),
                plain("never" if age is None else f"{max(0, age)} s ago", style),
                plain(size(traffic.received)),
                plain(size(traffic.sent)),
                plain("direct"),
            ]
        )
    if name in known:
        for other in known:
            way = topology.path(name, other)
            if len(way) > 2:
                rows.append([plain(other), *(plain("") for _ in range(4)), plain(f"via {', '.join(way[1:-1])}")])
    return rows or [[plain("no peers", "yellow")]]


def size(count: float) -> str:
    """Bytes as people read them."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
