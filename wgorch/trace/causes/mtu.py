"""Full-size packets are lost where small ones pass."""

from __future__ import annotations

from wgorch.facts.path_mtu import NEEDED_BY_IPV6, OVERHEAD
from wgorch.trace.evidence import Evidence
from wgorch.verify.finding import Finding


def mtu_too_large(evidence: Evidence, here: str = "", there: str = "") -> Finding:
    """A path MTU is smaller than the tunnel needs, and no ICMP error reports it; between two hosts, where known."""
    mtu, overhead = evidence.probe.full_mtu, OVERHEAD[6]
    where = f"between {here} and {there}" if here else "on the path"
    what = f"MTU {mtu} is too large: packets of that size are lost {where}, and no ICMP error comes back"
    smaller = max(NEEDED_BY_IPV6, mtu - overhead)
    hint = f"mtu: {smaller} under network, or a path that carries {mtu + overhead} bytes"
    return Finding(here or evidence.path.hosts[0], what, hint)
