"""A policy as iptables chains, for hosts without nft: what may come out of the tunnel returns, all else is dropped.

The chains are in mangle, before any filter: a drop there is final, and a return leaves the host's own firewall its say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address
from itertools import product
from typing import NamedTuple

from wgorch.adapters.nft_policy import PROBES_OF_EACH
from wgorch.adapters.nft_sets import spans
from wgorch.inventory.model import IPNetwork, Network
from wgorch.inventory.policy import ANY, PING, TCP, Service
from wgorch.state.rules import POLICY_KINDS, Chain, Rule, our_chains, rule
from wgorch.topology.passes import Addresses, Filtering, Pass

_ESTABLISHED = "-m conntrack --ctstate ESTABLISHED"
_NO_NEW_TCP = "! --tcp-flags SYN,ACK SYN"
_ICMP = {4: "icmp", 6: "ipv6-icmp"}
_TYPE = {4: "-p icmp -m icmp --icmp-type", 6: "-p ipv6-icmp -m icmp6 --icmpv6-type"}
_REQUEST, _REPLY = {4: 8, 6: 128}, {4: 0, 6: 129}
_ERRORS = {4: (3, 11, 12), 6: (1, 2, 3, 4)}
"""Types of ICMP errors: destination unreachable, time exceeded, parameter problem; of IPv6 packet too big, too."""

_MULTIPORT = 15
"""Ports that one rule may name; a range counts as two."""

_LIMIT = 10_000
"""Largest rate in a second that a rule may have, and the largest burst; a rate is a whole part of it."""


class _Scope(NamedTuple):
    """Interfaces of the packets that some rules are about."""

    by: str
    version: int
    mark: str

    def rule(self, source: str, target: str, matches: str, verdict: str = "RETURN", until: int = 0) -> Rule:
        """A rule in the order of iptables-save."""
        end = f"-m comment --comment until:{until}" if until else ""
        made = rule(f"{source} {target} {self.by} {matches}", self.mark, verdict)
        words = made.words
        return made if not end else Rule((*words[:-2], *end.split(), *words[-2:]))


def chains_of_policy(
    filtering: Filtering, network: Network, tunnels: Sequence[str], versions: Iterable[int]
) -> dict[Chain, tuple[Rule, ...]]:
    """The rules of a host's policy by chain. `tunnels`: the network's interfaces; `versions`: IP versions that they carry."""
    found = {}
    for version in sorted(versions):
        incoming, forward = (chain for chain in our_chains(network, version) if chain.kind in POLICY_KINDS)
        incoming_rules, forward_rules = (_incoming, _forward) if len(tunnels) == 1 else (_incoming_of, _forward_of)
        found[incoming] = tuple(incoming_rules(filtering, version, network.mark, tunnels))
        found[forward] = tuple(forward_rules(filtering, version, network.mark, tunnels))
    return found


def _incoming(filtering: Filtering, version: int, mark: str, tunnels: Sequence[str]) -> Iterator[Rule]:
    scope = _Scope("", version, mark)
    yield scope.rule("", "", f"! -i {tunnels[0]}")
    yield from _before_nat_of_host(filtering, scope)
    yield from _arriving(filtering, scope)
    yield from _leaving(filtering, scope)
    yield scope.rule("", "", "", "DROP")


def _incoming_of(filtering: Filtering, version: int, mark: str, tunnels: Sequence[str]) -> Iterator[Rule]:
    """The same for several interfaces: a rule names one, so each has rules of its own."""
    for tunnel in tunnels:
        scope = _Scope(f"-i {tunnel}", version, mark)
        yield from _before_nat_of_host(filtering, scope)
        yield from _arriving(filtering, scope)
        yield from _leaving(filtering, scope)
        yield scope.rule("", "", "", "DROP")


def _forward(filtering: Filtering, version: int, mark: str, tunnels: Sequence[str]) -> Iterator[Rule]:
    """Back into the tunnel; then out of it into the LANs, and to the internet."""
    tunnel = tunnels[0]
    yield from _entering(filtering, _Scope(f"! -i {tunnel} -o {tunnel}", version, mark))
    yield from _through(filtering, _Scope(f"-i {tunnel} -o {tunnel}", version, mark))
    outward = _Scope("", version, mark)
    yield outward.rule("", "", f"! -i {tunnel}")
    yield from _outward(filtering, outward)


def _forward_of(filtering: Filtering, version: int, mark: str, tunnels: Sequence[str]) -> Iterator[Rule]:
    """The same for several interfaces; what is left behind these rules came by none of them."""
    for one in tunnels:
        for other in tunnels:
            yield from _through(filtering, _Scope(f"-i {one} -o {other}", version, mark))
        yield from _outward(filtering, _Scope(f"-i {one}", version, mark))
    for tunnel in tunnels:
        yield from _entering(filtering, _Scope(f"-o {tunnel}", version, mark))


def _entering(filtering: Filtering, scope: _Scope) -> Iterator[Rule]:
    """To the devices, from elsewhere than the tunnel."""
    yield from _to_devices(filtering, scope, filtering.entering)


def _to_devices(filtering: Filtering, scope: _Scope, passes: Iterable[Pass]) -> Iterator[Rule]:
    """What may pass of the requests, and to the devices, for which nothing behind the relay filters."""
    devices = [net for net in filtering.devices if net.version == scope.version]
    for net in devices:
        yield scope.rule("", f"-d {net}", f"-p {_ICMP[scope.version]} -m conntrack --ctstate RELATED")
    yield from _passing((each for each in passes if each.version == scope.version), scope)
    yield from (scope.rule("", f"-d {net}", "", "DROP") for net in devices)


def _through(filtering: Filtering, scope: _Scope) -> Iterator[Rule]:
    """Back into the tunnel."""
    relayed = [each for each in filtering.relayed if each.version == scope.version]
    yield from _to_devices(filtering, scope, (each for each in relayed if not each.answers or each.tracked))
    if filtering.relayed:
        yield from (scope.rule("", "", f"{_TYPE[scope.version]} {number}") for number in _ERRORS[scope.version])
    yield from _passing((each for each in relayed if each.answers and not each.tracked), scope)
    yield scope.rule("", "", "", "DROP")


def _outward(filtering: Filtering, outward: _Scope) -> Iterator[Rule]:
    """Out of the tunnel, into the LANs and to the internet."""
    yield from _before_nat_of_host(filtering, outward)
    yield from _arriving(filtering, outward)
    yield from _leaving(filtering, outward)
    yield outward.rule("", "", "", "DROP")


def _leaving(filtering: Filtering, scope: _Scope) -> Iterator[Rule]:
    """To the internet, of which the host's other addresses are a part."""
    if filtering.leaving:
        yield from (scope.rule("", f"-d {net}", "", "DROP") for net in filtering.lans if net.version == scope.version)
    yield from _passing((each for each in filtering.leaving if each.version == scope.version), scope)


def _arriving(filtering: Filtering, scope: _Scope) -> Iterator[Rule]:
    """Errors that belong to a connection, the pings by which wgorch proves sessions, and what the policy allows."""
    version = scope.version
    yield scope.rule("", "", f"-p {_ICMP[version]} -m conntrack --ctstate RELATED")
    peers = [net for net in filtering.peers if net.version == version]
    own = [net for net in filtering.own if net.version == version]
    for peer, target in product(peers, own):
        wanted = max(50, PROBES_OF_EACH * 2 ** (peer.max_prefixlen - peer.prefixlen))
        rate = _LIMIT // (_LIMIT // min(wanted, _LIMIT))
        limit = f"-m limit --limit {rate}/sec --limit-burst {min(2 * rate, _LIMIT)}"
        yield scope.rule(f"-s {peer}", f"-d {target}", f"{_TYPE[version]} {_REQUEST[version]} {limit}")
        yield scope.rule(f"-s {peer}", f"-d {target}", f"{_TYPE[version]} {_REPLY[version]} {_ESTABLISHED}")
    yield from _passing((each for each in filtering.arriving if each.version == version), scope)


def _passing(passes: Iterable[Pass], scope: _Scope) -> Iterator[Rule]:
    for each in passes:
        sources, targets = _addresses("-s", each.source), _addresses("-d", each.target)
        outside = " ".join(_outside(*its, scope.version) for its in (("src", each.source), ("dst", each.target)))
        for source, target in product(sources, targets):
            for matches, verdict in _services(each):
                tracked = f"{matches} {_ESTABLISHED}" if each.tracked else matches
                yield scope.rule(source, target, f"{tracked} {outside}", verdict, each.until)


def _before_nat_of_host(filtering: Filtering, scope: _Scope) -> Iterator[Rule]:
    """What a NAT of the host's own leads elsewhere, as to containers: judged by the address and the port before that NAT."""
    version = scope.version
    yield from _translated((each for each in filtering.arriving if each.version == version), scope)
    for net in filtering.judged:
        if net.version == version:
            yield scope.rule("", "", f"-m conntrack --ctstate DNAT --ctorigdst {_plain(net)} --ctdir ORIGINAL", "DROP")


def _plain(net: IPNetwork) -> str:
    """A network as conntrack's matches are listed: a single address without its length."""
    return str(net.network_address if net.prefixlen == net.max_prefixlen else net)


def _translated(passes: Iterable[Pass], scope: _Scope) -> Iterator[Rule]:
    for each in passes:
        outside = _outside("src", each.source, scope.version)
        for source, target in product(_addresses("-s", each.source), each.target.networks):
            for protocol, ports in _before_nat(each, scope.version):
                yield scope.rule(source, "", f"{protocol} {_tuple(each, target, ports)} {outside}", until=each.until)


def _tuple(each: Pass, target: IPNetwork, ports: str) -> str:
    """The match of a connection's addresses as they were before a NAT."""
    name = _plain(target)
    if each.answers:
        return f"-m conntrack --ctstate SNAT --ctrepldst {name} {ports} --ctdir REPLY"
    return f"-m conntrack --ctstate DNAT --ctorigdst {name} {ports} --ctdir ORIGINAL"


def _before_nat(each: Pass, version: int) -> Iterator[tuple[str, str]]:
    """The match of a protocol, and that of ports as they were before a NAT."""
    name = each.service.protocol
    kind = (_REPLY if each.answers else _REQUEST)[version]
    protocol = f"{_TYPE[version]} {kind}" if name == PING else "" if name == ANY else f"-p {name}"
    side = "ctreplsrcport" if each.answers else "ctorigdstport"
    for low, high in each.service.ports or ((0, 0),):
        ports = f"--{side} {low}:{high}" if high > low else f"--{side} {low}" if low else ""
        yield protocol, ports


def _services(each: Pass) -> Iterator[tuple[str, str]]:
    """The matches of a service, or of the answers to it, with their verdicts."""
    name, version = each.service.protocol, each.version
    untracked = each.answers and not each.tracked
    if name == PING:
        yield f"{_TYPE[version]} {(_REPLY if each.answers else _REQUEST)[version]}", "RETURN"
    elif name != ANY:
        flags = _NO_NEW_TCP if name == TCP and untracked else ""
        yield from ((ports, "RETURN") for ports in _ports(each.service, "s" if each.answers else "d", flags))
    elif untracked:
        # Without tracking, what begins a connection differs from an answer only in TCP and in pings; requests that are
        # allowed have returned before.
        yield f"-p tcp -m tcp {_NO_NEW_TCP}", "RETURN"
        yield f"{_TYPE[version]} {_REPLY[version]}", "RETURN"
        yield "-p tcp", "DROP"
        yield f"-p {_ICMP[version]}", "DROP"
        yield "", "RETURN"
    else:
        yield "", "RETURN"


def _ports(service: Service, end: str, flags: str) -> Iterator[str]:
    """The matches of a service with ports; `end`: s or d."""
    name = service.protocol
    ranges = [f"{low}:{high}" if low != high else f"{low}" for low, high in service.ports]
    if len(ranges) < 2:
        its = f"--{end}port {ranges[0]}" if ranges else ""
        yield f"-p {name} -m {name} {its} {flags}" if its or flags else f"-p {name}"
        return
    some: list[str] = []
    for each in [*ranges, ""]:
        if some and (not each or sum(1 + (":" in one) for one in [*some, each]) > _MULTIPORT):
            also = f" -m {name} {flags}" if flags else ""
            yield f"-p {name} -m multiport --{end}ports {','.join(some)}{also}"
            some = []
        some.append(each)


def _addresses(flag: str, side: Addresses) -> list[str]:
    """The matches of a side, one for each rule that it takes."""
    return [""] if side.excluded or not side.networks else [f"{flag} {net}" for net in side.networks]


def _outside(end: str, side: Addresses, version: int) -> str:
    """Matches for all but some networks, as ranges; `end`: src or dst. A rule has any number of them."""
    make = IPv4Address if version == 4 else IPv6Address
    ranges = (f"{make(low)}-{make(high)}" for low, high in (spans(side.networks) if side.excluded else ()))
    return " ".join(f"-m iprange ! --{end}-range {each}" for each in ranges)
