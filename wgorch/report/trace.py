"""Render a packet trace."""

from __future__ import annotations

from rich.console import Console

from wgorch.report.console import plain
from wgorch.trace.explain import Trace

_LEGS = {"request": "there", "reply": "and back", "request-full": "full size, there", "reply-full": "and back"}


def render_trace(out: Console, trace: Trace) -> None:
    """The walk as one would tell it: host by host, card by card, and one sentence."""
    kinds = dict.fromkeys(step.kind for step in trace.hops)
    for kind in kinds:
        out.print(plain(_LEGS.get(kind, kind), "bold"))
        for step in (s for s in trace.hops if s.kind == kind):
            mark, style = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "dim")}[step.seen]
            arrow = "->" if step.direction == "out" else "<-"
            addresses = f"{step.source} > {step.destination}" if step.source else ""
            addresses = addresses or ("not observed" if step.seen is None else "not seen")
            out.print(plain(f"  {mark} {step.host}.{step.interface}".ljust(30) + f"{arrow} {addresses}", style))
    for host in trace.unobserved:
        out.print(plain(f"· {host}: neither nft nor tcpdump is there, so nothing was observed", "dim"))
    if trace.finding:
        out.print(plain(f"✗ {trace.finding}", "red"))
    else:
        out.print(plain(f"✓ {trace.probe.target} answers, and every card on the way saw it", "green"))
