"""Judge measurements: what does not work, and the first fault on its path; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from wgorch.base.ip import as_ip
from wgorch.base.text import hint_lines
from wgorch.base.value import value
from wgorch.inventory.model import IPAddress
from wgorch.plan.playbook import CHECKS
from wgorch.topology.desired import WHOLE, Cut
from wgorch.topology.path import walk
from wgorch.topology.topology import Topology
from wgorch.verify.attempts import attempted
from wgorch.verify.finding import Finding, Pair
from wgorch.verify.measure import Measurement, Ping
from wgorch.verify.targets import is_matrix, measures_pair


def by_hand(command: str) -> str:
    """A fix that `wgorch up` makes, and the command that makes it on the host, each on a line to be pasted."""
    return hint_lines("wgorch up", f"or: {command}")


@value
class Verdict:
    """Measurements by host, and the faults that they show."""

    measured: Mapping[str, Measurement]
    findings: tuple[Finding, ...]
    broken_before: tuple[Finding, ...] = ()
    """Faults that were there before the change, and are not held against it."""
    avoided: Cut = WHOLE
    """Sessions with relays that hosts did not use."""
    proven_back: tuple[Finding, ...] = ()
    """Pings without a reply whose path is proven by those of the other end: a firewall drops echo requests."""

    @property
    def works(self) -> bool:
        return not self.findings

    @property
    def causes(self) -> tuple[tuple[Finding, tuple[Finding, ...]], ...]:
        """The findings by fault: the first of each, and those that follow from the same one."""
        groups: dict[object, list[Finding]] = {}
        for number, finding in enumerate(self.findings):
            groups.setdefault(finding.fault or number, []).append(finding)
        return tuple((first, tuple(others)) for first, *others in groups.values())


@value
class Since:
    """What a session with a peer must be newer than; either is enough, since a clock may be set meanwhile."""

    clock: int
    """UNIX time before the change, by the host's clock."""
    handshake: int
    """UNIX time of the latest handshake before the change; 0 where there was none, so that any will do."""

    def is_met_by(self, handshake: int) -> bool:
        """True for the time of a handshake that happened since."""
        return handshake > self.handshake or handshake >= self.clock - 1


def diagnose(
    topology: Topology,
    measured: Mapping[str, Measurement],
    keys: Mapping[str, str],
    since: Mapping[str, Mapping[str, Since]] | None = None,
    checks: frozenset[str] = frozenset(CHECKS),
    broken_before: frozenset[Pair] = frozenset(),
    avoided: Cut = WHOLE,
) -> Verdict:
    """Judge measurements.

    `since`: sessions that must be new, by host and peer; `checks`: what is judged; `broken_before`: pairs that did not
    work before the change either; `avoided`: sessions with relays that hosts do not use.
    """
    names = {address: name for name, host in topology.hosts.items() for address in host.addresses}
    network = _Measured(topology, measured, keys, names, avoided)
    found = [*_sessions(network, since or {})] if "handshakes" in checks else []
    unable = [finding for host in measured for finding in _unable(network, host)]
    able = [host for host in measured if host not in {finding.host for finding in unable}]
    found += unable
    # The gateway's own ping of its LAN comes first: it is the cause of those through it.
    found += [finding for host in able for finding in _own_lan(network, host)]
    found += [finding for host in able for finding in _pings(network, host)]
    found += [finding for host in able for finding in _relays(network, host)]
    for host in able:
        found += _full_size(network, host)
    found += [finding for here in measured.values() for finding in attempted(here)]
    old = tuple(dict.fromkeys(finding for finding in found if finding.pair in broken_before))
    left = dict.fromkeys(finding for finding in found if finding.pair not in broken_before)
    # What fails beside it for the same fault is no closed INPUT chain.
    real = {finding.fault for finding in left if not _is_proven_back(network, finding)}
    back = tuple(_proven_back(network, finding) for finding in left if finding.fault not in real)
    return Verdict(measured, tuple(finding for finding in left if finding.fault in real), old, avoided, back)


def _unable(network: _Measured, host: str) -> Iterator[Finding]:
    """A host whose ping does not run: nothing that it pings is known to fail."""
    said = next((ping.unable for ping in network.hosts[host].pings.values() if ping.unable), "")
    if said:
        what, hint = f"not measured: ping does not run: {said}", f"as root on {host}: ping -c 1 127.0.0.1"
        yield Finding(host, what, hint, pair=(host, "ping"))


def _is_proven_back(network: _Measured, finding: Finding) -> bool:
    """True for a ping of a host that itself pinged the sender: requests passed one way, and replies the other."""
    if not finding.pair or not finding.fault or finding.fault[0] not in ("hop", "gateway"):
        return False
    address = as_ip(finding.pair[1])
    there = network.names.get(address) if address else None
    back = network.topology.hosts[finding.host].address_of(address.version) if address and there else None
    ping = network.ping(there, back) if there else None
    return bool(ping and ping.works)


def _proven_back(network: _Measured, finding: Finding) -> Finding:
    address = as_ip(finding.pair[1]) if finding.pair else None
    name = network.names[address] if address else ""
    what = f"{name} does not answer pings in the tunnel; its own to {finding.host} get through"
    return replace(finding, host=finding.host, what=what, hint=f"nothing, or let ICMP echo-request in at {name}")


def broken_pairs(verdict: Verdict) -> frozenset[Pair]:
    """The pairs that do not work."""
    return frozenset(finding.pair for finding in verdict.findings if finding.pair)


@value
class _Measured:
    """A network and its measurements."""

    topology: Topology
    hosts: Mapping[str, Measurement]
    keys: Mapping[str, str]
    names: Mapping[IPAddress, str]
    """Tunnel members by address."""
    avoided: Cut

    def handshake(self, host: str, peer: str) -> int:
        """UNIX time of a host's latest handshake with a peer; 0 where there was none."""
        here = self.hosts.get(host)
        return here.handshakes.get(self.keys.get(peer, ""), 0) if here else 0

    def has_session(self, host: str, peer: str) -> bool:
        """True where a host had a handshake with a peer."""
        return self.handshake(host, peer) > 0

    def has_any_session(self, one: str, other: str) -> bool:
        """True where one of two hosts had a handshake with the other."""
        return self.has_session(one, other) or self.has_session(other, one)

    def is_in_lan(self, host: str, address: IPAddress) -> bool:
        """True for an address in a LAN that a host is the gateway of."""
        return self.topology.inventory.is_in_lan(host, address)

    def ping(self, host: str, address: IPAddress | None) -> Ping | None:
        """Ping of an address by a host; None where it was not measured."""
        return self.hosts[host].pings.get(address) if address and host in self.hosts else None


def _sessions(network: _Measured, since: Mapping[str, Mapping[str, Since]]) -> Iterator[Finding]:
    for host in network.hosts:
        for peer in network.topology.peers(host):
            if peer in network.hosts:
                yield from _session(network, host, peer, since.get(host, {}).get(peer))


def _session(network: _Measured, host: str, peer: str, since: Since | None) -> Iterator[Finding]:
    topology, matrix = network.topology, is_matrix(network.topology)
    endpoint = topology.endpoint_for(peer, host)
    # In a large network only one end of a session sends packets and waits for replies.
    works = network.has_session(host, peer) or (not matrix and network.has_session(peer, host))
    if endpoint and not works:
        what = f"no handshake with {peer}: UDP to {endpoint} blocked, or replies lost"
        hint = f"allow UDP {endpoint.port} in at {peer} (cloud firewall, router), and out at {host}"
        yield Finding(host, what, hint, pair=(host, peer), fault=session_fault(host, peer))
        return
    must_be_new = since and (matrix or measures_pair(topology, host, peer))
    # Without any session the finding is that of the end that connects.
    has_one = endpoint or network.has_any_session(host, peer)
    if since and must_be_new and has_one and not since.is_met_by(network.handshake(host, peer)):
        what = f"session with {peer} predates this change: its new key is unproven"
        yield Finding(host, what, f"re-run wgorch verify; check {peer}", fault=session_fault(host, peer))


def _own_lan(network: _Measured, host: str) -> Iterator[Finding]:
    for address, ping in network.hosts[host].pings.items():
        if not ping.works and network.is_in_lan(host, address):
            what = f"no reply from {address} in its own LAN"
            hint, pair = f"check that {address} is up and answers pings", (host, str(address))
            yield Finding(host, what, hint, pair=pair, fault=("lan", str(address)))


def _pings(network: _Measured, host: str) -> Iterator[Finding]:
    for address, ping in network.hosts[host].pings.items():
        if ping.works or network.is_in_lan(host, address):
            continue
        if address in network.names or _is_flow(network.topology, host, address):
            yield _first_fault(network, host, address)


def _is_flow(topology: Topology, host: str, address: IPAddress) -> bool:
    """True for a `verify:` line of the host; those of others are reported by the others."""
    lines = (flow for flow in topology.inventory.verify if flow.is_ping)
    return any(flow.source == host and flow.address == address for flow in lines)


def _relays(network: _Measured, host: str) -> Iterator[Finding]:
    """Relays that do not reply by the interface of their session, so that they could not be used."""
    for choice in network.topology.desired(host).choices:
        ping = network.hosts[host].relays.get(choice.interface)
        if ping and not ping.works:
            session = "their session works" if network.has_any_session(host, choice.relay) else "they have no session"
            what = f"relay {choice.relay} does not reply by {choice.interface}: {host} could not use it ({session})"
            hint = f"wgorch status; as root on {host}: ping -I {choice.interface} {network.topology.hosts[choice.relay].address}"
            fault = session_fault(host, choice.relay)
            yield Finding(host, what, hint, pair=(host, choice.interface), fault=fault)


def _full_size(network: _Measured, host: str) -> Iterator[Finding]:
    measurement = network.hosts[host]
    for address, ping in measurement.full_size.items():
        small = measurement.pings.get(address)
        if small and small.works and not ping.works:
            fits = measurement.fits.get(address, 0)
            what = f"{network.names.get(address, address)} replies to small packets, but to none of full size"
            hint = f"mtu: {fits} in the inventory" if fits else "a smaller mtu: in the inventory"
            pair = (host, f"{address} in full size")
            yield Finding(host, what, f"{hint}; a link on the path carries less", fits, pair)


def _first_fault(network: _Measured, host: str, address: IPAddress) -> Finding:
    """The first fault on the path to an address that does not reply."""
    problem, hint, fault = _fault_on_path(network, host, address)
    what = f"cannot reach {network.names.get(address, address)}: {problem}"
    return Finding(host, what, hint, pair=(host, str(address)), fault=fault)


def session_fault(one: str, other: str) -> tuple[str, ...]:
    """The fault of findings about the session of two hosts."""
    return ("session", *sorted((one, other)))


def _fault_on_path(network: _Measured, host: str, address: IPAddress) -> tuple[str, str, tuple[str, ...]]:
    """The problem, its fix, and where the fault is."""
    path = walk(network.topology, host, address, cut=network.avoided)
    if path.dropped:
        return path.dropped, "wgorch check", ("inventory", path.dropped)
    for here, there in pairwise(path.hosts):
        if not network.has_any_session(here, there):
            what, hint = f"no session between {here} and {there}", f"allow WireGuard UDP between {here} and {there}"
            return what, hint, session_fault(here, there)
    for before, there in pairwise(path.hosts):
        ping = network.ping(host, network.topology.hosts[there].address_of(address.version))
        if ping and not ping.works and before == host:
            what, hint = f"{there} does not reply, although they have a session", f"wgorch trace {host} {there}"
            return what, hint, ("hop", before, there)
        if ping and not ping.works:
            hint = f"check forwarding and FORWARD rules of {before}: wgorch status"
            return f"packets reach {before}, but {there} does not reply", hint, ("hop", before, there)
    gateway = path.hosts[-1]
    own = network.ping(gateway, address)
    if own and not own.works:
        return f"{gateway} cannot reach it either", f"check that {address} is up", ("lan", str(address))
    hint = f"check forwarding, masquerade and FORWARD rules of {gateway}: wgorch status"
    return f"packets reach {gateway}, which can reach it", hint, ("gateway", gateway)
