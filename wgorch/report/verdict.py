"""Render outcomes, verification results and findings."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from wgorch.base.text import count, visible
from wgorch.errors import ABSENT, DONE, HELD, MIXED, ROLLED_BACK, STOPPED, HostError
from wgorch.inventory.model import IPAddress
from wgorch.outcome import HostState, Outcome
from wgorch.plan.members import newest
from wgorch.report.console import safe_text
from wgorch.report.status import revision
from wgorch.run import Run
from wgorch.topology.path import walk
from wgorch.topology.topology import Topology
from wgorch.verify.attempts import works
from wgorch.verify.diagnose import Verdict
from wgorch.verify.finding import Finding
from wgorch.verify.measure import Attempt, Ping

LABELS = {
    HostState.ROLLED_BACK: "rolled back",
    HostState.APPLIED: "applied",
    HostState.UNCONFIRMED: "unconfirmed",
    HostState.NOT_BEGUN: "not begun",
    HostState.UNKNOWN: "unknown",
}

MAX_MATRIX = 20
"""Number of hosts up to which the matrix of pings fits on a terminal."""


def render_outcome(out: Console, outcome: Outcome) -> None:
    """Print the state of each host after a failed change, and the errors."""
    if outcome.standing and not outcome.succeeded and outcome.code != HELD:
        table = Table(box=None, pad_edge=False, show_header=False)
        for name, standing in outcome.standing.items():
            table.add_row(safe_text(name, "bold"), safe_text(LABELS[standing.state]), safe_text(standing.why, "dim"))
        out.print(table)
    for error in outcome.failed:
        out.print(safe_text(f"error: {error}", "red"))


def render_absent(out: Console, absent: Mapping[str, HostError], effect: str = "") -> None:
    """Print each host that was not reached, and why; `effect`: what becomes of it."""
    for name, error in absent.items():
        out.print(safe_text(f"absent: {error}" + (f"\n    {name} {effect}" if effect else ""), "yellow"))


def render_orphans(out: Console, outcome: Outcome) -> None:
    """Print the hosts that left the inventory and could not be taken down."""
    for name, why in outcome.orphans.items():
        if why:
            left = f"orphan: {name} ({outcome.leaving[name].ssh}) left the inventory and its peers dropped it"
            out.print(
                safe_text(f"{left}, but teardown failed: {why}\n    gone for good: wgorch forget {name}", "yellow")
            )


def render_undone(out: Console, run: Run) -> None:
    """Print what the inventory would undo of a change made from elsewhere."""
    if text := undone(run):
        out.print(safe_text(text, "yellow"))


def undone(run: Run) -> str:
    """What the inventory would undo of a change made from elsewhere, in a line; empty for nothing."""
    its = "; ".join(run.undone)
    return f"not based on {revision(newest(run.seen))}; this inventory would change of it: {its}" if its else ""


def render_failure(out: Console, code: int) -> None:
    """Print how a change failed; nothing if it did not."""
    if code == ROLLED_BACK:
        out.print("wgorch: failed; all hosts rolled back", style="red")
    elif code == MIXED:
        out.print("wgorch: failed; some hosts were NOT rolled back (see above)", style="red")
        out.print("    hint: run wgorch status, then wgorch up")
    elif code > 128:
        out.print("wgorch: interrupted; all hosts rolled back", style="yellow")
    elif code == STOPPED:
        out.print("wgorch: stopped between two batches; wgorch up goes on", style="yellow")
    elif code not in (DONE, ABSENT, HELD):
        out.print("wgorch: failed", style="red")


def render_verdict(out: Console, topology: Topology, verdict: Verdict) -> None:
    """Print the matrix of pings, the declared flows, the findings and a summary."""
    if 1 < len(verdict.measured) <= MAX_MATRIX:
        out.print(_matrix(topology, verdict))
    _render_flows(out, topology, verdict)
    for finding, others in verdict.causes:
        more = f"\n    {_dependents(others)}" if others else ""
        out.print(safe_text(f"✗ {finding}{more}", "red"))
    for what in dict.fromkeys(finding.what for finding in verdict.proven_back):
        out.print(safe_text(f"! {what}", "yellow"))
    for finding in verdict.broken_before:
        out.print(safe_text(f"! {finding}\n    broken before this change, too: not held against it", "yellow"))
    paths = [ping.works for measured in verdict.measured.values() for ping in measured.pings.values()]
    paths += [works(*pair) for measured in verdict.measured.values() for pair in measured.attempts.items()]
    mark, style = ("✓", "green") if verdict.works else ("✗", "red")
    back = f", {len(verdict.proven_back)} by the way back" if verdict.proven_back else ""
    sum_up = f"{sum(paths)}/{len(paths)} paths OK{back}" if paths else "no path to test"
    out.print(safe_text(f"{mark} {sum_up}", style))


MAX_DEPENDENTS = 6


def _dependents(others: tuple[Finding, ...]) -> str:
    """What fails for the same cause."""
    pairs = [f"{finding.pair[0]} -> {finding.pair[1]}" for finding in others if finding.pair]
    names = ", ".join(pairs[:MAX_DEPENDENTS]) + (", …" if len(pairs) > MAX_DEPENDENTS else "")
    return f"and {count(len(others), 'path')} that {'needs' if len(others) == 1 else 'need'} it" + (
        f": {names}" if names else ""
    )


def _matrix(topology: Topology, verdict: Verdict) -> Table:
    """Round-trip times from each host to each other one, and to machines in LANs: every path that is counted."""
    names = list(verdict.measured)
    machines = _machines(topology, verdict)
    table = Table(title="RTT (ms)", title_justify="left", box=None, pad_edge=False)
    for title in ("from \\ to", *names, *machines):
        table.add_column(safe_text(title))
    for name in names:
        pings = verdict.measured[name].pings
        cells = (Text(" ").join(_cell(pings.get(a)) for a in topology.hosts[other].addresses) for other in names)
        row = [safe_text("·", "dim") if other == name else cell for other, cell in zip(names, cells, strict=True)]
        table.add_row(safe_text(name, "bold"), *row, *(_cell(pings.get(address)) for address in machines))
    return table


def _machines(topology: Topology, verdict: Verdict) -> list[IPAddress]:
    """The addresses that were pinged and are no measured host's: machines in LANs, mostly."""
    shown = {address for name in verdict.measured for address in topology.hosts[name].addresses}
    pinged = (address for measured in verdict.measured.values() for address in measured.pings)
    return [address for address in dict.fromkeys(pinged) if address not in shown]


def _render_flows(out: Console, topology: Topology, verdict: Verdict) -> None:
    def lan_interface(host: str, lan: object) -> str:
        return topology.hosts[host].lan_interface or "lan"

    for flow in topology.inventory.verify:
        measured = verdict.measured.get(flow.source)
        if measured is None:
            continue
        line = Text.assemble((f"{visible(str(flow))}  ", "bold"))
        if flow.is_ping:
            ping = measured.pings.get(flow.address)
            line.append_text(_cell(ping))
            line.append(f"  {ping.received}/{ping.sent}" if ping else "", "dim")
        else:
            attempt = measured.attempts.get(flow)
            line.append(
                f"{_BECAME[attempt]}" if attempt else "-", "green" if attempt and works(flow, attempt) else "red"
            )
        out.print(line)
        if not flow.refused:
            path = walk(topology, flow.source, flow.address, interface_of=lan_interface, cut=verdict.avoided)
            out.print(safe_text(f"    {path}", "dim"))


_BECAME = {
    Attempt.OPEN: "open",
    Attempt.CLOSED: "reached, but closed",
    Attempt.REJECTED: "rejected on the way",
    Attempt.ARRIVED: "arrives, no answer",
    Attempt.SILENT: "no answer",
    Attempt.UNSEEN: "no answer, not observed",
    Attempt.UNABLE: "not measured",
}


def _cell(ping: Ping | None) -> Text:
    """A ping in a table: its round-trip time, ✗ without a reply, - if not measured."""
    if ping is None:
        return safe_text("-", "dim")
    if not ping.works:
        return safe_text("✗", "red")
    rtt = f"{ping.rtt_ms:.1f}" if ping.rtt_ms is not None else "OK"
    return safe_text(rtt, "green" if ping.received == ping.sent else "yellow")


def render_findings(out: Console, found: Mapping[str, tuple[Finding, ...]]) -> None:
    """Print the findings of each host with their remedies."""
    for name, findings in found.items():
        if not findings:
            out.print(safe_text(f"✓ {name}: no problems found", "green"))
        for finding in findings:
            out.print(safe_text(f"• {finding}", "yellow"))
