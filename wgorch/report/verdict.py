"""Render verification results, outcomes and findings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from wgorch.base.text import visible
from wgorch.outcome import HostState, Outcome
from wgorch.report.console import plain
from wgorch.topology.path import walk
from wgorch.topology.topology import Topology
from wgorch.verify.diagnose import Finding, Verdict

# --- outcome


STATES = {
    HostState.ROLLED_BACK: "rolled back",
    HostState.APPLIED: "applied",
    HostState.UNCONFIRMED: "unconfirmed",
    HostState.UNKNOWN: "UNKNOWN",
}


def render_outcome(out: Console, outcome: Outcome, verb: str) -> None:
    """Where every host stands, and the verdict in one line."""
    if outcome.standing and outcome.code:
        table = Table(box=None, pad_edge=False, show_header=False)
        for name, standing in outcome.standing.items():
            table.add_row(plain(name, "bold"), plain(STATES[standing.state]), plain(standing.why, "dim"))
        out.print(table)
    for error in outcome.failed:
        out.print(plain(f"error: {error}", "red"))


def render_verdict(out: Console, topology: Topology, verdict: Verdict) -> None:
    """The matrix of who reaches whom, the flows, and what is wrong."""
    names = list(verdict.measured)
    if 1 < len(names) <= 20:
        table = Table(title="who reaches whom (ms)", title_justify="left", box=None, pad_edge=False)
        table.add_column("from \\ to")
        for name in names:
            table.add_column(plain(name))
        for name in names:
            cells = []
            for other in names:
                both = [_cell(verdict.measured[name].pings.get(a)) for a in topology.hosts[other].addresses]
                cells.append(plain("·", "dim") if name == other else Text(" ").join(both))
            table.add_row(plain(name, "bold"), *cells)
        out.print(table)
    flows = [f for f in topology.inventory.verify if f.source in verdict.measured]
    for flow in flows:
        ping = verdict.measured[flow.source].pings.get(flow.address)
        line = Text.assemble((f"{flow.source} -> {visible(flow.target)}  ", "bold"), _cell(ping))
        if ping:
            line.append(f"  {ping.received}/{ping.sent}", "dim")
        out.print(line)
        out.print(
            plain(
                f"    {walk(topology, flow.source, flow.address, interface_of=lambda h, lan: _card(topology, h))}",
                "dim",
            )
        )
    for finding in verdict.findings:
        out.print(plain(f"✗ {finding}", "red"))
    pings = [p for m in verdict.measured.values() for p in m.pings.values()]
    good = sum(p.works for p in pings)
    out.print(
        plain(f"{'✓' if verdict.works else '✗'} {good} of {len(pings)} ways work", "green" if verdict.works else "red")
    )


def _card(topology: Topology, host: str) -> str:
    return topology.hosts[host].lan_interface or "lan"


def _cell(ping: Any) -> Text:
    if ping is None:
        return plain("-", "dim")
    if not ping.works:
        return plain("✗", "red")
    return plain(
        f"{ping.rtt_ms:.1f}" if ping.rtt_ms is not None else "ok", "green" if ping.received == ping.sent else "yellow"
    )


def render_findings(out: Console, found: Mapping[str, tuple[Finding, ...]]) -> None:
    """What was found on each host, with its remedy."""
    for name, findings in found.items():
        if not findings:
            out.print(plain(f"✓ {name}: nothing stands in the way", "green"))
        for finding in findings:
            out.print(plain(f"• {finding}", "yellow"))
