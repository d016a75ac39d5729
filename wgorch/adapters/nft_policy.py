"""A policy as nft rules: what may come out of the tunnel returns to the other tables, all else is dropped.

A drop is final whatever other tables say; a return is not, so that the host's own firewall keeps its say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from wgorch.adapters.nft_sets import address_set, elements
from wgorch.inventory.model import IPNetwork
from wgorch.inventory.policy import ANY, PING, TCP, UDP, Service
from wgorch.topology.passes import Addresses, Filtering, Pass

CHAINS: Mapping[str, str] = {
    "arriving": "",
    "relayed": "",
    "entering": "",
    "judged": "",
    "translated": "",
    "policy-prerouting": "type filter hook prerouting priority -145; policy accept;",
    "policy-input": "type filter hook input priority -145; policy accept;",
    "policy-forward": "type filter hook forward priority -145; policy accept;",
}
"""Chains and their heads: those with a hook come just behind mangle, the first before any NAT."""

_FRAME = ("iifname != ", "oifname ", "jump ", "ct status ")
_LEADING = ("judged", "translated", "policy-prerouting")

TRACKING = "ct state established"
"""The condition that makes the kernel track connections."""

PROBES_OF_EACH = 20
"""Pings in a second that a peer may send: wgorch sends a few at once, and every peer may do so in the same moment."""

_WORD = {4: ("ip", "icmp", "ipv4"), 6: ("ip6", "icmpv6", "ipv6")}
_ERRORS = {
    4: "icmp type { destination-unreachable, time-exceeded, parameter-problem }",
    6: "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem }",
}
_NONE = Addresses(())
_NO_NEW_TCP = "tcp flags & (syn | ack) != syn"


class PolicyLine(NamedTuple):
    """A rule of a policy."""

    chain: str
    text: str
    until: int = 0
    """UNIX time at which it ends; 0 for never."""


def leads(chain: str, text: str) -> bool:
    """True for a rule that says which others judge a packet, and nothing of the policy itself."""
    judged_before = chain.startswith("policy-") and text.endswith(" accept")
    return chain in _LEADING or text.startswith(_FRAME) or judged_before


def policy_rules(filtering: Filtering, tunnels: Sequence[str]) -> Iterator[PolicyLine]:
    """The rules in order. `tunnels`: the network's interfaces."""
    tunnel = _set(f'"{name}"' for name in tunnels)
    yield from _arriving(filtering)
    yield from _relayed(filtering)
    yield from _entering(filtering)
    yield from _judged(filtering)
    yield PolicyLine("policy-prerouting", f"iifname != {tunnel} return")
    for version, networks in _by_version(filtering.judged):
        yield PolicyLine("policy-prerouting", f"{_WORD[version][0]} daddr {address_set(networks)} goto judged")
    yield PolicyLine("policy-input", f"iifname != {tunnel} return")
    yield from _behind_judged("policy-input", filtering)
    yield from _leaving("policy-input", filtering)
    yield PolicyLine("policy-input", "drop")
    for version, devices in _by_version(filtering.devices):
        to_device = f"iifname != {tunnel} oifname {tunnel} {_WORD[version][0]} daddr {address_set(devices)}"
        yield PolicyLine("policy-forward", f"{to_device} goto entering")
    yield PolicyLine("policy-forward", f"iifname != {tunnel} return")
    yield PolicyLine("policy-forward", f"oifname {tunnel} goto relayed")
    yield from _behind_judged("policy-forward", filtering)
    yield from _leaving("policy-forward", filtering)
    yield PolicyLine("policy-forward", "drop")


FEW = 16
"""So many flows of one kind stand in rules of their own, to be read; more of them in one rule with a set."""


def _passing(chain: str, passes: Iterable[Pass], verdict: str = "accept") -> Iterator[PolicyLine]:
    groups: dict[Pass, list[Pass]] = {}
    for each in passes:
        kind = each._replace(source=_NONE, target=_NONE, service=Service(each.service.protocol))
        groups.setdefault(each if each.source.excluded or each.target.excluded else kind, []).append(each)
    for some in groups.values():
        rules = _as_set(some) if len(some) > FEW else (rule for each in some for rule in _matches(each))
        yield from (PolicyLine(chain, f"{rule} {verdict}", some[0].until) for rule in rules)


def _as_set(some: list[Pass]) -> Iterator[str]:
    """The rules of many Passes that differ only in their addresses and ports."""
    first = some[0]
    family, tracked = _WORD[first.version][0], [TRACKING] if first.tracked else []
    has_ports = first.service.protocol in (TCP, UDP)
    head = f"{family} saddr . {family} daddr"
    head += f" . {first.service.protocol} {'sport' if first.answers else 'dport'}" if has_ports else ""
    flows = ", ".join(elements(some, ports=has_ports))
    for service in _services(first):
        rest = [_NO_NEW_TCP] if has_ports and _NO_NEW_TCP in service else [] if has_ports else service
        yield " ".join((head, f"{{ {flows} }}", *rest, *tracked))


def _arriving(filtering: Filtering) -> Iterator[PolicyLine]:
    yield from (PolicyLine("arriving", rule) for rule in _own_pings(filtering))
    yield from _passing("arriving", filtering.arriving)


def _own_pings(filtering: Filtering) -> Iterator[str]:
    """Errors that belong to a connection, and the pings by which wgorch proves sessions."""
    yield "meta l4proto { icmp, ipv6-icmp } ct state related accept"
    for version, peers in _by_version(filtering.peers):
        family, icmp, _ = _WORD[version]
        own = address_set([net for net in filtering.own if net.version == version])
        rate = max(50, PROBES_OF_EACH * sum(2 ** (net.max_prefixlen - net.prefixlen) for net in peers))
        limit = f"limit rate {rate}/second burst {2 * rate} packets"
        yield f"{family} saddr {address_set(peers)} {family} daddr {own} {icmp} type echo-request {limit} accept"
        yield f"{family} saddr {address_set(peers)} {family} daddr {own} {icmp} type echo-reply {TRACKING} accept"


def _judged(filtering: Filtering) -> Iterator[PolicyLine]:
    """What comes in for the host itself and its LANs, by the address that its sender gave it.

    The host's own NAT, by which a port is published for a container, changes that only afterwards.
    """
    yield PolicyLine("judged", "jump arriving")
    yield PolicyLine("judged", "drop")
    for version, networks in _by_version(filtering.judged):
        family, addresses = _WORD[version][0], address_set(networks)
        yield PolicyLine("translated", f"ct direction original ct original {family} daddr {addresses} accept")
        yield PolicyLine("translated", f"ct direction reply ct reply {family} daddr {addresses} accept")
        yield PolicyLine("translated", f"{family} daddr {addresses} goto judged")


def _leaving(chain: str, filtering: Filtering) -> Iterator[PolicyLine]:
    """To the internet, of which the host's other addresses are a part."""
    if filtering.leaving:
        for version, lans in _by_version(filtering.lans):
            yield PolicyLine(chain, f"{_WORD[version][0]} daddr {address_set(lans)} drop")
        yield from _passing(chain, filtering.leaving, "return")


def _behind_judged(chain: str, filtering: Filtering) -> Iterator[PolicyLine]:
    """Let pass what was judged as it came in; the rest is judged by the address that it has now."""
    yield PolicyLine(chain, "ct status snat,dnat jump translated")
    for version, networks in _by_version(filtering.judged):
        yield PolicyLine(chain, f"{_WORD[version][0]} daddr {address_set(networks)} accept")
    yield PolicyLine(chain, "jump arriving")


def _relayed(filtering: Filtering) -> Iterator[PolicyLine]:
    rule = partial(PolicyLine, "relayed")
    devices = list(_by_version(filtering.devices))
    yield from map(rule, _related(filtering))
    yield from _passing("relayed", (each for each in filtering.relayed if not each.answers or each.tracked))
    yield from (rule(f"{_WORD[version][0]} daddr {address_set(nets)} drop") for version, nets in devices)
    if filtering.relayed:
        yield from (rule(f"{_ERRORS[version]} accept") for version in (4, 6))
    yield from _passing("relayed", (each for each in filtering.relayed if each.answers and not each.tracked))
    yield rule("drop")


def _entering(filtering: Filtering) -> Iterator[PolicyLine]:
    """To the devices, from elsewhere than the tunnel."""
    if filtering.devices:
        yield from (PolicyLine("entering", text) for text in _related(filtering))
        yield from _passing("entering", filtering.entering)
        yield PolicyLine("entering", "drop")


def _related(filtering: Filtering) -> Iterator[str]:
    """Errors that belong to a device's connections."""
    for version, nets in _by_version(filtering.devices):
        proto = "icmp" if version == 4 else "ipv6-icmp"
        yield f"{_WORD[version][0]} daddr {address_set(nets)} meta l4proto {proto} ct state related accept"


def _matches(each: Pass) -> Iterator[str]:
    """The matches of a Pass, one or more; they begin with the addresses."""
    family, _, protocol = _WORD[each.version]
    source, target = _addresses(family, "saddr", each.source), _addresses(family, "daddr", each.target)
    version = [] if source or target else [f"meta nfproto {protocol}"]
    for service in _services(each):
        tracked = [TRACKING] if each.tracked else []
        yield " ".join((*version, *source, *target, *service, *tracked))


def _services(each: Pass) -> Iterator[list[str]]:
    """The matches of a service, or of the answers to it."""
    icmp = _WORD[each.version][1]
    name, service = each.service.protocol, each.service
    if name == PING:
        yield [f"{icmp} type echo-{'reply' if each.answers else 'request'}"]
    elif name == ANY and each.answers and not each.tracked:
        # Without tracking, what begins a connection differs from an answer only in TCP and in pings.
        proto = "icmp" if each.version == 4 else "ipv6-icmp"
        yield ["meta l4proto tcp", _NO_NEW_TCP]
        yield [f"{icmp} type echo-reply"]
        yield [f"meta l4proto != {{ tcp, {proto} }}"]
    elif name == ANY:
        yield []
    else:
        ports = _ports(service, "sport" if each.answers else "dport")
        yield [*ports, *([_NO_NEW_TCP] if name == TCP and each.answers and not each.tracked else [])]


def _ports(service: Service, end: str) -> list[str]:
    if not service.ports:
        return [f"meta l4proto {service.protocol}"]
    ranges = [f"{low}-{high}" if low != high else str(low) for low, high in service.ports]
    return [f"{service.protocol} {end} {_set(ranges)}"]


def _addresses(family: str, end: str, side: Addresses) -> list[str]:
    if not side.networks:
        return []
    return [f"{family} {end} {'!= ' if side.excluded else ''}{address_set(side.networks)}"]


def _set(values: Iterable[object]) -> str:
    texts = [str(value) for value in values]
    return texts[0] if len(texts) == 1 else f"{{ {', '.join(texts)} }}"


def _by_version(networks: Iterable[IPNetwork]) -> Iterator[tuple[int, list[IPNetwork]]]:
    networks = list(networks)
    for version in (4, 6):
        if own := [net for net in networks if net.version == version]:
            yield version, own
