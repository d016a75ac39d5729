"""Render a packet trace."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from wgorch.report.console import safe_text
from wgorch.trace.explain import Hop, Trace

TITLES = {
    "request": "request",
    "reply": "reply",
    "request-full": "full-size request",
    "reply-full": "full-size reply",
}
"""By kind of packet."""


def render_trace(out: Console, trace: Trace) -> None:
    """Print each packet hop by hop, interface by interface, then the finding."""
    for kind in dict.fromkeys(hop.kind for hop in trace.hops):
        out.print(safe_text(TITLES.get(kind, kind), "bold"))
        for hop in trace.hops:
            if hop.kind == kind:
                out.print(_hop_line(hop))
    for host in trace.unobserved:
        out.print(safe_text(f"· {host}: not observed: nft and tcpdump are not installed, or failed", "dim"))
    for host in trace.absent:
        out.print(safe_text(f"· {host}: not observed: absent, SSH does not reach it", "dim"))
    if trace.finding:
        out.print(safe_text(f"✗ {trace.finding}", "red"))
    else:
        seen = "seen on every interface of the path" if all(hop.seen for hop in trace.hops) else "the reply arrived"
        out.print(safe_text(f"✓ {trace.probe.target} reachable: {seen}", "green"))


def _hop_line(hop: Hop) -> Text:
    mark, style = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "dim")}[hop.seen]
    arrow = "->" if hop.direction == "out" else "<-"
    addresses = f"{hop.source} > {hop.destination}" if hop.source else ""
    addresses = addresses or ("not observed" if hop.seen is None else "not seen")
    return safe_text(f"  {mark} {hop.host}.{hop.interface}".ljust(30) + f"{arrow} {addresses}", style)
