"""A policy as iptables chains, for hosts without nft: what may come out of the tunnel returns, all else is dropped.

The chains are in mangle, before any filter: a drop there is final, and a return leaves the host's own firewall its say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address
from itertools import product
from typing import NamedTuple

from wgorch.adapters.nft_policy import PROBES_OF_EACH
from wgorch.adapters.nft_sets import spans
from wgorch.inventory.model import Network
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
    filtering: Filtering, network: Network, tunnel: str, versions: Iterable[int]
) -> dict[Chain, tuple[Rule, ...]]:
    """The rules of a host's policy by chain. `versions`: IP versions that the tunnel carries."""
    found = {}
    for version in sorted(versions):
        incoming, forward = (chain for chain in our_chains(network, version) if chain.kind in POLICY_KINDS)
        found[incoming] = tuple(_incoming(filtering, _Scope("", version, network.mark), tunnel))
        found[forward] = tuple(_forward(filtering, version, network.mark, tunnel))
    return found


def _incoming(filtering: Filtering, scope: _Scope, tunnel: str) -> Iterator[Rule]:
    yield scope.rule("", "", f"! -i {tunnel}")
    yield from _arriving(filtering, scope)
    yield scope.rule("", "", "", "DROP")


def _forward(filtering: Filtering, version: int, mark: str, tunnel: str) -> Iterator[Rule]:
    """Back into the tunnel; then out of it into the LANs, and to the internet."""
    entering, through = (
        _Scope(f"! -i {tunnel} -o {tunnel}", version, mark),
        _Scope(f"-i {tunnel} -o {tunnel}", version, mark),
    )
    outward = _Scope("", version, mark)
    devices = [net for net in filtering.devices if net.version == version]
    relayed = [each for each in filtering.relayed if each.version == version]
    for scope, passes in (
        (entering, [each for each in filtering.entering if each.version == version]),
        (through, [each for each in relayed if not each.answers or each.tracked]),
    ):
        for net in devices:
            yield scope.rule("", f"-d {net}", f"-p {_ICMP[version]} -m conntrack --ctstate RELATED")
        yield from _passing(passes, scope)
        yield from (scope.rule("", f"-d {net}", "", "DROP") for net in devices)
    if filtering.relayed:
        yield from (through.rule("", "", f"{_TYPE[version]} {number}") for number in _ERRORS[version])
    yield from _passing((each for each in relayed if each.answers and not each.tracked), through)
    yield through.rule("", "", "", "DROP")
    yield outward.rule("", "", f"! -i {tunnel}")
    yield from _arriving(filtering, outward)
    if filtering.leaving:
        yield from (outward.rule("", f"-d {net}", "", "DROP") for net in filtering.lans if net.version == version)
    yield from _passing((each for each in filtering.leaving if each.version == version), outward)
    yield outward.rule("", "", "", "DROP")


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
