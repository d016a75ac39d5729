"""A target in a LAN does not reply: it is down, has no return route, or refuses."""

from __future__ import annotations

from wgorch.trace.evidence import Evidence
from wgorch.trace.packet_path import Crossing
from wgorch.trace.probe import Kind
from wgorch.verify.finding import Finding


def no_reply(evidence: Evidence, kind: Kind, gateway: str) -> Finding:
    """Why no reply came in from the LAN that the request left for."""
    return (
        _not_in_lan(evidence, gateway)
        or _without_return_route(evidence, kind, gateway)
        or _silent(evidence, kind, gateway)
    )


def refused(evidence: Evidence) -> Finding:
    """The target answered, and nothing listens on its port."""
    probe = evidence.probe
    what = f"{probe.target} refuses: nothing listens on {probe.protocol}/{probe.port} there; the network is fine"
    return Finding(evidence.path.hosts[-1], what, f"start the service on {probe.target}, or trace another port")


def _not_in_lan(evidence: Evidence, gateway: str) -> Finding | None:
    neighbour = evidence.captures[gateway].neighbour if gateway in evidence.captures else ""
    if "FAILED" not in neighbour and "INCOMPLETE" not in neighbour:
        return None
    target, interface = evidence.probe.target, evidence.path.lan_interface
    protocol = "ARP" if target.version == 4 else "neighbor discovery"
    return Finding(gateway, f"{target} does not answer {protocol} on {interface}", f"check that {target} is up")


def _without_return_route(evidence: Evidence, kind: Kind, gateway: str) -> Finding | None:
    """The request entered the LAN with the sender's address, to which the target has no route."""
    source, target = evidence.probe.source, evidence.probe.target
    if _source_in_lan(evidence, kind, gateway) != str(source):
        return None
    if evidence.topology.hosts[gateway].masquerade:
        what = f"not masqueraded: enters the LAN as {source}, and {target} has no return route"
        return Finding(gateway, what, "wgorch up")
    subnets = evidence.network.subnets
    subnet = next((net for net in subnets if net.version == target.version), evidence.network.subnet)
    what = f"{target} does not reply to {source}: it has no return route to {subnet}"
    add = f"ip route add {subnet} via {_address_in_lan(evidence, gateway)}"
    return Finding(gateway, what, f"on {target} or its router: {add}; or masquerade: true")


def _silent(evidence: Evidence, kind: Kind, gateway: str) -> Finding:
    target = evidence.probe.target
    source = _source_in_lan(evidence, kind, gateway)
    if gateway in evidence.absent:
        what = f"no reply from {target}; {gateway} was not reached, so it is unknown how far the packet got"
        return Finding(
            gateway, what, f"bring {gateway} back (wgorch status says why it was not reached), and trace again"
        )
    if not source:
        what = f"no reply from {target}; whether the request was sent to it was not observed"
        return Finding(gateway, what, f"check that {target} is up and answers {gateway}")
    what = f"no reply from {target} ({source} > {target} was sent out of {evidence.path.lan_interface})"
    return Finding(gateway, what, f"check on {target}: firewall, return route, listening service")


def _source_in_lan(evidence: Evidence, kind: Kind, gateway: str) -> str:
    """Source address with which the request was sent into the LAN; empty where that was not observed."""
    request = Kind.of(reply=False, full=kind.is_full)
    sightings = evidence.sightings(request, Crossing(gateway, evidence.path.lan_interface, "out"))
    return sightings[0].source if sightings else ""


def _address_in_lan(evidence: Evidence, gateway: str) -> str:
    """Address of a gateway on the interface into the LAN, or its name where it has none."""
    version, interface = evidence.probe.target.version, evidence.path.lan_interface
    addresses = evidence.facts[gateway].links.addresses if gateway in evidence.facts else ()
    return next((str(a.ip) for device, a in addresses if device == interface and a.version == version), gateway)
