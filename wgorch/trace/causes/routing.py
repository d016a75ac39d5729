"""A route leads elsewhere."""

from __future__ import annotations

from wgorch.inventory.model import IPAddress
from wgorch.state.state import ROUTE_PROTO
from wgorch.trace.evidence import Evidence
from wgorch.trace.probe import Kind
from wgorch.verify.diagnose import by_hand
from wgorch.verify.finding import Finding


def not_sent_into_tunnel(evidence: Evidence, kind: Kind, host: str) -> Finding | None:
    """The kernel of the sender routes the probe past the tunnel."""
    chosen = evidence.captures[host].route
    if kind.is_reply or not chosen or any(f"dev {tunnel} " in chosen + " " for tunnel in evidence.tunnels(host)):
        return None
    _, target = evidence.probe.ends(kind)
    subnet = evidence.subnet_of(target)
    what = f"no route to {subnet} via {evidence.tunnel} ({_instead(evidence, host, target)})"
    if len(evidence.tunnels(host)) > 1:
        return Finding(host, what, "wgorch up")  # a route to one of its interfaces would not move when that relay fails
    add = f"ip route replace {subnet} dev {evidence.tunnel} proto {ROUTE_PROTO}"
    return Finding(host, what, by_hand(add))


def not_replied_into_tunnel(evidence: Evidence, kind: Kind, host: str) -> Finding | None:
    """The kernel of the host that replies lacks a route of its own: to the tunnel, or to the address that was asked."""
    source, target = evidence.probe.ends(kind)
    if not kind.is_reply or not evidence.topology.desired(host).tunnel_prefixes.of(target):
        return None
    return not_local(evidence, host, source) or not_routed_out(evidence, kind, host, evidence.tunnel)


def not_local(evidence: Evidence, host: str, address: IPAddress) -> Finding | None:
    """The host's own address is not in table local, so that it takes no packet for itself."""
    links = evidence.facts[host].links
    has = any(device == evidence.tunnel and own.ip == address for device, own in links.addresses)
    if not has or address in links.local.get(evidence.tunnel, {address}):
        return None
    return Finding(host, f"routing table local lacks {address}, although {evidence.tunnel} has it", "wgorch up")


def not_routed_out(evidence: Evidence, kind: Kind, host: str, interface: str) -> Finding | None:
    """A host that forwards the packet routes it to another interface."""
    _, target = evidence.probe.ends(kind)
    route = evidence.facts[host].links.route_to(target)
    # Which of its tunnels a host uses may have changed meanwhile, and a detour is in a table of its own.
    if route and (route.device == interface or {route.device, interface} <= {*evidence.tunnels(host)}):
        return None
    return Finding(host, f"no route to {target} via {interface} ({_instead(evidence, host, target)})", "wgorch up")


def _instead(evidence: Evidence, host: str, target: IPAddress) -> str:
    route = evidence.facts[host].links.route_to(target)
    return f"routed via {route.device}" if route else "no other route either"
