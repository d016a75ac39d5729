"""Render a packet trace."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from wgorch.report.console import safe_text
from wgorch.trace.explain import Step, Trace

TITLES = {
    "request": "request",
    "reply": "reply",
    "request-full": "full-size request",
    "reply-full": "full-size reply",
}
"""By kind of packet."""


def render_trace(out: Console, trace: Trace) -> None:
    """Print each packet hop by hop, interface by interface, then the finding."""
    for kind in dict.fromkeys(step.kind for step in trace.steps):
        out.print(safe_text(TITLES.get(kind, kind), "bold"))
        for step in trace.steps:
            if step.kind == kind:
                out.print(_hop(step))
    for host in trace.unobserved:
        out.print(safe_text(f"· {host}: not observed: neither nft nor tcpdump installed", "dim"))
    if trace.finding:
        out.print(safe_text(f"✗ {trace.finding}", "red"))
    else:
        seen = "seen on every interface of the path" if all(step.seen for step in trace.steps) else "the reply arrived"
        out.print(safe_text(f"✓ {trace.probe.target} reachable: {seen}", "green"))


def _hop(step: Step) -> Text:
    mark, style = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "dim")}[step.seen]
    arrow = "->" if step.direction == "out" else "<-"
    addresses = f"{step.source} > {step.destination}" if step.source else ""
    addresses = addresses or ("not observed" if step.seen is None else "not seen")
    return safe_text(f"  {mark} {step.host}.{step.card}".ljust(30) + f"{arrow} {addresses}", style)
