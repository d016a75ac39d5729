"""The same results as JSON, for programs."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from wgorch.base.text import visible, without_keys
from wgorch.base.wgkey import names_by_key
from wgorch.outcome import Status
from wgorch.plan.host import HostPlan
from wgorch.report.console import plain
from wgorch.topology.topology import Topology
from wgorch.trace.explain import Trace
from wgorch.verify.diagnose import Finding, Verdict


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
                "notes": [visible(str(n)) for n in p.notes],
            }
            for name, p in plans.items()
        },
    }


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict for programs."""
    return {
        "version": 1,
        "works": verdict.works,
        "pings": {
            name: {str(ip): {"sent": p.sent, "received": p.received, "rtt_ms": p.rtt_ms} for ip, p in m.pings.items()}
            for name, m in verdict.measured.items()
        },
        "findings": [{"host": f.host, "what": visible(f.what), "fix": visible(f.hint)} for f in verdict.findings],
    }


def status_json(topology: Topology, status: Status) -> dict[str, Any]:
    """The state of the network for programs."""
    names = names_by_key(status.keys)
    hosts: dict[str, Any] = {n: {"reached": False, "error": visible(e.problem)} for n, e in status.unreachable.items()}
    for name, seen in status.seen.items():
        plan = status.plans.get(name)
        hosts[name] = {
            "reached": True,
            "interface": topology.inventory.network.interface if seen.is_managed(topology.inventory.network) else None,
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
            "notes": [visible(str(n)) for n in plan.notes] if plan else [],
        }
    return {
        "version": 1,
        "network": topology.inventory.network.name,
        "time": int(time.time()),
        "as_wanted": status.code == 0,
        "trouble": [visible(t) for t in status.trouble],
        "hosts": hosts,
    }


def trace_json(trace: Trace) -> dict[str, Any]:
    """A packet's way for programs."""
    steps = [
        {"kind": s.kind, "host": s.host, "card": s.card, "direction": s.direction, "seen": s.seen}
        | ({"source": s.source, "destination": s.destination} if s.source else {})
        for s in trace.steps
    ]
    finding = trace.finding
    told = {"host": finding.host, "what": visible(finding.what), "fix": visible(finding.hint)} if finding else None
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


def findings_json(found: Mapping[str, tuple[Finding, ...]]) -> dict[str, Any]:
    """The same for programs."""
    told = {n: [{"what": visible(f.what), "fix": visible(f.hint)} for f in findings] for n, findings in found.items()}
    return {"version": 1, "hosts": told}


def print_json(out: Console, value: Any, known_keys: frozenset[str] = frozenset()) -> None:
    """A value as JSON; nothing in it looks like a private key."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    out.print(plain(without_keys(text, known_keys) if known_keys else text))
