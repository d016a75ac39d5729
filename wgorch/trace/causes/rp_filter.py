"""Strict reverse-path filtering drops a packet whose route back is via another interface."""

from __future__ import annotations

from wgorch.base.ip import network_text
from wgorch.base.sh import quote
from wgorch.base.text import hint_lines
from wgorch.facts.links import Route
from wgorch.inventory.model import IPAddress
from wgorch.trace.evidence import Evidence
from wgorch.verify.finding import Finding

STRICT = "1"
"""Value of the sysctl; the kernel uses the maximum of `all` and the interface's own, and 2 is loose."""


def rp_filtered(evidence: Evidence, host: str, source: IPAddress, interface: str) -> Finding | None:
    """rp_filter of the interface that a packet came in by drops it; IPv6 has none."""
    if source.version == 6:
        return None
    facts = evidence.facts[host]
    mode = max(facts.sysctls.get(f"net/ipv4/conf/{name}/rp_filter", "0") for name in ("all", interface))
    route = facts.links.route_to(source)
    if mode != STRICT or (route and route.device == interface):
        return None
    back = f"route back is via {route.device}" if route else "no route back"
    what = f"strict rp_filter on {interface} drops {source} ({back})"
    return Finding(host, what, _hint(evidence, host, source, interface, route))


def _hint(evidence: Evidence, host: str, source: IPAddress, interface: str, route: Route | None) -> str:
    own = evidence.topology.desired(host).tunnel_prefixes.of(source) if interface in evidence.tunnels(host) else None
    if own is None:
        setting = quote(f"net/ipv4/conf/{interface}/rp_filter=2")
        return hint_lines(f"sysctl -w {setting}", f"or: a route to {source} via {interface}")
    if route and route.subnet.prefixlen >= own.prefixlen:
        deletes = f"ip route delete {network_text(route.subnet)} dev {quote(route.device)}"
        return hint_lines(deletes, "which leads past the tunnel; and where it is set at a start")
    return "wgorch up"
