"""Results as JSON, for programs; docs/json.md documents every key."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wgorch.base.text import visible, without_keys
from wgorch.plan.absent import Absence
from wgorch.report.console import safe_text

if TYPE_CHECKING:
    from rich.console import Console

    from wgorch.errors import HostError
    from wgorch.inventory.model import Inventory
    from wgorch.outcome import Outcome, Status
    from wgorch.plan.hold import Held
    from wgorch.plan.host import HostPlan
    from wgorch.remote.clients import SshSession
    from wgorch.report.sessions import Session
    from wgorch.state.change import Change
    from wgorch.topology.topology import Topology
    from wgorch.trace.explain import Trace
    from wgorch.verify.diagnose import Verdict
    from wgorch.verify.finding import Finding

VERSION = 2
"""Version of every format here."""


def plan_json(outcome: Outcome) -> dict[str, Any]:
    """The changes and notes of each host; `absent`: hosts that were not reached, and why."""
    plans = outcome.plans
    return {
        "version": VERSION,
        "absent": _absent(outcome),
        "changes": sum(len(p.changes) for p in plans.values()) + len(outcome.leaving),
        "disruptive": sum(c.disruptive for p in plans.values() for c in p.changes) + len(outcome.leaving),
        "removed_hosts": sorted(outcome.leaving),
        "hosts": {
            name: {"changes": [change_json(c) for c in p.changes], "notes": _notes(p)} for name, p in plans.items()
        },
    }


def up_json(outcome: Outcome) -> dict[str, Any]:
    """The outcome of `up`; `orphans`: hosts that left the inventory and are not restored."""
    verdict = {"verdict": verdict_json(outcome.verdict)} if outcome.verdict else {}
    return {
        **_change_json(outcome),
        "errors": [str(e) for e in outcome.failed],
        "orphans": sorted(outcome.orphans),
        "round_trips": outcome.exchanges,
        "ssh_handshakes": outcome.handshakes,
        "direct_peers": [{"hosts": [t.one, t.other], "direct": not t.why, "reason": t.why} for t in outcome.tried],
        **verdict,
    }


def held_json(outcome: Outcome) -> dict[str, Any]:
    """The outcome of `confirm` and `rollback`."""
    return {**_change_json(outcome), "errors": [visible(str(error)) for error in outcome.failed]}


def teardown_json(outcome: Outcome) -> dict[str, Any]:
    """The outcome of `teardown`; `other_networks`: those of wgorch beside this one, where nothing of it was found."""
    return {**_change_json(outcome), "other_networks": {name: list(names) for name, names in outcome.others.items()}}


def forget_json(name: str, kept_by: Sequence[str], absent: Mapping[str, HostError]) -> dict[str, Any]:
    """The outcome of `forget`; `kept_by`: the hosts whose record was rewritten."""
    return {
        "version": VERSION,
        "forgotten": name,
        "kept_by": list(kept_by),
        "absent": {host: visible(error.problem) for host, error in absent.items()},
    }


def _change_json(outcome: Outcome) -> dict[str, Any]:
    """The plan, the exit code, and the state of each host."""
    return {
        **plan_json(outcome),
        "exit_code": outcome.code,
        "host_states": {name: {"state": s.state, "reason": s.why} for name, s in outcome.standing.items()},
    }


def problems_json(problems: Sequence[str]) -> str:
    """The result of `check` for a file with mistakes, as text."""
    return json.dumps(
        {"version": VERSION, "ok": False, "problems": [visible(problem) for problem in problems]}, indent=2
    )


def check_json(inventory: Inventory, unreachable: Sequence[str]) -> dict[str, Any]:
    """The result of `check`; `unreachable`: the declared flows that cannot work."""
    return {
        "version": VERSION,
        "ok": not unreachable,
        "hosts": len(inventory.hosts),
        "unreachable_flows": list(unreachable),
    }


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """The pings of each host, its other flows, and the findings."""
    from wgorch.verify.attempts import works

    return {
        "version": VERSION,
        "ok": verdict.works,
        "pings": {
            name: {str(ip): {"sent": p.sent, "received": p.received, "rtt_ms": p.rtt_ms} for ip, p in m.pings.items()}
            for name, m in verdict.measured.items()
        },
        "flows": [
            {"flow": str(flow), "result": str(attempt), "ok": works(flow, attempt)}
            for m in verdict.measured.values()
            for flow, attempt in m.attempts.items()
        ],
        "findings": [{"host": finding.host, **_finding(finding)} for finding in verdict.findings],
        "proven_back": [{"host": finding.host, **_finding(finding)} for finding in verdict.proven_back],
        "broken_before": [{"host": finding.host, **_finding(finding)} for finding in verdict.broken_before],
    }


def verify_json(outcome: Outcome) -> dict[str, Any]:
    """The verdict of `verify`; `absent`: hosts that were not reached, and why."""
    assert outcome.verdict is not None
    return {**verdict_json(outcome.verdict), "absent": _absent(outcome)}


def _absent(outcome: Outcome) -> dict[str, str]:
    return {name: visible(error.problem) for name, error in outcome.absent.items()}


def status_json(topology: Topology, status: Status) -> dict[str, Any]:
    """The sessions, paths and drift of each host."""
    from wgorch.report.sessions import sessions

    unreachable = {name: _unreachable(status, name) for name in status.unreachable}
    return {
        "version": VERSION,
        "network": topology.inventory.network.name,
        "time": int(time.time()),
        "in_sync": status.code == 0,
        "revision": {"number": status.record.number, "time": status.record.when, "by": visible(status.record.who)},
        "removed_hosts": sorted(status.leaving),
        "errors": [visible(error) for error in status.errors],
        "held": [_held(change) for change in status.held],
        "hosts": unreachable | {n: _host(topology, status, n, its) for n, its in sessions(topology, status).items()},
    }


def _held(change: Held) -> dict[str, Any]:
    return {
        "id": visible(change.change_id),
        "by": visible(change.who),
        "hosts": change.hosts,
        "gone": change.gone,
        "left_s": change.left_s,
    }


def _unreachable(status: Status, name: str) -> dict[str, Any]:
    away = status.absences.get(name, Absence())
    return {
        "reached": False,
        "error": visible(status.unreachable[name].problem),
        "handshake_age_s": away.age_s,
        "seen_by": away.seen_by or None,
    }


def _host(topology: Topology, status: Status, name: str, its: list[Session]) -> dict[str, Any]:
    """A host of `status` that was reached, with its sessions."""
    network, seen, plan = topology.inventory.network, status.seen[name], status.plans.get(name)
    return {
        "reached": True,
        "interface": network.interface if seen.is_managed(network) else None,
        "public_key": seen.wg(network).public_key or None,
        "ssh": _ssh(status.ssh.get(name)),
        "peers": [_session(session) for session in its],
        "relays": _relays(topology, status, name),
        "detours": _detours(status, name),
        "paths": {other: topology.path(name, other, status.avoided)[1:-1] for other in topology.hosts if other != name},
        "drift": [change_json(change) for change in plan.changes] if plan else [],
        "notes": _notes(plan) if plan else [],
    }


def _relays(topology: Topology, status: Status, name: str) -> list[dict[str, Any]]:
    """The relays that a host chooses between, the preferred one first."""
    from wgorch.report.sessions import relay_uses

    return [
        {
            "relay": use.relay,
            "interface": use.interface,
            "state": use.state,
            "since_s": use.since_s,
            "switches": use.switches,
            "reason": use.why or None,
        }
        for use in relay_uses(topology, status, name)
    ]


def _detours(status: Status, name: str) -> list[dict[str, Any]]:
    """Spokes that a relay does not hear, and reaches through another one."""
    seen = status.seen[name]
    return [
        {"spoke": each.spoke, "interface": each.interface, "since_s": max(0, seen.clock.uptime - each.since)}
        for each in seen.failover.detours
    ]


def _ssh(session: SshSession | None) -> dict[str, Any] | None:
    if session is None:
        return None
    return {
        "client": session.client,
        "why": visible(session.why),
        "key_exchange": session.kex or None,
        "post_quantum": session.is_post_quantum,
    }


def _session(session: Session) -> dict[str, Any]:
    return {
        "name": session.name,
        "public_key": session.key,
        "endpoint": session.traffic.endpoint or None,
        "latest_handshake": session.traffic.handshake or None,
        "handshake_age_s": session.age_s,
        "received": session.traffic.received,
        "sent": session.traffic.sent,
    }


def trace_json(trace: Trace) -> dict[str, Any]:
    """Where a packet was seen, hop by hop, and the finding."""
    steps = [
        {"kind": s.kind, "host": s.host, "interface": s.interface, "direction": s.direction, "seen": s.seen}
        | ({"source": s.source, "destination": s.destination} if s.source else {})
        for s in trace.hops
    ]
    finding = trace.finding
    return {
        "version": VERSION,
        "source": str(trace.probe.source),
        "target": str(trace.probe.target),
        "protocol": trace.probe.protocol,
        "hosts": list(trace.hosts),
        "steps": steps,
        "unobserved_hosts": list(trace.unobserved),
        "absent": list(trace.absent),
        "reachable": trace.arrives,
        "finding": {"host": finding.host, **_finding(finding)} if finding else None,
    }


def findings_json(found: Mapping[str, tuple[Finding, ...]], absent: Mapping[str, HostError]) -> dict[str, Any]:
    """The findings of each host; `absent`: hosts that were not reached."""
    return {
        "version": VERSION,
        "hosts": {name: [_finding(f) for f in findings] for name, findings in found.items()},
        "absent": {name: visible(error.problem) for name, error in absent.items()},
    }


def change_json(change: Change) -> dict[str, Any]:
    return {
        "sign": change.sign,
        "step": change.step,
        "object": visible(change.what),
        "reason": visible(change.why),
        "disruptive": change.disruptive,
        "values": [{"name": v.name, "old": visible(v.old), "new": visible(v.new)} for v in change.values],
    }


def _notes(plan: HostPlan) -> list[str]:
    return [visible(str(note)) for note in plan.notes]


def _finding(finding: Finding) -> dict[str, str]:
    return {"problem": visible(finding.what), "hint": visible(finding.hint)}


def print_json(out: Console, value: Any, known_keys: frozenset[str] = frozenset()) -> None:
    """Print a value as JSON; with `known_keys` every other WireGuard key in it is hidden."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    out.print(safe_text(without_keys(text, known_keys) if known_keys else text))
