"""From an inventory to each host's Desired: who dials whom, which way packets go, and who must forward them.

Two hosts peer directly where at least one of them can be dialled. Those who cannot dial each other meet at a relay:
every spoke has one relay (the first), relays peer with each other, and a spoke leaves the other relays to its own, so
that a packet comes back the way it went. WireGuard drops a packet that arrives from a peer whose allowed-ips lack its
source, so ways must be symmetric; that is why there is one relay a spoke, and not a choice per packet.

`links:` overrides this: `home -- bcc2` gives a spoke another relay, `cloud -x- home` parts two hosts that could dial
each other, so that they meet at a relay as well. A shortcut leaves the relay out between two spokes whose NATs let them.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, islice

from wgorch.inventory.model import Host, Inventory, IPNetwork
from wgorch.topology.desired import Desired, DirectPeer, Link, Masquerade
from wgorch.topology.prefixes import EVERYTHING, merged, ordered


@dataclass
class Topology:
    """All hosts' ways to each other. `shortcuts`: by the host that has the entry, and whom it is for."""

    inventory: Inventory
    direct_peers: Mapping[str, Mapping[str, DirectPeer]] = field(default_factory=dict)
    _links: dict[tuple[int, bool], _Links] = field(default_factory=dict, repr=False)
    _own: dict[str, tuple[IPNetwork, ...]] = field(default_factory=dict, repr=False)
    _counts: dict[str, int] = field(default_factory=dict, repr=False)
    _desired: dict[str, Desired] = field(default_factory=dict, repr=False)

    @cached_property
    def hosts(self) -> Mapping[str, Host]:
        """The hosts, and the devices whose keys are known; a device is a spoke like any other."""
        known = {name: device for name, device in self.inventory.devices.items() if device.public_key}
        return {**self.inventory.hosts, **known}

    @cached_property
    def _names(self) -> list[str]:
        return list(self.hosts)

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {name: place for place, name in enumerate(self._names)}

    @cached_property
    def relays(self) -> list[str]:
        return [name for name, host in self.hosts.items() if host.relay]

    @cached_property
    def _dialable(self) -> list[str]:
        """Hosts with an endpoint that are no relays."""
        return [name for name, host in self.hosts.items() if host.endpoint and not host.relay]

    @cached_property
    def _spokes(self) -> list[str]:
        return [name for name, host in self.hosts.items() if not host.endpoint]

    def can_peer_directly(self, one: str, other: str) -> bool:
        """True for two hosts behind NAT that only a relay connects."""
        hosts = self.inventory.hosts
        if one not in hosts or other not in hosts or one == other or hosts[one].endpoint or hosts[other].endpoint:
            return False
        return self.relay_of(one) is not None and self.relay_of(other) is not None

    def relay_of(self, name: str) -> str | None:
        """The relay through which a spoke reaches those it cannot dial."""
        if self.hosts[name].endpoint or not self.relays:
            return None
        return self._chosen.get(name, self.relays[0])

    @cached_property
    def _chosen(self) -> dict[str, str]:
        """The relay of each spoke to which `links:` gives one."""
        pairs = [(r.one, r.other) for r in self.inventory.links if r.wanted]
        both_ways = (*pairs, *((other, one) for one, other in pairs))
        return {
            spoke: relay for spoke, relay in both_ways if self.hosts[relay].relay and not self.hosts[spoke].endpoint
        }

    @cached_property
    def _parted(self) -> Mapping[str, frozenset[str]]:
        """For each host those that `links:` keeps it from dialling."""
        found: dict[str, set[str]] = defaultdict(set)
        for rule in self.inventory.links:
            if not rule.wanted:
                found[rule.one].add(rule.other)
                found[rule.other].add(rule.one)
        return {name: frozenset(others) for name, others in found.items()}

    def _apart(self, name: str) -> frozenset[str]:
        return self._parted.get(name, frozenset())

    def _meeting(self, name: str, target: str) -> str | None:
        """The relay at which two parted hosts meet."""
        return self.relay_of(name) or self.relay_of(target) or (self.relays[0] if self.relays else None)

    def peers(self, name: str) -> Iterator[str]:
        """The hosts that this host has a session with."""
        host = self.hosts[name]
        if host.relay:
            yield from (relay for relay in self.relays if relay != name)
            yield from self._dialable
            yield from (spoke for spoke in self._spokes if self.relay_of(spoke) == name)
        elif host.endpoint:
            apart, names, place = self._apart(name), self._names, self._places[name]
            others = chain(islice(names, place), islice(names, place + 1, None))
            yield from (other for other in others if other not in apart) if apart else others
        else:
            relay = self.relay_of(name)
            if relay:
                yield relay
            apart = self._apart(name)
            yield from (other for other in self._dialable if other not in apart)
            yield from self.direct_peers.get(name, ())

    def peer_count(self, name: str) -> int:
        """How many sessions a host has; counted once."""
        if name not in self._counts:
            self._counts[name] = sum(1 for _ in self.peers(name))
        return self._counts[name]

    def next_hop(self, name: str, target: str) -> str | None:
        """The peer that gets a packet for `target` first; None where there is no way."""
        here, there = self.hosts[name], self.hosts[target]
        if here.relay:
            home = self.relay_of(target)
            return target if home in (None, name) else home
        if target in self._apart(name):
            return self._meeting(name, target)
        if here.endpoint or (there.endpoint and not there.relay) or self._carries(name, target):
            return target
        return self.relay_of(name)

    def _carries(self, name: str, target: str) -> bool:
        direct_peer = self.direct_peers.get(name, {}).get(target)
        return direct_peer is not None and direct_peer.active

    def own_networks(self, name: str) -> tuple[IPNetwork, ...]:
        """A host's address in the tunnel and the LANs behind it."""
        found = self._own.get(name)
        if found is None:
            host = self.hosts[name]
            found = (*(ipaddress.ip_network(address) for address in host.addresses), *host.subnets)
            self._own[name] = found
        return found

    def path(self, source: str, target: str) -> list[str]:
        """The hosts that a packet passes, both ends included; empty where there is no way."""
        way = [source]
        while way[-1] != target:
            hop = self.next_hop(way[-1], target)
            if hop is None or hop in way:
                return []
            way.append(hop)
        return way

    def desired(self, name: str) -> Desired:
        """One host's part of it all. Cost grows with the peers this host has and the LANs there are."""
        found = self._desired.get(name)
        if found is None:
            found = self._desired[name] = self._make_desired(name)
        return found

    def _make_desired(self, name: str) -> Desired:
        host = self.hosts[name]
        remote = self._remote_lans(name)
        lans = tuple(host.subnets)
        sources = merged((*self.inventory.network.subnets, *remote)) if lans and host.masquerade else []
        links = tuple(self._links_of(name))
        leaving = [net for other in self._leaving.get(name, ()) for net in self.own_networks(other)]
        return Desired(
            host=host,
            network=self.inventory.network,
            links=links,
            routes=remote,
            forwards_between_peers=host.relay,
            lans=lans,
            masquerade=tuple(
                Masquerade(source, lan) for lan in lans for source in sources if source.version == lan.version
            ),
            leaving=ordered(leaving),
            fall_backs=tuple(self._fall_backs(name)),
            addresses_of_peers={
                link.peer: self.hosts[link.peer].address
                for link in (links if self._named_ends else ())
                if link.peer in self._named_ends
            },
        )

    @cached_property
    def _named_ends(self) -> frozenset[str]:
        """The hosts whose endpoint is a name, which may become another address."""
        ends = ((name, host.endpoint) for name, host in self.hosts.items())
        return frozenset(name for name, end in ends if end and not end.is_address)

    def _fall_backs(self, name: str) -> Iterator[tuple[str, Link]]:
        carrying = [peer for peer, direct_peer in self.direct_peers.get(name, {}).items() if direct_peer.active]
        relay = self.relay_of(name)
        entry = self.without_direct_peers.desired(name).link(relay) if carrying and relay else None
        if entry is not None:
            yield from ((peer, entry) for peer in carrying)

    @cached_property
    def without_direct_peers(self) -> Topology:
        """The ways as they are after a start, when nobody knows yet where the world sees whom."""
        return Topology(self.inventory) if self.direct_peers else self

    @cached_property
    def _leaving(self) -> Mapping[str, list[str]]:
        """For each host those that go out into the world through it."""
        found: dict[str, list[str]] = defaultdict(list)
        for name, host in self.hosts.items():
            if host.exit:
                found[host.exit].append(name)
        return found

    @cached_property
    def _gateways(self) -> list[Host]:
        return [host for host in self.hosts.values() if host.subnets]

    def _remote_lans(self, name: str) -> tuple[IPNetwork, ...]:
        return tuple(
            lan
            for host in self._gateways
            if host.name != name and self.next_hop(name, host.name) is not None
            for lan in host.subnets
        )

    def _links_of(self, name: str) -> Iterator[Link]:
        host = self.hosts[name]
        keepalive = 0 if host.endpoint else host.persistent_keepalive
        behind = self._behind(name)
        direct_peers = self.direct_peers.get(name, {})
        secrets = self.inventory.network.preshared_keys and not host.is_device
        if (keepalive, secrets) not in self._links:
            self._links[keepalive, secrets] = _Links(self, keepalive, secrets)
        links = self._links[keepalive, secrets]
        if not (behind or direct_peers or host.exit):
            yield from map(links.__getitem__, self.peers(name))
            return
        for peer in self.peers(name):
            through = behind.get(peer)
            secret = secrets and not self.hosts[peer].is_device
            direct_peer = direct_peers.get(peer)
            if host.exit == peer:
                yield Link(peer, EVERYTHING, self.hosts[peer].endpoint, keepalive, secret)
            elif direct_peer is not None:
                nets = ordered(self.own_networks(peer)) if direct_peer.active else ()
                yield Link(peer, nets, direct_peer.endpoint, keepalive or 25, secret)
            elif through is None:
                yield links[peer]
            else:
                yield Link(peer, ordered(through), self.hosts[peer].endpoint, keepalive, secret)

    def _behind(self, name: str) -> dict[str, list[IPNetwork]]:
        """What lies behind those peers of `name` that forward for others."""
        host = self.hosts[name]
        behind: dict[str, list[IPNetwork]] = defaultdict(list)
        if host.relay:
            for spoke in self._spokes:
                home = self.relay_of(spoke)
                if home is not None and home != name:
                    behind[home].extend(self.own_networks(spoke))
            for relay in list(behind):
                behind[relay][:0] = self.own_networks(relay)
        elif host.endpoint:
            for other in sorted(self._apart(name)):
                meeting = self._meeting(name, other)
                if meeting is not None:
                    behind[meeting].extend(self.own_networks(other))
            for relay in list(behind):
                behind[relay][:0] = self.own_networks(relay)
        else:
            uplink = self.relay_of(name)
            if uplink:
                # The whole tunnel network: a host that joins later changes nothing here, and a direct peer's own
                # address is more specific.
                behind[uplink].extend(self.inventory.network.subnets)
                for gateway in self._gateways:
                    if gateway.name != name and self.next_hop(name, gateway.name) == uplink:
                        behind[uplink].extend(gateway.subnets)
        return behind


class _Links(dict[str, Link]):
    """The entry of each peer for all hosts that see it alike: a full mesh needs N of them, not N²."""

    def __init__(self, topology: Topology, keepalive: int, secrets: bool) -> None:
        self._topology, self._keepalive, self._secrets = topology, keepalive, secrets

    def __missing__(self, peer: str) -> Link:
        host = self._topology.hosts[peer]
        nets = ordered(self._topology.own_networks(peer))
        made = self[peer] = Link(peer, nets, host.endpoint, self._keepalive, self._secrets and not host.is_device)
        return made


def build(inventory: Inventory, direct_peers: Mapping[str, Mapping[str, DirectPeer]] | None = None) -> Topology:
    """The ways of an inventory's network."""
    return Topology(inventory, direct_peers or {})
