"""Rules of others that drop packets of the network: judged by what they do to them, in every table of iptables and nft."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from wgorch.base.ip import as_ip, network
from wgorch.base.value import value
from wgorch.errors import HostError, Unfit
from wgorch.facts.firewall import BaseChain, Firewall
from wgorch.facts.iptables_rules import steps
from wgorch.facts.packets import UNKNOWN, Chains, May, Packets, effect
from wgorch.gather.observed import Observed
from wgorch.inventory.endpoint import Endpoint
from wgorch.inventory.model import DEFAULT_PORT, IPNetwork
from wgorch.plan.remedies import iptables_remedy, nft_remedy
from wgorch.state.rules import tool
from wgorch.topology.desired import Desired

MAX_PEERS, MAX_RULES = 50, 2000
"""With more peers or rules, those that drop the packets of a single peer are not looked for."""

IPTABLES = {
    "in": ("raw PREROUTING", "mangle PREROUTING", "mangle INPUT", "filter INPUT", "security INPUT"),
    "out": ("raw OUTPUT", "mangle OUTPUT", "filter OUTPUT", "security OUTPUT", "mangle POSTROUTING"),
    "forward": ("raw PREROUTING", "mangle PREROUTING", "mangle FORWARD", "security FORWARD", "mangle POSTROUTING"),
}
"""Tables and chains that packets pass. Of filter FORWARD, wgorch's own chain is the first that decides."""
NFT = {
    "in": ("ingress", "prerouting", "input"),
    "out": ("output", "postrouting"),
    "forward": ("ingress", "prerouting", "forward", "postrouting"),
}
VERSIONS = {"ip": (4,), "ip6": (6,), "inet": (4, 6), "netdev": (4, 6)}
"""IP versions of the packets that tables of a family see; a bridge's and arp's are not the network's."""


@value
class Refusal:
    """A rule, or a policy, that drops packets of the network: an accept elsewhere does not help."""

    packets: Packets
    place: str
    """``chain f of nft table inet admin``, or ``iptables table raw, chain PREROUTING,``."""
    why: str
    """The rule or the policy."""
    hint: str
    vital: bool
    """The network cannot work with it; else only some of what the tunnel carries is dropped."""

    @property
    def is_outer(self) -> bool:
        """True where WireGuard's own UDP is dropped, not what the tunnel carries."""
        return self.packets.protocol == "udp"


def firewall_blockers(desired: Desired, seen: Observed) -> Iterator[HostError]:
    """The vital ones as errors of a plan."""
    for found in refusals(desired, seen):
        if found.vital:
            yield Unfit(desired.name, found.packets.what, f"{found.place} drops it: {found.why}", found.hint)


def refusals(desired: Desired, seen: Observed) -> Iterator[Refusal]:
    """What certainly drops all packets of a kind; where a rule may accept some, it is tried, and what is dropped is traced."""
    known: set[tuple[str, str]] = set()
    tables = {name: _chains(seen.firewall, name) for name in seen.firewall.rules}
    foreign = []
    if seen.firewall.foreign_chains:
        from wgorch.facts.nft_rules import steps_of  # a millisecond of patterns that few hosts need

        foreign = [(c, {name: steps_of(rules) for name, rules in c.chains}) for c in seen.firewall.foreign_chains]
    for direction, packets, vital in kinds(desired, seen):
        for found in (
            *_of_iptables(desired, seen, tables, direction, packets, vital=vital),
            *_of_nft(foreign, direction, packets, vital=vital),
        ):
            if (found.place, found.why) not in known:
                known.add((found.place, found.why))
                yield found


def _chains(firewall: Firewall, table: str) -> Chains:
    """The chains of a table as data; of very many rules, what user-defined chains do is not known."""
    found = steps(firewall.rules[table])
    if firewall.cut:
        found |= {name: UNKNOWN for name in found if firewall.policies.get((table, name)) == "-"}
    return found


def kinds(desired: Desired, seen: Observed) -> Iterator[tuple[str, Packets, bool]]:
    """The packets that a host's part of the network consists of; whether the network needs them."""
    for version in (4, 6):
        if version in map(_version, (*_own_ends(desired), *(link.endpoint for link in desired.links))):
            yield from _outer(desired, seen, version)
        inside = tuple(n for n in (*desired.network.subnets, *desired.routes) if n.version == version)
        if inside:
            yield from _inner(desired, seen, inside, version)


def _own_ends(desired: Desired) -> Iterator[Endpoint]:
    """Where peers connect to the host."""
    return (way.endpoint for way in desired.host.all_ways)


def _version(endpoint: Endpoint | None) -> int:
    """The IP version of an endpoint; 0 of none. A name counts as one of IPv4."""
    ip = as_ip(endpoint.host) if endpoint else None
    return ip.version if ip else 4 if endpoint else 0


def _outer(desired: Desired, seen: Observed, version: int) -> Iterator[tuple[str, Packets, bool]]:
    """WireGuard's own UDP."""
    underlay = seen.links.egress_interface(version, desired.network.interface) or ""
    connects = any(_version(link.endpoint) == version for link in desired.links)
    incoming = frozenset({"new" if version in map(_version, _own_ends(desired)) else "established"})
    outgoing = frozenset({"new" if connects else "established"})
    for port in (desired.host.listen_port, *desired.ports.values()):
        new = Packets(f"receive UDP {port}", underlay, "", (), (), "udp", 0, port, incoming, version)
        yield "in", new, True
        new = Packets(f"send UDP from port {port}", "", underlay, (), (), "udp", port, 0, outgoing, version)
        yield "out", new, True
    for name, ip, its_port, port in _ends(desired, version):
        at, established = (network(ip),), frozenset({"established"})
        what = f"receive UDP of {name} ({ip})"
        yield "in", Packets(what, underlay, "", at, (), "udp", its_port, port, established, version), True
        what = f"send UDP to {name} ({ip})"
        yield "out", Packets(what, "", underlay, (), at, "udp", port, its_port, outgoing, version), True


def _inner(
    desired: Desired, seen: Observed, inside: tuple[IPNetwork, ...], version: int
) -> Iterator[tuple[str, Packets, bool]]:
    """What the tunnel carries."""
    rules = seen.firewall.rules.get(_table("filter", version), {})
    few = len(desired.links) <= MAX_PEERS and sum(map(len, rules.values())) <= MAX_RULES
    yield from _forwarded(desired, seen, inside, version, few=few)
    own = tuple(network(str(a)) for a in desired.host.addresses if a.version == version)
    for tunnel in desired.interfaces:
        replies = Packets(f"receive replies through {tunnel}", tunnel, "", inside, own, version=version)
        yield "in", replies._replace(states=frozenset({"established"})), False
        asks = Packets(f"send through {tunnel}", "", tunnel, own, inside, version=version)
        yield "out", asks._replace(states=frozenset({"new"})), False


def _table(name: str, version: int) -> str:
    """A table of iptables, or of ip6tables."""
    return name if version == 4 else f"{name}6"


def _ends(desired: Desired, version: int) -> Iterator[tuple[str, str, int, int]]:
    """Peers whose endpoint is an address: name, address, port, and the host's own port of the session."""
    links = desired.links if len(desired.links) <= MAX_PEERS else ()
    for link in links:
        ip = as_ip(link.endpoint.host) if link.endpoint else None
        if link.endpoint and ip and ip.version == version:
            own = desired.ports.get(link.interface, desired.host.listen_port)
            yield link.peer, str(ip), link.endpoint.port or DEFAULT_PORT, own


def _forwarded(
    desired: Desired, seen: Observed, inside: tuple[IPNetwork, ...], version: int, *, few: bool
) -> Iterator[tuple[str, Packets, bool]]:
    """Packets between peers, and between the tunnel and a LAN: pings, as they are the proof; and TCP."""
    ping = "icmp" if version == 4 else "ipv6-icmp"
    for one, other in desired.relayed_between if desired.forwards_between_peers else ():
        new = Packets(f"forward packets of {one}", one, other, inside, inside, ping, version=version)
        new = new._replace(states=frozenset({"new"}))
        yield "forward", new, True
        yield "forward", new._replace(what=f"forward TCP of {one}", protocol="tcp"), False
        for link in desired.links if few and one == other else ():
            nets = tuple(net for net in link.allowed_ips if net.version == version)
            yield "forward", new._replace(what=f"forward packets from {link.peer}", sources=nets), True
            yield "forward", new._replace(what=f"forward packets to {link.peer}", destinations=nets), True
    for lan in (real for lan in desired.lans if (real := desired.host.real(lan)).version == version):
        out = desired.host.lan_interface or seen.links.interface_into(lan) or ""
        for tunnel in desired.interfaces:
            new = Packets(f"forward packets of {tunnel}", tunnel, out, inside, (lan,), ping, version=version)
            into = new._replace(states=frozenset({"new"}))
            yield "forward", into, True
            yield "forward", into._replace(what=f"forward TCP of {tunnel}", protocol="tcp"), False
            back = Packets(f"forward packets to {tunnel}", out, tunnel, (lan,), inside, ping, version=version)
            yield "forward", back._replace(states=frozenset({"established"})), True


def _of_iptables(
    desired: Desired, seen: Observed, tables: Mapping[str, Chains], direction: str, packets: Packets, *, vital: bool
) -> Iterator[Refusal]:
    for place in IPTABLES[direction]:
        table, chain = place.split(" ")
        table = _table(table, packets.version)
        if chain not in tables.get(table, {}):
            continue
        # wgorch's own rule lets it in, before all others.
        listens = packets.protocol == "udp" and packets.version in map(_version, _own_ends(desired))
        if listens and place == "filter INPUT":
            continue
        chains, policy = tables[table], seen.firewall.policies.get((table, chain), "ACCEPT").lower()
        if not chains[chain] and policy != "drop":
            continue
        found = effect(chain, chains, packets, policy)
        if found.dropped is May.ALL:
            where = f"{tool(table)} table {table}, chain {chain},"
            yield Refusal(packets, where, found.rule, iptables_remedy(table, chain, found.rule, packets), vital)


def _of_nft(
    foreign: Iterable[tuple[BaseChain, Chains]], direction: str, packets: Packets, *, vital: bool
) -> Iterator[Refusal]:
    for chain, chains in foreign:
        if chain.hook not in NFT[direction] or packets.version not in VERSIONS.get(chain.family, ()):
            continue
        if chain.hook == "ingress" and chain.device and packets.interface_in not in chain.device:
            continue
        found = effect(chain.name, chains, packets, chain.policy)
        if found.dropped is May.ALL:
            where = f"chain {chain.name} of nft table {chain.table}"
            yield Refusal(packets, where, found.rule, nft_remedy(chain, packets), vital)
