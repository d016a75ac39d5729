"""From measurements to findings: what does not work, and the first thing on the way that is wrong; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wgorch.base.value import value
from wgorch.inventory.model import IPAddress
from wgorch.plan.playbook import CHECKS
from wgorch.topology.path import walk
from wgorch.topology.topology import Topology
from wgorch.verify.measure import Measured, first, is_whole


@value
class Finding:
    """One thing that is wrong: where, what, and what mends it. `fits`: the MTU that would."""

    host: str
    what: str
    hint: str = ""
    fits: int = 0

    def __str__(self) -> str:
        return f"{self.host}: {self.what}" + (f"\n    fix: {self.hint}" if self.hint else "")


@value
class Verdict:
    """Everything measured, and what is wrong with it."""

    measured: Mapping[str, Measured]
    findings: tuple[Finding, ...]

    @property
    def works(self) -> bool:
        return not self.findings


@value
class Since:
    """The peers of a host whose session must be newer than a moment (seconds since 1970, by the host's own clock)."""

    clock: int
    peers: frozenset[str]


def diagnose(
    topology: Topology,
    measured: Mapping[str, Measured],
    keys: Mapping[str, str],
    since: Mapping[str, Since] | None = None,
    checks: frozenset[str] = frozenset(CHECKS),
) -> Verdict:
    """Judge what was measured. `since`: the sessions that must be newer than the change; `checks`: what counts."""
    findings = [*_pairs(topology, measured, keys)]
    if "handshakes" in checks:
        findings[:0] = _sessions(topology, measured, keys, since or {})
    return Verdict(measured, tuple(dict.fromkeys(findings)))


def _session(measured: Mapping[str, Measured], keys: Mapping[str, str], host: str, peer: str, since: int = 0) -> bool:
    here = measured.get(host)
    handshake = here.handshakes.get(keys.get(peer, ""), 0) if here else 0
    return handshake > 0 and handshake >= since


def _sessions(
    topology: Topology, measured: Mapping[str, Measured], keys: Mapping[str, str], since: Mapping[str, Since]
) -> Iterator[Finding]:
    for host in measured:
        new = since.get(host)
        for peer in topology.peers(host):
            if peer not in measured:
                continue
            endpoint = topology.hosts[peer].endpoint
            # A session has two ends, and in a large network only one of them sends packets and waits for answers.
            other_end = not is_whole(topology) and _session(measured, keys, peer, host)
            if endpoint and not (_session(measured, keys, host, peer) or other_end):
                what = f"no handshake with {peer}: its UDP does not get through to {endpoint}, or no answer comes back"
                hint = f"let UDP {endpoint.port} in at {peer} (cloud firewall, router), and out at {host}"
                yield Finding(host, what, hint)
            elif not (new and peer in new.peers and (is_whole(topology) or first(topology, host, peer))):
                continue
            elif not _session(measured, keys, host, peer, new.clock - 1):
                what = f"the session with {peer} is older than this change; its new key is not proven"
                yield Finding(host, what, f"run wgorch verify in a moment, and look at {peer}")


def _pairs(topology: Topology, measured: Mapping[str, Measured], keys: Mapping[str, str]) -> Iterator[Finding]:
    flows = {(flow.source, flow.address) for flow in topology.inventory.verify}
    by_address = {address: name for name, host in topology.hosts.items() for address in host.addresses}
    for host, seen in measured.items():
        for address, ping in seen.pings.items():
            if ping.works:
                continue
            target = by_address.get(address)
            own = any(address in lan for lan in topology.hosts[host].subnets)
            if target is None and not own and (host, address) not in flows:
                continue  # told by those whose flow it is
            if own:
                what = f"{address} does not answer, although it is in its own LAN"
                yield Finding(host, what, f"is {address} up, and does it answer pings?")
            else:
                yield _first_wrong(topology, measured, keys, host, address)
        for address, ping in seen.full_size.items():
            if not ping.works and seen.pings.get(address) and seen.pings[address].works:
                target = by_address.get(address, str(address))
                fits = seen.fits.get(address, 0)
                what = f"{target} answers small packets but none of the tunnel's full size"
                hint = f"mtu: {fits} in the inventory" if fits else "a smaller mtu: in the inventory"
                yield Finding(host, what, f"{hint}; something on the way carries less", fits)


def _first_wrong(
    topology: Topology, measured: Mapping[str, Measured], keys: Mapping[str, str], host: str, address: IPAddress
) -> Finding:
    """Follow the packet's way and name the first place where it cannot go on."""
    way = walk(topology, host, address)
    goal = next((n for n, h in topology.hosts.items() if address in h.addresses), str(address))
    if way.dropped:
        return Finding(host, f"cannot reach {goal}: {way.dropped}", "run wgorch check")
    hops = way.hosts
    for here, there in zip(hops, hops[1:], strict=False):
        if not (_session(measured, keys, here, there) or _session(measured, keys, there, here)):
            what = f"cannot reach {goal}: there is no session between {here} and {there}"
            return Finding(host, what, f"see what is told of {here}")
    for there in hops[1:]:
        hop = topology.hosts[there].address_of(address.version)
        ping = measured[host].pings.get(hop) if hop else None
        if ping is not None and not ping.works:
            before = hops[hops.index(there) - 1]
            what = f"cannot reach {goal}: packets get as far as {before}, but {there} does not answer"
            return Finding(host, what, f"look at forwarding and the FORWARD rules of {before}: wgorch status")
    gateway = hops[-1]
    own = measured[gateway].pings.get(address) if gateway in measured else None
    if own is not None and not own.works:
        return Finding(host, f"cannot reach {goal}: {gateway} cannot reach it either", f"is {address} up?")
    what = f"cannot reach {goal}: packets get as far as {gateway}, which reaches it itself"
    hint = f"look at forwarding, masquerade and the FORWARD rules of {gateway}: wgorch status"
    return Finding(host, what, hint)
