"""Plans, verdicts and states as text for people and as JSON for programs."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from wgorch.change import Outcome
from wgorch.command import command
from wgorch.facts.observed import Observed
from wgorch.plan import HostPlan
from wgorch.program import by_hand
from wgorch.report.console import SIGNS, plain
from wgorch.text import visible, without_keys
from wgorch.topology.build import Topology
from wgorch.topology.walk import walk
from wgorch.trace.explain import Trace
from wgorch.verify.diagnose import Finding, Verdict
from wgorch.workflow import Status

STALE_S = 180
"""WireGuard forgets a session after 180 s; with keepalive a handshake is never older."""


def _known(text: str) -> str:
    return text.replace("<", "(").replace(">", "'s key, known after keygen)") if "<" in text else text


# --- plan


def draw_plan(out: Console, plans: Mapping[str, HostPlan], verb: str = "up") -> None:
    """The plan, by host and step, each change with its reason."""
    total = sum(len(plan.changes) for plan in plans.values())
    if not total:
        _draw_notes(out, plans)
        good = f"{len(plans)} hosts are as they should be" if verb == "up" else "nothing of ours is there"
        out.print(plain(f"0 changes: {good}"))
        return
    for name, plan in plans.items():
        if not plan.changes:
            out.print(plain(f"{name}: 0 changes", "dim"))
            continue
        out.print(plain(f"{name}: {len(plan.changes)} changes", "bold"))
        for change in plan.changes:
            line = Text("  ")
            line.append(change.sign, SIGNS[change.sign])
            line.append(f" {visible(_known(change.what))}")
            line.append(f"  — {visible(_known(change.why))}", "dim")
            if change.disturbs:
                line.append("  (disturbs traffic)", "yellow")
            out.print(line)
    _draw_notes(out, plans)
    disturbing = sum(c.disturbs for p in plans.values() for c in p.changes)
    end = f"{disturbing} of them disturb what runs now" if disturbing else "none of them disturbs what runs now"
    out.print(plain(f"{total} changes on {sum(bool(p.changes) for p in plans.values())} of {len(plans)} hosts; {end}"))


def _draw_notes(out: Console, plans: Mapping[str, HostPlan]) -> None:
    for plan in plans.values():
        for note in plan.notes:
            out.print(plain(f"note: {note}", "yellow"))


def shell_plan(plans: Mapping[str, HostPlan]) -> str:
    """The commands of a plan, host by host, as a person could type them: what they need, then each with its reason."""
    lines = []
    if any("<" in peer for plan in plans.values() for peer in plan.want.peers):
        lines.append("# <host> stands for the public key of a host that has none yet: wg pubkey <private_key there")
    for name, plan in plans.items():
        lines.append(f"# on {name}")
        if plan.changes:
            lines += by_hand(plan.want, plan.changes)
        for change in plan.changes:
            if change.what == "boot program" and plan.want.interface:
                boot = command("write_file", f"{plan.want.directory}/boot", "600", stdin=plan.boot.text)
                lines += [f"# {change.sign} boot program: {visible(change.why)}", boot.render()]
                continue
            lines.append(f"# {change.sign} {visible(change.what)}: {visible(change.why)}")
            lines += [command.render() for command in change.commands]
        lines.append("")
    return "\n".join(lines)


def plan_json(plans: Mapping[str, HostPlan]) -> dict[str, Any]:
    """A plan for programs."""
    return {
        "version": 1,
        "changes": sum(len(p.changes) for p in plans.values()),
        "hosts": {
            name: {
                "changes": [
                    {
                        "sign": c.sign,
                        "step": c.step,
                        "what": visible(c.what),
                        "why": visible(c.why),
                        "disturbs": c.disturbs,
                    }
                    for c in p.changes
                ],
                "notes": [visible(n) for n in p.notes],
            }
            for name, p in plans.items()
        },
    }


# --- outcome


STATES = {"old": "as before", "new": "as planned", "unconfirmed": "changed, not confirmed", "unknown": "UNKNOWN"}


def draw_outcome(out: Console, outcome: Outcome, verb: str) -> None:
    """Where every host stands, and the verdict in one line."""
    if outcome.standing and outcome.code:
        table = Table(box=None, pad_edge=False, show_header=False)
        for name, standing in outcome.standing.items():
            table.add_row(plain(name, "bold"), plain(STATES[standing.state]), plain(standing.why, "dim"))
        out.print(table)
    for error in outcome.failed:
        out.print(plain(f"error: {error}", "red"))


def draw_verdict(out: Console, topology: Topology, verdict: Verdict) -> None:
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
            plain(f"    {walk(topology, flow.source, flow.address, card=lambda h, lan: _card(topology, h))}", "dim")
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


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict for programs."""
    return {
        "version": 1,
        "works": verdict.works,
        "pings": {
            name: {str(ip): {"sent": p.sent, "received": p.received, "rtt_ms": p.rtt_ms} for ip, p in m.pings.items()}
            for name, m in verdict.measured.items()
        },
        "findings": [{"host": f.host, "what": visible(f.what), "fix": visible(f.fix)} for f in verdict.findings],
    }


# --- status


def draw_status(out: Console, topology: Topology, status: Status) -> None:
    """One table for the network: per host and peer the session, its traffic, its way, and what differs."""
    table = Table(box=None, pad_edge=False)
    for title in ("host", "peer", "endpoint", "handshake", "received", "sent", "path"):
        table.add_column(title, justify="right" if title in ("handshake", "received", "sent") else "left")
    for name, error in status.unreachable.items():
        table.add_row(plain(name, "bold"), plain(f"not reached: {error.saw}", "red"))
    names = {key: name for name, key in status.keys.items()}
    for name in sorted(status.seen, key=lambda name: -_badness(topology, status, name)):  # worst first
        seen = status.seen[name]
        if not seen.is_ours(topology.inventory.network):
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
        out.print(plain(f"drift: {name}: {change.sign} {_known(change.what)}: {_known(change.why)}", "yellow"))
    _draw_notes(out, status.plans)
    if status.code:
        out.print(plain("not as the inventory says; `wgorch plan` shows what `wgorch up` would change", "yellow"))
    else:
        out.print(plain(f"✓ {len(status.seen)} hosts are as the inventory says", "green"))


def _badness(topology: Topology, status: Status, name: str) -> int:
    """How much a host needs to be looked at: no tunnel, a dead session, an old one, drift."""
    seen = status.seen[name]
    if not seen.is_ours(topology.inventory.network):
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


def status_json(topology: Topology, status: Status) -> dict[str, Any]:
    """The state of the network for programs."""
    names = {key: name for name, key in status.keys.items()}
    hosts: dict[str, Any] = {n: {"reached": False, "error": visible(e.saw)} for n, e in status.unreachable.items()}
    for name, seen in status.seen.items():
        plan = status.plans.get(name)
        hosts[name] = {
            "reached": True,
            "interface": topology.inventory.network.interface if seen.is_ours(topology.inventory.network) else None,
            "public_key": seen.public_key or None,
            "peers": [
                {
                    "name": names.get(key),
                    "public_key": key,
                    "endpoint": t.endpoint or None,
                    "latest_handshake": t.handshake or None,
                    "handshake_age_s": max(0, seen.clock - t.handshake) if t.handshake else None,
                    "received": t.received,
                    "sent": t.sent,
                }
                for key, t in seen.traffic.items()
            ],
            "paths": {o: topology.path(name, o)[1:-1] for o in topology.hosts if o != name},
            "drift": [{"sign": c.sign, "what": visible(c.what), "why": visible(c.why)} for c in plan.changes]
            if plan
            else [],
            "notes": [visible(n) for n in plan.notes] if plan else [],
        }
    return {
        "version": 1,
        "network": topology.inventory.network.name,
        "time": int(time.time()),
        "as_wanted": status.code == 0,
        "trouble": [visible(t) for t in status.trouble],
        "hosts": hosts,
    }


_LEGS = {"request": "there", "reply": "and back", "request-full": "full size, there", "reply-full": "and back"}


def draw_trace(out: Console, trace: Trace) -> None:
    """The walk as one would tell it: host by host, card by card, and one sentence."""
    kinds = dict.fromkeys(step.kind for step in trace.steps)
    for kind in kinds:
        out.print(plain(_LEGS.get(kind, kind), "bold"))
        for step in (s for s in trace.steps if s.kind == kind):
            mark, style = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "dim")}[step.seen]
            arrow = "->" if step.direction == "out" else "<-"
            addresses = f"{step.source} > {step.destination}" if step.source else ""
            addresses = addresses or ("not observed" if step.seen is None else "not seen")
            out.print(plain(f"  {mark} {step.host}.{step.card}".ljust(30) + f"{arrow} {addresses}", style))
    for host in trace.unobserved:
        out.print(plain(f"· {host}: neither nft nor tcpdump is there, so nothing was observed", "dim"))
    if trace.finding:
        out.print(plain(f"✗ {trace.finding}", "red"))
    else:
        out.print(plain(f"✓ {trace.probe.target} answers, and every card on the way saw it", "green"))


def trace_json(trace: Trace) -> dict[str, Any]:
    """A packet's way for programs."""
    steps = [
        {"kind": s.kind, "host": s.host, "card": s.card, "direction": s.direction, "seen": s.seen}
        | ({"source": s.source, "destination": s.destination} if s.source else {})
        for s in trace.steps
    ]
    finding = trace.finding
    told = {"host": finding.host, "what": visible(finding.what), "fix": visible(finding.fix)} if finding else None
    return {
        "version": 1,
        "source": str(trace.probe.source),
        "target": str(trace.probe.target),
        "protocol": trace.probe.protocol,
        "hosts": list(trace.hosts),
        "steps": steps,
        "not_observed_on": list(trace.unobserved),
        "arrives": trace.arrives,
        "finding": told,
    }


def draw_findings(out: Console, found: Mapping[str, tuple[Finding, ...]]) -> None:
    """What was found on each host, with its remedy."""
    for name, findings in found.items():
        if not findings:
            out.print(plain(f"✓ {name}: nothing stands in the way", "green"))
        for finding in findings:
            out.print(plain(f"• {finding}", "yellow"))


def findings_json(found: Mapping[str, tuple[Finding, ...]]) -> dict[str, Any]:
    """The same for programs."""
    told = {n: [{"what": visible(f.what), "fix": visible(f.fix)} for f in findings] for n, findings in found.items()}
    return {"version": 1, "hosts": told}


def print_json(out: Console, value: Any, known_keys: frozenset[str] = frozenset()) -> None:
    """A value as JSON; nothing in it looks like a private key."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    out.print(plain(without_keys(text, known_keys) if known_keys else text))
