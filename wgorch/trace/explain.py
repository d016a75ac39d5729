"""Judge a trace: the hops that each packet was seen on, and why it did not come to the next one; pure.

A packet is followed along the path that the network gives it. A hop that it was seen on proves all before it; the cause
is looked for at the first hop that is not proven. So of two faults the first one is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from itertools import pairwise

from wgorch.base.value import value
from wgorch.gather.observed import Observed
from wgorch.topology.desired import WHOLE, Cut
from wgorch.topology.path import walk
from wgorch.topology.topology import Topology
from wgorch.trace.capture import Capture
from wgorch.trace.causes import cause
from wgorch.trace.causes.firewall import dropped
from wgorch.trace.causes.mtu import mtu_too_large
from wgorch.trace.causes.routing import not_local, not_sent_into_tunnel
from wgorch.trace.causes.target import refused
from wgorch.trace.evidence import Evidence
from wgorch.trace.packet_path import Crossing, packet_path
from wgorch.trace.probe import Kind, Probe
from wgorch.verify.finding import Finding


@value
class Hop:
    """A packet on one interface, with its addresses there."""

    kind: Kind
    host: str
    interface: str
    direction: str
    """``in`` or ``out``."""
    seen: bool | None
    """None where nothing could observe it."""
    source: str = ""
    destination: str = ""


@value
class Trace:
    """Hops of a probe and its reply, and the first fault."""

    probe: Probe
    hosts: tuple[str, ...]
    hops: tuple[Hop, ...]
    finding: Finding | None
    unobserved: tuple[str, ...] = ()
    """Hosts without a tool to observe packets."""
    absent: tuple[str, ...] = ()
    """Hosts that were not reached, so that nothing was observed there."""
    captures: Mapping[str, Capture] = field(default_factory=dict, repr=False)

    @property
    def arrives(self) -> bool:
        return self.finding is None


def explain(
    topology: Topology,
    facts: Mapping[str, Observed],
    keys: Mapping[str, str],
    captures: Mapping[str, Capture],
    probe: Probe,
    source: str,
    arrives_by: str = "",
    cut: Cut = WHOLE,
) -> Trace:
    """Judge the captures of one probe.

    `source`: the host that sends; or, with the interface that the probe arrives by, the first host behind its sender.
    `cut`: sessions with relays that hosts do not use.
    """
    path = walk(topology, source, probe.target, origin=probe.source, cut=cut)
    if path.dropped:
        host, _, what = path.dropped.rpartition(": ")
        hint = f"add the network of {probe.target} to subnets: of the host that leads there; wgorch check"
        return Trace(probe, path.hosts, (), Finding(host or source, what, hint), captures=captures)
    back = (
        walk(topology, path.hosts[-1], probe.source, origin=probe.target, cut=cut) if len(topology.relays) > 1 else None
    )
    crossings = packet_path(topology, facts, path, probe.target, arrives_by, back)
    evidence = Evidence(topology, facts, keys, captures, probe, crossings)
    hops: list[Hop] = []
    finding = _first_fault(evidence, hops) or _fault_at_source(evidence, captures.get(source))
    blind = tuple(host for host in captures if evidence.is_blind(host))
    absent = tuple(host for host in path.hosts if host in evidence.absent)
    return Trace(probe, path.hosts, tuple(hops), finding, blind, absent, captures)


def _first_fault(evidence: Evidence, hops: list[Hop]) -> Finding | None:
    """Follow each packet and add its hops to `hops`, until one is lost."""
    kinds = [Kind.REQUEST, Kind.REPLY]
    senders = (c for c in evidence.captures.values() if c.answered is not None)
    if evidence.probe.full_size and all(sender.answered for sender in senders):
        kinds += [Kind.FULL_REQUEST, Kind.FULL_REPLY]
    return next((finding for kind in kinds if (finding := _follow(evidence, kind, hops))), None)


def _follow(evidence: Evidence, kind: Kind, hops: list[Hop]) -> Finding | None:
    """Follow one packet and add its hops to `hops`, until it is lost."""
    crossings = evidence.path.crossings(kind)
    sighted = [i for i, crossing in enumerate(crossings) if evidence.sightings(kind, crossing)]
    proven = len(crossings) if evidence.answered(kind) else max(sighted, default=-1)
    before = None
    for i, crossing in enumerate(crossings):
        hop = _hop(evidence, kind, crossing, proven=i <= proven)
        hops.append(hop)
        if i > proven:
            if finding := cause(evidence, kind, before, crossing):
                return finding
            if hop.seen is False:
                return _lost(kind, crossings[proven] if proven >= 0 else None, crossing)
        before = crossing
    return None


def _hop(evidence: Evidence, kind: Kind, crossing: Crossing, *, proven: bool) -> Hop:
    sightings = evidence.sightings(kind, crossing)
    if sightings:
        return Hop(kind, *crossing, True, sightings[0].source, sightings[0].destination)
    return Hop(kind, *crossing, None if proven or evidence.is_blind(crossing.host) else False)


def _lost(kind: Kind, last_seen: Crossing | None, here: Crossing) -> Finding:
    packet = "reply" if kind.is_reply else "request"
    last = f"last seen {last_seen}" if last_seen else "never seen"
    what = f"{packet} lost: {last}, not seen {here}; the cause was not observed"
    return Finding(here.host, what, "keep the packets with wgorch trace --pcap DIR")


def _fault_at_source(evidence: Evidence, capture: Capture | None) -> Finding | None:
    """A fault that no capture located: the sender got no reply."""
    if capture is None:
        return None
    if elsewhere := _sent_elsewhere(evidence):
        return elsewhere
    if evidence.is_refused_by_target:
        return refused(evidence)
    if capture.answered is False:
        return _possible_fault(evidence)
    return mtu_too_large(evidence) if capture.full_answered is False else None


def _sent_elsewhere(evidence: Evidence) -> Finding | None:
    """The probe left by another interface than the tunnel; an answer that came back there proves nothing of the path."""
    first = evidence.path.crossings(Kind.REQUEST)[:1]
    if len(evidence.path.hosts) < 2 or any(evidence.sightings(Kind.REQUEST, crossing) for crossing in first):
        return None
    return not_sent_into_tunnel(evidence, Kind.REQUEST, evidence.path.hosts[0])


def _possible_fault(evidence: Evidence) -> Finding:
    """The first cause on the path that facts alone show."""
    sender, reply = evidence.path.hosts[0], evidence.path.crossings(Kind.REPLY)
    if sender in evidence.facts and (finding := not_local(evidence, sender, evidence.probe.source)):
        return finding
    if reply and evidence.sightings(Kind.REPLY, reply[-1]):
        if blocked := dropped(evidence, sender):
            return blocked
        what = f"the reply came in by {reply[-1].interface}, and {sender} dropped it"
        return Finding(sender, what, f"check its INPUT rules and rp_filter: wgorch doctor {sender}")
    for kind in (Kind.REQUEST, Kind.REPLY):
        crossings = evidence.path.crossings(kind)
        for before, here in pairwise([None, *crossings]):
            if here and (finding := cause(evidence, kind, before, here)):
                return finding
    what = f"no reply from {evidence.probe.target}, and no packet was observed"
    return Finding(sender, what, "install nft or tcpdump")
