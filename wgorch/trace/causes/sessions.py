"""WireGuard's own UDP packets do not get through between two hosts."""

from __future__ import annotations

from wgorch.base.ip import as_ip
from wgorch.facts.wireguard import REJECT_AFTER_S
from wgorch.trace.evidence import Evidence
from wgorch.verify.diagnose import by_hand, session_fault
from wgorch.verify.finding import Finding


def wrong_endpoint(evidence: Evidence, host: str, other: str) -> Finding | None:
    """A host sends to another endpoint than the inventory's; one that is a name is not compared."""
    link, peer = evidence.topology.desired(host).link(other), evidence.peer(host, other)
    wanted = link.endpoint if link else None
    if wanted is None or peer is None or (link and link.roams) or as_ip(wanted.host) is None:
        return None
    now = evidence.captures[host].endpoints.get(peer.public_key, peer.endpoint)
    if peer.endpoint in (None, "", str(wanted)) or now == str(wanted):
        return None
    what = f"wrong endpoint for peer {other}: {peer.endpoint}, expected {wanted}"
    interface = link.interface or evidence.tunnel if link else evidence.tunnel
    command = f"wg set {interface} peer {evidence.key_of(other)} endpoint {wanted}"
    return Finding(host, what, by_hand(command))


def udp_lost(evidence: Evidence, here: str, there: str) -> Finding | None:
    """One of two hosts sends WireGuard's UDP, and the other receives none; only nft shows that."""
    for one, other in ((here, there), (there, here)):
        captures = [evidence.captures.get(host) for host in (one, other)]
        if not all(capture and capture.tool == "nft" for capture in captures):
            continue
        if _sends_to(evidence, one, other) and not _receives_from(evidence, other, one):
            target, end = evidence.topology.hosts[other], evidence.topology.endpoint_for(other, one)
            what = f"WireGuard UDP from {one} to {other} is lost: {one} sends it, {other} receives none"
            hint = f"allow UDP {target.listen_port} between {one} and {other}: firewalls and routers at both ends"
            return Finding(other if end else one, what, hint, fault=session_fault(one, other))
    return None


def no_session(evidence: Evidence, here: str, there: str) -> Finding | None:
    """Two hosts have no current session."""
    for host, other in ((here, there), (there, here)):
        if not _is_current(evidence, host, other):
            what = f"no current session between {here} and {there}"
            hint = "allow WireGuard UDP between them, then run wgorch verify"
            return Finding(host, what, hint, fault=session_fault(host, other))
    return None


def session_with_absent(evidence: Evidence, host: str, absent: str) -> Finding | None:
    """A host has no current session with one that was not reached."""
    if _is_current(evidence, host, absent):
        return None
    return Finding(
        host, f"no current session with {absent}, which SSH does not reach either", f"check that {absent} is up"
    )


def silent_device(evidence: Evidence, host: str, device: str) -> Finding:
    """A device, on which nothing can be observed, does not answer."""
    if not _is_current(evidence, host, device):
        hint = f"turn on the tunnel of {device}; install its current configuration (wgorch export {device})"
        return Finding(host, f"no current session with {device}", hint)
    what = f"{device} has a session but does not answer; its packets cannot be observed"
    return Finding(host, what, f"let {device} answer pings")


def _is_current(evidence: Evidence, host: str, other: str) -> bool:
    age_s = evidence.handshake_age_s(host, other)
    return age_s is not None and age_s <= REJECT_AFTER_S


def _sends_to(evidence: Evidence, host: str, other: str) -> bool:
    capture, peer = evidence.captures[host], evidence.peer(host, other)
    endpoint = capture.endpoints.get(peer.public_key, "") if peer else ""
    return any(sighting.destination == _address(endpoint) for sighting in capture.outer.get("out", ()))


def _receives_from(evidence: Evidence, host: str, other: str) -> bool:
    """True where UDP came in from the peer's current or configured address, or from any where neither is known."""
    capture, peer = evidence.captures[host], evidence.peer(host, other)
    wanted = evidence.topology.endpoint_for(other, host)
    current = _address(capture.endpoints.get(peer.public_key, "")) if peer else ""
    expected = {current, wanted.host if wanted else ""} - {""}
    sightings = capture.outer.get("in", ())
    return any(s.source in expected for s in sightings) if expected else bool(sightings)


def _address(endpoint: str) -> str:
    """Address of an endpoint as wg prints it; empty for ``(none)``."""
    return endpoint.rpartition(":")[0].strip("[]")
