"""Causes for which a packet does not come to an interface, in the order in which they are ruled out."""

from __future__ import annotations

from wgorch.trace.causes.allowed_ips import missing_at_receiver, missing_at_sender
from wgorch.trace.causes.firewall import dropped, policy_drops, refused
from wgorch.trace.causes.forwarding import forwarding_off
from wgorch.trace.causes.interface import interface_down, tunnel_down
from wgorch.trace.causes.mtu import mtu_too_large
from wgorch.trace.causes.policy import refused_by_policy
from wgorch.trace.causes.routing import not_replied_into_tunnel, not_routed_out, not_sent_into_tunnel
from wgorch.trace.causes.rp_filter import rp_filtered
from wgorch.trace.causes.sessions import no_session, session_with_absent, silent_device, udp_lost, wrong_endpoint
from wgorch.trace.causes.target import no_reply
from wgorch.trace.evidence import Evidence
from wgorch.trace.packet_path import Crossing
from wgorch.trace.probe import Kind
from wgorch.verify.finding import Finding


def cause(evidence: Evidence, kind: Kind, before: Crossing | None, here: Crossing) -> Finding | None:
    """Why a packet that came to one interface (None: that is still with its sender) does not come to the next one."""
    if before and before.host != here.host:
        down = None
        for at in (before, here):
            if at.host in evidence.facts and at.interface != evidence.tunnel:
                down = down or interface_down(evidence, at.host, at.interface)
        return down or _between(evidence, kind, before.host, here.host)
    if before:
        return _through(evidence, kind, here.host, before.interface, here.interface)
    if here.direction == "out":
        return _from_sender(evidence, kind, here.host)
    return no_reply(evidence, kind, here.host) if kind.is_reply else _not_sent(evidence, here)


def _not_sent(evidence: Evidence, here: Crossing) -> Finding:
    """A packet from outside, which a person sends, did not come in."""
    source, target = evidence.probe.source, evidence.probe.target
    what = f"no packet from {source} to {target} came in by {here.interface} during the trace"
    return Finding(here.host, what, f"send it in time; check that {source} routes {target} via {here.host}")


def _from_sender(evidence: Evidence, kind: Kind, host: str) -> Finding | None:
    """From a member of the tunnel into its own tunnel interface."""
    if host not in evidence.facts:  # a device; its peer shows whether it sent
        return None
    _, target = evidence.probe.ends(kind)
    return (
        tunnel_down(evidence, host)
        or not_sent_into_tunnel(evidence, kind, host)
        or not_replied_into_tunnel(evidence, kind, host)
        or (refused_by_policy(evidence, host) if kind.is_reply else None)
        or dropped(evidence, host)
        or missing_at_sender(evidence, host, target)
    )


def _between(evidence: Evidence, kind: Kind, here: str, there: str) -> Finding | None:
    """From one host's tunnel interface to the next one's."""
    source, target = evidence.probe.ends(kind)
    if not {here, there}.isdisjoint(evidence.absent):
        return _beside_absent(evidence, here, there)
    if there not in evidence.facts:
        return (
            tunnel_down(evidence, here)
            or missing_at_sender(evidence, here, target)
            or silent_device(evidence, here, there)
        )
    if here not in evidence.facts:
        return tunnel_down(evidence, there) or silent_device(evidence, there, here)
    return (
        tunnel_down(evidence, here)
        or tunnel_down(evidence, there)
        or missing_at_sender(evidence, here, target)
        or missing_at_receiver(evidence, there, here, source)
        or wrong_endpoint(evidence, here, there)
        or wrong_endpoint(evidence, there, here)
        or (mtu_too_large(evidence, here, there) if kind.is_full else None)
        or refused(evidence, here, outer=True)
        or refused(evidence, there, outer=True)
        or udp_lost(evidence, here, there)
        or no_session(evidence, here, there)
    )


def _beside_absent(evidence: Evidence, here: str, there: str) -> Finding | None:
    """Between two hosts of which one was not reached: what the other one shows."""
    present, other = (here, there) if there in evidence.absent else (there, here)
    if present in evidence.absent:
        return None
    return tunnel_down(evidence, present) or session_with_absent(evidence, present, other)


def _through(evidence: Evidence, kind: Kind, host: str, came_in: str, goes_out: str) -> Finding | None:
    """Through a host, from one interface to another."""
    if host not in evidence.facts:  # absent, or a device
        return None
    source, target = evidence.probe.ends(kind)
    return (
        interface_down(evidence, host, goes_out)
        or (None if kind.is_reply else refused_by_policy(evidence, host))
        or dropped(evidence, host)
        or forwarding_off(evidence, host, target.version, came_in)
        or rp_filtered(evidence, host, source, came_in)
        or not_routed_out(evidence, kind, host, goes_out)
        or policy_drops(evidence, host, target.version)
        or refused(evidence, host, outer=False)
    )
