"""Filtering: what a host lets out of the tunnel and through it, by the network's policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_network

from wgorch.inventory.model import Host, IPNetwork
from wgorch.inventory.policy import PINGS
from wgorch.topology.passes import Addresses, Filtering, Pass
from wgorch.topology.peering import Peering
from wgorch.topology.policy import Line, Policy, Side, is_within, shared
from wgorch.topology.prefixes import EVERYTHING, merged


def filtering(peering: Peering, policy: Policy, name: str) -> Filtering:
    """What a host lets pass."""
    host = peering.hosts[name]
    behind = [n for n, d in peering.hosts.items() if d.is_device and peering.relay_of(n) == name and host.relay]
    devices = tuple(merged(net for n in behind for net in peering.own_networks(n)))
    peers = (net for peer in peering.peers(name) for net in _single(peering.hosts[peer]))
    leaving = policy.lines if any(member.exit == name for member in peering.hosts.values()) else ()
    relaying = policy.lines if host.relay else ()
    passing = (each for line in relaying for each in _relayed(line, policy, _single(host), devices))
    relayed = _merged((*_pings_of_relays(peering, name), *passing))
    own = (each for line in relaying for each in _from_lans(line, host, devices))
    return Filtering(
        arriving=_merged(each for line in policy.lines for each in _arriving(line, policy, host)),
        leaving=_merged(each for line in leaving for each in _leaving(line, policy)),
        relayed=relayed,
        # A mapped LAN's own addresses may be another's in the tunnel: what is said of those is not said of it.
        entering=_merged((*own, *filter(_from_anywhere, relayed))) if devices else (),
        lans=tuple(merged(host.real(lan) for lan in host.subnets)),
        judged=tuple(merged((*_single(host), *_unmapped(peering, host)))),
        devices=devices,
        peers=tuple(merged(peers)),
        own=tuple(_single(host)),
    )


def _pings_of_relays(peering: Peering, name: str) -> Iterator[Pass]:
    """Pings between other relays and their spokes, which prove sessions: they may take this relay there or back."""
    for relay in peering.relays if peering.hosts[name].relay else ():
        spokes = [spoke for spoke in peering.spokes if relay in peering.relays_of(spoke)] if relay != name else []
        own = dict(_by_version(_single(peering.hosts[relay])))
        members = dict(_by_version(net for spoke in spokes for net in _single(peering.hosts[spoke])))
        for version in sorted(own.keys() & members.keys()):
            for source, target in ((members[version], own[version]), (own[version], members[version])):
                yield Pass(version, source, target, PINGS)
                yield Pass(version, target, source, PINGS, answers=True)


def _from_anywhere(each: Pass) -> bool:
    """True for what may come from outside of the tunnel, too: to devices all answers are tracked."""
    return each.source.excluded and (each.tracked or not each.answers)


def _unmapped(peering: Peering, host: Host) -> Iterator[IPNetwork]:
    """A host's LANs that have their own addresses in the tunnel, without the LANs of others that lie in them."""
    mapped = {name for name, _ in host.maps}
    others = [net for other in peering.hosts.values() if other is not host for net in other.subnets]
    for lan in host.subnets:
        if lan not in mapped:
            left = [lan]
            for net in (net for net in others if is_within(net, [lan])):
                left = [piece for each in left for piece in _excluding(each, net)]
            yield from left


def _excluding(net: IPNetwork, other: IPNetwork) -> Iterable[IPNetwork]:
    """A network without one that lies in it; the same where it does not."""
    return net.address_exclude(other) if is_within(other, [net]) else [net]  # type: ignore[arg-type]


def _single(host: Host) -> list[IPNetwork]:
    return [ip_network(address) for address in host.addresses]


def _own(host: Host, side: Side) -> list[IPNetwork]:
    """The addresses of a side that a host has, or that are in its LANs, as it sees them."""
    found = list(shared(side.networks, _single(host)))
    for lan in host.subnets:
        for net in shared(side.networks, [lan]):
            found.append(ip_network((host.real_address(net.network_address), net.prefixlen)))
    return found


def _arriving(line: Line, policy: Policy, host: Host) -> Iterator[Pass]:
    for service in line.rule.services:
        for version, target in _by_version(_own(host, line.target)):
            yield from (
                Pass(version, source, target, service, until=line.rule.until)
                for source in _addresses(line.source, version, policy.inside)
            )
        for version, source in _by_version(_own(host, line.source)):
            for target in _addresses(line.target, version, policy.inside):
                yield Pass(version, target, source, service, answers=True, tracked=True, until=line.rule.until)


def _leaving(line: Line, policy: Policy) -> Iterator[Pass]:
    """Requests alone: the answers come in by another interface."""
    target = _without(line.target, policy.inside)
    for service in line.rule.services:
        for version in (4, 6):
            for source in _addresses(line.source, version, policy.inside):
                for to in _addresses(target, version, policy.inside):
                    yield Pass(version, source, to, service, until=line.rule.until)


def _relayed(line: Line, policy: Policy, own: list[IPNetwork], devices: tuple[IPNetwork, ...]) -> Iterator[Pass]:
    source, target = _without(line.source, own), _without(line.target, own)
    # Nothing behind the relay filters for a device: what it gets is tracked.
    untracked = _without(source, devices)
    for service in line.rule.services:
        for version in (4, 6):
            for to in _addresses(target, version, policy.inside):
                yield from (
                    Pass(version, each, to, service, until=line.rule.until)
                    for each in _addresses(source, version, policy.inside)
                )
                for each in _addresses(untracked, version, policy.inside):
                    yield Pass(version, to, each, service, answers=True, until=line.rule.until)
        for version, theirs in _by_version(shared(source.networks, devices)):
            for to in _addresses(target, version, policy.inside):
                yield Pass(version, to, theirs, service, answers=True, tracked=True, until=line.rule.until)


def _from_lans(line: Line, host: Host, devices: tuple[IPNetwork, ...]) -> Iterator[Pass]:
    """From a relay's own LANs to its devices, for which nothing else filters; before any NAT."""
    until = line.rule.until
    for service in line.rule.services:
        for version, source in _by_version(_own(host, line.source)):
            for its, target in _by_version(shared(line.target.networks, devices)):
                yield from [Pass(version, source, target, service, until=until)] if its == version else []
        for version, target in _by_version(_own(host, line.target)):
            for its, source in _by_version(shared(line.source.networks, devices)):
                answer = Pass(version, target, source, service, answers=True, tracked=True, until=until)
                yield from [answer] if its == version else []


def _without(side: Side, networks: Iterable[IPNetwork]) -> Side:
    """A side without those of its networks that lie in others."""
    networks = tuple(networks)
    return side._replace(networks=tuple(net for net in side.networks if not is_within(net, networks)))


def _addresses(side: Side, version: int, inside: tuple[IPNetwork, ...]) -> Iterator[Addresses]:
    """A side's addresses of a version; those outside of the network by what they are not."""
    if EVERYTHING[version == 6] in side.networks:
        yield Addresses((), excluded=True)
        return
    if networks := tuple(net for net in side.networks if net.version == version):
        yield Addresses(networks)
    if side.outside:
        yield Addresses(tuple(net for net in inside if net.version == version), excluded=True)


def _by_version(networks: Iterable[IPNetwork]) -> Iterator[tuple[int, Addresses]]:
    found = merged(networks)
    for version in (4, 6):
        if own := tuple(net for net in found if net.version == version):
            yield version, Addresses(own)


def _merged(passes: Iterable[Pass]) -> tuple[Pass, ...]:
    """As few as can be: those that differ in one side only become one."""
    turned = _union(map(_turned, _union(dict.fromkeys(passes))))
    return tuple(map(_turned, turned))


def _turned(each: Pass) -> Pass:
    """The same with its sides exchanged."""
    return each._replace(source=each.target, target=each.source)


def _union(passes: Iterable[Pass]) -> list[Pass]:
    """Passes that are equal but for the source, as one with the sources of all."""
    groups: dict[tuple[Pass, Addresses | None], list[Pass]] = {}
    for each in passes:
        rest = each._replace(source=Addresses(()))
        groups.setdefault((rest, each.source if each.source.excluded else None), []).append(each)
    made = []
    for (_, excluded), some in groups.items():
        sources = merged(net for each in some for net in each.source.networks)
        one = excluded or len(some) == 1
        made.append(some[0] if one else some[0]._replace(source=Addresses(tuple(sources))))
    return made
