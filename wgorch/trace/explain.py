"""From what every host saw of a probe to the place where it stopped, and why; pure.

The packet's way is followed as the network wants it. Where the next place saw the packet, all before it is proven and
nothing of it is judged; the first place that did not is asked for its cause. So of two faults the first one is named.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from wgorch.base.ip import Prefixes, as_ip, network
from wgorch.base.value import value
from wgorch.facts.observed import Observed
from wgorch.inventory.model import IPAddress, IPNetwork
from wgorch.plan.target import lan_interface_of
from wgorch.state.rules import our_chains
from wgorch.state.wireguard import Peer
from wgorch.topology.path import walk
from wgorch.topology.topology import Topology
from wgorch.trace.observe import Probe, Seen, Sight
from wgorch.verify.diagnose import Finding

STALE_S = 180
"""A session without a newer handshake is dead: WireGuard's own REJECT_AFTER_TIME."""


@value
class Step:
    """The packet on one card. `seen`: None where nothing there could observe it."""

    kind: str
    host: str
    card: str
    direction: str
    seen: bool | None
    source: str = ""
    destination: str = ""


@value
class Trace:
    """A packet's way and its answer's, as they were seen, and the first thing that is wrong."""

    probe: Probe
    hosts: tuple[str, ...]
    steps: tuple[Step, ...]
    finding: Finding | None
    unobserved: tuple[str, ...] = ()
    seen: Mapping[str, Seen] = field(default_factory=dict, repr=False)

    @property
    def arrives(self) -> bool:
        return self.finding is None


def explain(
    topology: Topology,
    observed: Mapping[str, Observed],
    keys: Mapping[str, str],
    seen: Mapping[str, Seen],
    probe: Probe,
    source: str,
    comes_by: str = "",
) -> Trace:
    """The whole way, and what is wrong with it.

    `source` is the host that sends; or, with the card that its packets come in by, the first host behind the sender.
    """
    way = walk(topology, source, probe.target, origin=probe.source)
    hosts = way.hosts
    if way.dropped:
        return Trace(probe, hosts, (), Finding(source, way.dropped, "wgorch check"), seen=seen)
    judge = _Judge(topology, observed, keys, seen, probe, hosts, comes_by)
    steps: list[Step] = []
    finding = None
    kinds = ["request", "reply"]
    if probe.full_size and all(s.answered for s in seen.values() if s.answered is not None):
        kinds += ["request-full", "reply-full"]
    for kind in kinds:
        finding = judge.follow(kind, steps)
        if finding:
            break
    own = seen.get(source)
    if finding is None and own is not None and own.answered is False:
        finding = judge.nothing_seen()
    if finding is None and own is not None and own.full_answered is False:
        finding = judge.too_large(None)
    blind = tuple(host for host, s in seen.items() if not s.by)
    return Trace(probe, hosts, tuple(steps), finding, blind, seen)


@dataclass
class _Judge:
    topology: Topology
    observed: Mapping[str, Observed]
    keys: Mapping[str, str]
    seen: Mapping[str, Seen]
    probe: Probe
    hosts: tuple[str, ...]
    comes_by: str = ""

    def __post_init__(self) -> None:
        self.tunnel = self.topology.inventory.network.interface
        last = self.topology.desired(self.hosts[-1])
        self.lan: IPNetwork | None = next((lan for lan in last.lans if self.probe.target in lan), None)
        if self.probe.target in last.host.addresses:
            self.lan = None
        self.lan_interface_of = lan_interface_of(last, self.observed[last.name], self.lan) if self.lan else ""

    # --- the way

    def follow(self, kind: str, steps: list[Step]) -> Finding | None:
        """Follow one packet; the first thing that is wrong on its way."""
        back = kind.startswith("reply")
        hosts = self.hosts[::-1] if back else self.hosts
        places = list(self._places(hosts, back=back))
        proven = max((i for i, place in enumerate(places) if self._sights(kind, *place)), default=-1)
        if self._answered(kind):
            proven = len(places)
        for i, (host, card, direction) in enumerate(places):
            sights = self._sights(kind, host, card, direction)
            blind = not self.seen[host].by if host in self.seen else True
            first = sights[0] if sights else Sight(card, "", "")
            known = True if sights else (None if blind or i < proven else False)
            steps.append(Step(kind, host, card, direction, known, first.source, first.destination))
            if i <= proven:
                continue
            if finding := self._cause(kind, places, i, hosts):
                return finding
            if known is False:
                return self._lost(kind, places, i)
        return None

    def _answered(self, kind: str) -> bool:
        source = self.seen.get(self.hosts[0])
        return source is not None and bool(source.full_answered if kind.endswith("-full") else source.answered)

    def _places(self, hosts: tuple[str, ...], *, back: bool) -> Iterator[tuple[str, str, str]]:
        """Where the packet comes by, in order: host, card, direction."""
        if back and self.lan:
            yield hosts[0], self.lan_interface_of, "in"
        if self.comes_by and not back:
            yield hosts[0], self.comes_by, "in"
        for i, host in enumerate(hosts):
            if i > 0:
                yield host, self.tunnel, "in"
            if i < len(hosts) - 1:
                yield host, self.tunnel, "out"
        if not back and self.lan:
            yield hosts[-1], self.lan_interface_of, "out"
        if self.comes_by and back:
            yield hosts[-1], self.comes_by, "out"

    def _sights(self, kind: str, host: str, card: str, direction: str) -> tuple[Sight, ...]:
        return self.seen[host].problem(kind, direction, card) if host in self.seen else ()

    def _ends(self, kind: str) -> tuple[IPAddress, IPAddress]:
        one, other = self.probe.source, self.probe.target
        return (other, one) if kind.startswith("reply") else (one, other)

    # --- causes

    def _cause(self, kind: str, places: list[tuple[str, str, str]], i: int, hosts: tuple[str, ...]) -> Finding | None:
        """Why the packet did not come to its i-th place, where that can be read from what is there."""
        host, card, direction = places[i]
        before = places[i - 1] if i else None
        if before and before[0] != host:
            return self._leg(kind, before[0], host)
        if direction == "in" and before is None and kind.startswith("request"):
            what = f"nothing from {self.probe.source} to {self.probe.target} came in by {card} while it was watched"
            return Finding(host, what, f"was it sent? if so: does {self.probe.source} send it by way of {host}?")
        if direction == "in":  # from a machine in the LAN
            return self._no_answer(kind, host)
        if before is None:
            return self._begins(kind, host)
        return self._passes(kind, host, before[1], card)

    def _begins(self, kind: str, host: str) -> Finding | None:
        """The packet's own source sends it into the tunnel."""
        if host not in self.observed:  # a device; whether it answered is seen at its peer
            return None
        if finding := self._interface(host):
            return finding
        _, target = self._ends(kind)
        route = self.observed[host].route_to(target)
        if (
            kind.startswith("request")
            and self.seen[host].route
            and f"dev {self.tunnel} " not in self.seen[host].route + " "
        ):
            leads = f"it leaves by {route.card}" if route else "there is none"
            what = f"no route to {self._net(target)} into the tunnel: {leads}"
            return Finding(
                host, what, f"ip route replace {self._net(target)} dev {self.tunnel} proto 119, or wgorch up"
            )
        return self._verdict(host) or self._entry(host, target)

    def _interface(self, host: str) -> Finding | None:
        card = self.observed[host].cards.get(self.tunnel)
        if card is None:
            return Finding(host, f"there is no interface {self.tunnel}", "wgorch up")
        if not card.up:
            return Finding(host, f"{self.tunnel} is down", f"ip link set {self.tunnel} up, or wgorch up")
        return None

    def _entry(self, host: str, target: IPAddress) -> Finding | None:
        """The allowed-ips that lead to the target."""
        hop = self._next(host, target)
        peer = self._peer_for(host, target)
        if hop is None or (peer is not None and self._name(peer) == hop):
            return None
        if peer is None or self._name(peer) in self.keys:
            holder = f"; peer {self._name(peer)} has it" if peer else ""
            net = self._net(target)
            what = f"peer {hop} lacks {net} in its allowed-ips{holder}"
            return Finding(host, what, f"wg set {self.tunnel} peer {self._key(hop)} allowed-ips +{net}, or wgorch up")
        what = f"its entry for {hop} has the key {peer.public_key[:8]}…, but {hop} has {self.keys.get(hop, '')[:8]}…"
        return Finding(host, what, "wgorch up")

    def _leg(self, kind: str, here: str, there: str) -> Finding | None:
        """From one host's tunnel interface to the next one's."""
        source, target = self._ends(kind)
        if there not in self.observed:
            return self._interface(here) or self._entry(here, target) or self._no_device(here, there)
        if here not in self.observed:
            return self._interface(there) or self._no_device(there, here)
        for host in (here, there):
            if finding := self._interface(host):
                return finding
        if finding := self._entry(here, target):
            return finding
        back = self._entry_of(there, here)
        if back is None:
            what = f"it knows no peer with {here}'s key {self.keys.get(here, '')[:8]}…"
            return Finding(there, what, "wgorch up")
        if not any(
            source in net for net in map(ipaddress.ip_network, back.allowed_ips) if net.version == source.version
        ):
            net = self._net(source)
            what = f"peer {here} lacks {net} in its allowed-ips, so it drops what comes from there"
            return Finding(there, what, f"wg set {self.tunnel} peer {self._key(here)} allowed-ips +{net}, or wgorch up")
        if finding := self._endpoint(here, there) or self._endpoint(there, here):
            return finding
        if kind.endswith("-full"):
            return self.too_large((here, there))
        return self._udp(here, there)

    def _no_device(self, host: str, device: str) -> Finding:
        """A packet that went to a device, or should have come from one; nobody can look there."""
        age = self._age(host, device)
        if age is None or age > STALE_S:
            what = f"there is no living session with {device}"
            return Finding(
                host, what, f"is the tunnel of {device} on, and has it its file of now (wgorch export {device})?"
            )
        what = f"{device} has a session with it but does not answer; what happens there cannot be observed"
        return Finding(host, what, f"does {device} answer pings?")

    def _endpoint(self, here: str, there: str) -> Finding | None:
        """The place where a host sends WireGuard's UDP for another one."""
        wanted = self.topology.hosts[there].endpoint
        entry = self._entry_of(here, there)
        if wanted is None or entry is None or as_ip(wanted.host) is None:
            return None
        if entry.endpoint and entry.endpoint != str(wanted):
            if self.seen[here].endpoints.get(entry.public_key, entry.endpoint) == str(wanted):
                return None
            hint = f"wg set {self.tunnel} peer {self._key(there)} endpoint {wanted}, or wgorch up"
            return Finding(here, f"it dials {there} at {entry.endpoint}, not at {wanted}", hint)
        return None

    def _udp(self, here: str, there: str) -> Finding | None:
        """Whether WireGuard's own packets come through between two hosts, each way."""
        for one, other in ((here, there), (there, here)):
            sender, receiver = self.seen.get(one), self.seen.get(other)
            if sender is None or receiver is None or "nft" not in (sender.by, receiver.by):
                continue
            sent = self._outer_to(one, other)
            if sent and sender.by == "nft" and receiver.by == "nft" and not self._outer_from(other, one):
                port = self.topology.hosts[other].listen_port
                what = f"WireGuard's UDP from {one} to {other} is lost on the way: {one} sends it, {other} sees none"
                hint = f"let UDP {port} through between them: firewalls and routers at {one} and at {other}"
                return Finding(other if self.topology.hosts[other].endpoint else one, what, hint)
        stale = [
            one
            for one, other in ((here, there), (there, here))
            if self._age(one, other) is None or (self._age(one, other) or 0) > STALE_S
        ]
        if stale:
            what = f"there is no living session between {here} and {there}"
            return Finding(stale[0], what, "is UDP let through between them? wgorch verify")
        return None

    def _outer_to(self, one: str, other: str) -> bool:
        seen, entry = self.seen[one], self._entry_of(one, other)
        place = seen.endpoints.get(entry.public_key, "") if entry else ""
        return any(sight.destination == _machine(place) for sight in seen.outer.get("out", ()))

    def _outer_from(self, here: str, sender: str) -> bool:
        """Whether a host saw UDP that may come from another one: from where it knows it, or from where it must be."""
        seen, entry = self.seen[here], self._entry_of(here, sender)
        known = {_machine(seen.endpoints.get(entry.public_key, ""))} if entry else set()
        wanted = self.topology.hosts[sender].endpoint
        if wanted:
            known.add(wanted.host)
        known.discard("")
        known.discard("(none)")
        sights = seen.outer.get("in", ())
        return any(s.source in known for s in sights) if known else bool(sights)

    def _age(self, host: str, peer: str) -> int | None:
        seen, entry = self.seen[host], self._entry_of(host, peer)
        moment = seen.handshakes.get(entry.public_key, 0) if entry else 0
        return seen.clock - moment if moment else None

    def _passes(self, kind: str, host: str, came_by: str, leaves_by: str) -> Finding | None:
        """Through a host, from one card to another."""
        source, target = self._ends(kind)
        observed = self.observed[host]
        card = observed.cards.get(leaves_by)
        if card is None or not card.up:
            return Finding(
                host, f"{leaves_by} is {'not there' if card is None else 'down'}", f"ip link set {leaves_by} up"
            )
        if finding := self._verdict(host):
            return finding
        family = f"ipv{target.version}"
        if target.version == 4:
            forwards = observed.sysctls.get(f"net/ipv4/conf/{came_by}/forwarding") == "1"
        else:
            forwards = "1" in (
                observed.sysctls.get("net/ipv6/conf/all/forwarding"),
                observed.sysctls.get(f"net/ipv6/conf/{came_by}/force_forwarding"),
            )
        if not forwards:
            name = "forwarding" if target.version == 4 else "force_forwarding"
            what = f"forwarding is off on {came_by}: what comes in there is not passed on"
            return Finding(host, what, f"sysctl net.{family}.conf.{came_by}.{name}=1, or wgorch up")
        if finding := self._reverse_path(host, source, came_by):
            return finding
        route = observed.route_to(target)
        if route is None or route.card != leaves_by:
            leads = f"leaves by {route.card}" if route else "has no way"
            return Finding(host, f"no route to {target} by {leaves_by}: it {leads}", "wgorch up")
        return self._policy(host, target.version)

    def _reverse_path(self, host: str, source: IPAddress, came_by: str) -> Finding | None:
        observed = self.observed[host]
        if source.version == 6:
            return None
        modes = [observed.sysctls.get(f"net/ipv4/conf/{name}/rp_filter", "0") for name in ("all", came_by)]
        route = observed.route_to(source)
        if max(modes) == "1" and (route is None or route.card != came_by):
            leads = f"by {route.card}" if route else "nowhere"
            what = f"strict reverse-path filter on {came_by}: {source} comes in there, but the way back leads {leads}"
            return Finding(host, what, f"sysctl net.ipv4.conf.{came_by}.rp_filter=2 (and all), or a route back")
        return None

    def _verdict(self, host: str) -> Finding | None:
        """What nft said that it dropped."""
        seen = self.seen.get(host)
        counted = [p for p in seen.counted if not p.split(" ")[1].startswith(("INPUT", "OUTPUT"))] if seen else []
        if seen is None or not (seen.verdicts or counted):
            return None
        place = seen.verdicts[0] if seen.verdicts else counted[0]
        table, _, rule = place.partition(": ")
        hint = "look at that rule: nft -a list ruleset"
        if rule == "policy drop":
            gone = self._jump_gone(host)
            reason = f"its policy, and the jump to {gone} is gone" if gone else "its policy; no rule let it pass"
            return Finding(host, f"the firewall drops it: {table} by {reason}", "wgorch up" if gone else hint)
        return Finding(host, f"the firewall stops it: {table}, rule “{rule}”", hint)

    def _jump_gone(self, host: str) -> str:
        """The chain of ours that should be reached from FORWARD and is not, or nothing."""
        network = self.topology.inventory.network
        chain = our_chains(network, self.probe.target.version)[0]
        return "" if self.observed[host].state(network).jumps.get(chain) else chain.name

    def _policy(self, host: str, version: int) -> Finding | None:
        """Without nft: what FORWARD does by policy where nothing of ours is reached."""
        observed = self.observed[host]
        table = "filter" if version == 4 else "filter6"
        gone = self._jump_gone(host)
        if observed.policies.get((table, "FORWARD")) == "DROP" and gone:
            what = f"the firewall drops it: FORWARD by its policy, and the jump to {gone} is gone"
            return Finding(host, what, "wgorch up")
        return None

    def _no_answer(self, kind: str, host: str) -> Finding | None:
        """The request left for the LAN; no answer came in."""
        sights = self._sights(kind.replace("reply", "request"), host, self.lan_interface_of, "out")
        target, left_as = self.probe.target, sights[0].source if sights else ""
        neighbour = self.seen[host].neighbour if host in self.seen else ""
        if "FAILED" in neighbour or "INCOMPLETE" in neighbour:
            return Finding(
                host,
                f"{target} is not there: nobody in the LAN behind {self.lan_interface_of} answers for it",
                "is it up?",
            )
        masquerade = self.topology.hosts[host].masquerade
        if left_as == str(self.probe.source):
            own_kind = (n for n in self.topology.inventory.network.subnets if n.version == target.version)
            net = next(own_kind, self.topology.inventory.network.subnet)
            if masquerade:
                what = f"no masquerade: it enters the LAN as {left_as}, and {target} knows no way back there"
                return Finding(host, what, "wgorch up")
            cards = self.observed[host].addresses
            own = next(
                (a.ip for card, a in cards if card == self.lan_interface_of and a.version == target.version), host
            )
            what = f"{target} was reached as {left_as} and does not answer: it has no way back to {net}"
            return Finding(host, what, f"on {target} or its router: ip route add {net} via {own}; or masquerade: true")
        if not sights:
            what = f"no answer from {target}; whether the packet left for it was not observed"
            return Finding(host, what, f"is {target} up, and does it answer {host}?")
        what = f"{target} got it ({left_as} > {target} out of {self.lan_interface_of}) and does not answer"
        return Finding(host, what, f"a firewall on {target}, no way back there, or nothing that listens")

    def _lost(self, kind: str, places: list[tuple[str, str, str]], i: int) -> Finding:
        """Somewhere between two places, and nothing says why."""
        host, card, direction = places[i]
        was = f"out of {places[i - 1][0]}.{places[i - 1][1]}" if i and places[i - 1][2] == "out" else ""
        was = was or (f"into {places[i - 1][0]}.{places[i - 1][1]}" if i else "nowhere")
        word = "the answer" if kind.startswith("reply") else "the packet"
        what = f"{word} was seen {was}, and not {'out of' if direction == 'out' else 'into'} {host}.{card}; why, was not observed"
        return Finding(host, what, "wgorch trace --pcap DIR keeps what passes there")

    def too_large(self, leg: tuple[str, str] | None) -> Finding:
        """Small packets pass, those of the tunnel's full size do not."""
        mtu = self.probe.full_size + (28 if self.probe.target.version == 4 else 48)
        where = f"between {leg[0]} and {leg[1]}" if leg else "on the way"
        host = leg[0] if leg else self.hosts[0]
        what = f"the MTU {mtu} is too large: packets of that size are lost {where}, and nothing comes back that says so"
        return Finding(host, what, f"mtu: {max(1280, mtu - 80)} under network, or a way that carries {mtu + 80} bytes")

    def nothing_seen(self) -> Finding | None:
        """No answer, and no tool on any host that could have seen where it stopped."""
        for kind in ("request", "reply"):
            back = kind == "reply"
            hosts = self.hosts[::-1] if back else self.hosts
            places = list(self._places(hosts, back=back))
            for i in range(len(places)):
                if finding := self._cause(kind, places, i, hosts):
                    return finding
        return Finding(
            self.hosts[0],
            f"no answer from {self.probe.target}, and nothing could be observed",
            "install nft or tcpdump there",
        )

    # --- names

    def _next(self, host: str, target: IPAddress) -> str | None:
        way = walk(self.topology, host, target).hosts
        return way[1] if len(way) > 1 else None

    def _peer_for(self, host: str, target: IPAddress) -> Peer | None:
        peers = self.observed[host].peers.values()
        return Prefixes((network(net), peer) for peer in peers for net in peer.allowed_ips).of(target)

    def _entry_of(self, host: str, peer: str) -> Peer | None:
        return self.observed[host].peers.get(self.keys.get(peer, ""))

    def _name(self, peer: Peer) -> str:
        return next((name for name, key in self.keys.items() if key == peer.public_key), peer.public_key[:8] + "…")

    def _key(self, host: str) -> str:
        return self.keys.get(host, "KEY")

    def _net(self, address: IPAddress) -> str:
        nets = (n for name in self.topology.hosts for n in self.topology.own_networks(name) if address in n)
        return str(next(nets, address))


def _machine(endpoint: str) -> str:
    return endpoint.rpartition(":")[0].strip("[]")
