"""Peering: which hosts are peers, and the next hop between any two.

Two hosts are peers if at least one of them has an endpoint. Two hosts without one reach each other through a relay. A
spoke (a host without an endpoint) has a session with every relay, each on an interface of its own, and uses the first that
answers; so have relays with each other. WireGuard drops a packet from a peer whose allowed-ips lack its source: an interface
for each relay lets a packet go out by one relay and its reply come back by another.

`links:` overrides this: `home -- [bcc2, bcc]` gives a spoke its relays and their order; `cloud -x- home` separates two
hosts that could be peers, so that they use a relay too. A direct peer bypasses the relay between two spokes whose NATs
allow it.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import chain, islice

from wgorch.base.ip import innermost
from wgorch.inventory.endpoint import Endpoint, Way
from wgorch.inventory.model import Host, Inventory, IPAddress, IPNetwork
from wgorch.topology.desired import WHOLE, Cut, DirectPeer

Versions = Mapping[str, frozenset[int]]
"""Versions of IP that hosts have a default route for."""


class Peering:
    """The peers of each host, and the next hop from any host to any other."""

    def __init__(
        self, inventory: Inventory, direct_peers: Mapping[str, Mapping[str, DirectPeer]], versions: Versions
    ) -> None:
        """Take the network, and what is known of its hosts.

        `direct_peers`: entries that bypass a relay, by the host that has the entry, then by the peer; `versions`: by which
        versions of IP each host that was read reaches the internet.
        """
        self.inventory = inventory
        self.direct_peers = direct_peers
        self.versions = versions
        self._own: dict[str, tuple[IPNetwork, ...]] = {}
        self._counts: dict[str, int] = {}

    @cached_property
    def hosts(self) -> Mapping[str, Host]:
        """The hosts, and the devices with a public key; a device is a spoke."""
        with_key = {name: device for name, device in self.inventory.devices.items() if device.public_key}
        return {**self.inventory.hosts, **with_key}

    @cached_property
    def relays(self) -> list[str]:
        """The relays, in the order of the file."""
        return [name for name, host in self.hosts.items() if host.relay]

    @cached_property
    def spokes(self) -> list[str]:
        """Hosts and devices without an endpoint."""
        return [name for name, host in self.hosts.items() if not host.endpoint]

    @cached_property
    def _reachable(self) -> list[str]:
        """Hosts with an endpoint, without the relays."""
        return [name for name, host in self.hosts.items() if host.endpoint and not host.relay]

    @cached_property
    def _names(self) -> list[str]:
        return list(self.hosts)

    @cached_property
    def _positions(self) -> Mapping[str, int]:
        return {name: position for position, name in enumerate(self._names)}

    def relay_of(self, name: str) -> str | None:
        """Return the preferred relay of a spoke; None for a host with an endpoint, or if there is no relay."""
        return next(iter(self.relays_of(name)), None)

    def relays_of(self, name: str) -> tuple[str, ...]:
        """Return the relays of a spoke, the preferred one first; none for a host with an endpoint. A device has one."""
        if self.hosts[name].endpoint:
            return ()
        return self._chosen_relays.get(name, self._usual_device if self.hosts[name].is_device else self._usual)

    @cached_property
    def _usual(self) -> tuple[str, ...]:
        return tuple(self.relays)

    @cached_property
    def _usual_device(self) -> tuple[str, ...]:
        return self._usual[:1]

    @cached_property
    def _chosen_relays(self) -> dict[str, tuple[str, ...]]:
        """The relays that `links:` gives to spokes, and those that devices name."""
        found: dict[str, tuple[str, ...]] = {}
        for rule in self.inventory.links:
            for spoke, relay in ((rule.one, rule.other), (rule.other, rule.one)) if rule.peering else ():
                if self.hosts[relay].relay and not self.hosts[spoke].endpoint:
                    found[spoke] = (*found.get(spoke, ()), relay)
        return found | {
            n: (device.chosen_relay,) for n, device in self.inventory.devices.items() if device.chosen_relay
        }

    @cached_property
    def _spokes_of(self) -> Mapping[str, list[str]]:
        """For each relay, the spokes that have a session with it."""
        found: dict[str, list[str]] = {relay: [] for relay in self.relays}
        for spoke in self.spokes:
            for relay in self.relays_of(spoke):
                found[relay].append(spoke)
        return found

    def interface_of(self, name: str, peer: str) -> str:
        """Return the interface of a host that has its entry for a peer."""
        network = self.inventory.network
        if peer not in self._relay_positions:
            return network.interface
        if self.hosts[name].relay:
            return network.relay_interface(self._relay_positions[peer])
        own = sorted(self.relays_of(name), key=self._relay_positions.__getitem__)
        return network.standby_interface(own.index(peer)) if peer in own else network.interface

    @cached_property
    def _relay_positions(self) -> Mapping[str, int]:
        return {name: position for position, name in enumerate(self.relays)}

    def has_several_interfaces(self, name: str) -> bool:
        """True for a relay beside others, and for a spoke of several relays."""
        return len(self.relays) > 1 if self.hosts[name].relay else len(self.relays_of(name)) > 1

    def ports_of(self, name: str) -> dict[str, int]:
        """Return the UDP ports of a host's interfaces other than the network's own."""
        host, network = self.hosts[name], self.inventory.network
        if not self.has_several_interfaces(name):
            return {}
        if host.relay:
            others = (relay for relay in self.relays if relay != name)
            return {self.interface_of(name, relay): self._relay_port(name, relay) for relay in others}
        first = host.standby_port or host.listen_port + 1
        return {network.standby_interface(n): first + n - 1 for n in range(1, len(self.relays_of(name)))}

    def _relay_port(self, name: str, other: str) -> int:
        """UDP port of a relay for another one."""
        host = self.hosts[name]
        return (host.relay_port or host.listen_port + 1) + self._relay_positions[other]

    def endpoint_for(self, peer: str, name: str) -> Endpoint | None:
        """Return the endpoint of a peer as a host connects to it; between relays it has a port of its own."""
        best = self._best_way(peer, name)
        endpoint = best.endpoint if best else None
        if endpoint and self.hosts[peer].relay and self.hosts[name].relay:
            return Endpoint(endpoint.host, self._relay_port(peer, name))
        return endpoint

    def endpoints_for(self, peer: str, name: str) -> list[Endpoint]:
        """Return every endpoint of a peer that a host may use."""
        return [way.endpoint for way in self._usable(peer, name)]

    def roams(self, peer: str, name: str) -> bool:
        """True where a peer's packets may come from elsewhere than its endpoint: WireGuard follows the last one.

        Two hosts that connect to each other by endpoints of different kinds; or a port that a router forwards to another.
        """
        there, back = self._best_way(peer, name), self._best_way(name, peer)
        if there is not None and not there.in_lan and there.endpoint.port != self.hosts[peer].listen_port:
            return True
        return there is not None and back is not None and (there.in_lan, there.version) != (back.in_lan, back.version)

    def _best_way(self, peer: str, name: str) -> Way | None:
        """Of several endpoints of a peer the best for a host: in the LAN of both, then by what the host can reach."""
        known = self.versions.get(name)

        def rank(way: Way) -> tuple[bool, bool]:
            out_of_reach = known is not None and way.version not in (0, *known)
            return not way.in_lan, out_of_reach and not way.in_lan

        return min(self._usable(peer, name), key=rank, default=None)

    def _usable(self, peer: str, name: str) -> list[Way]:
        return self.hosts[peer].ways_for(self.hosts[name])

    @cached_property
    def has_ways(self) -> bool:
        """True if a host has several endpoints, so that its peers may have different entries for it."""
        return any(host.ways for host in self.hosts.values())

    @cached_property
    def _neighbours(self) -> Mapping[str, tuple[str, ...]]:
        """For each spoke, those that it reaches without a relay, by an endpoint that is for some hosts only."""
        found: dict[str, list[str]] = defaultdict(list)
        spokes = self.spokes if self.has_ways else []
        for peer in (name for name in spokes if self.hosts[name].ways):
            for name in spokes:
                if name not in (peer, *found[peer]) and name not in self.separated(peer) and self._best_way(peer, name):
                    found[peer].append(name)
                    found[name].append(peer)
        return {name: tuple(others) for name, others in found.items()}

    @cached_property
    def _not_peering(self) -> Mapping[str, frozenset[str]]:
        """For each host, the hosts that `links: -x-` keeps from peering with it."""
        found: dict[str, set[str]] = defaultdict(set)
        for rule in self.inventory.links:
            if not rule.peering:
                found[rule.one].add(rule.other)
                found[rule.other].add(rule.one)
        return {name: frozenset(others) for name, others in found.items()}

    def separated(self, name: str) -> frozenset[str]:
        """Return the hosts that `links: -x-` keeps from peering with a host."""
        return self._not_peering.get(name, frozenset())

    def common_relay(self, name: str, target: str) -> str | None:
        """Return the relay between two separated hosts."""
        return self.relay_of(name) or self.relay_of(target) or (self.relays[0] if self.relays else None)

    def can_peer_directly(self, one: str, other: str) -> bool:
        """True for two hosts behind NAT that only a relay connects."""
        hosts = self.inventory.hosts
        if other in self._neighbours.get(one, ()) or other in self.separated(one):
            return False
        if one not in hosts or other not in hosts or one == other or hosts[one].endpoint or hosts[other].endpoint:
            return False
        return self.relay_of(one) is not None and self.relay_of(other) is not None

    def peers(self, name: str) -> Iterator[str]:
        """Yield the peers of a host."""
        host = self.hosts[name]
        if host.relay:
            return chain((relay for relay in self.relays if relay != name), self._reachable, self._spokes_of[name])
        separated = self.separated(name)
        if host.endpoint:
            position = self._positions[name]
            others = chain(islice(self._names, position), islice(self._names, position + 1, None))
            return (other for other in others if other not in separated) if separated else others
        reachable = (other for other in self._reachable if other not in separated)
        return chain(self.relays_of(name), reachable, self._neighbours.get(name, ()), self.direct_peers.get(name, ()))

    def peer_count(self, name: str) -> int:
        """Return the number of peers of a host."""
        if name not in self._counts:
            self._counts[name] = sum(1 for _ in self.peers(name))
        return self._counts[name]

    def next_hop(self, name: str, target: str) -> str | None:
        """Return the peer that gets a packet for `target` first while every relay works; None if there is no path."""
        return self._next_hop(name, target, "", WHOLE)

    def _next_hop(self, name: str, target: str, before: str, cut: Cut) -> str | None:
        """The same with sessions down, of a packet that the host `before` sent."""
        here, there = self.hosts[name], self.hosts[target]
        if here.relay:
            relays = self.relays_of(target)
            if not relays or name in relays:
                by_relay = bool(before) and self.hosts[before].relay
                others = (r for r in relays if (name, target) in cut and not by_relay and (r, target) not in cut)
                return next(others, target)
            return relays[0]
        if target in self.separated(name):
            return self.common_relay(name, target)
        if here.endpoint or (there.endpoint and not there.relay) or self._is_direct(name, target):
            return target
        return next((r for r in self.relays_of(name) if (r, name) not in cut), self.relay_of(name))

    def _is_direct(self, name: str, target: str) -> bool:
        """Whether a spoke sends to another one without a relay."""
        if target in self._neighbours.get(name, ()):
            return True
        direct_peer = self.direct_peers.get(name, {}).get(target)
        return direct_peer is not None and direct_peer.active

    def path(self, source: str, target: str, cut: Cut = WHOLE) -> list[str]:
        """Return the hosts that a packet passes, both ends included; empty if there is no path."""
        found = [source]
        while found[-1] != target:
            hop = self._next_hop(found[-1], target, found[-2] if len(found) > 1 else "", cut)
            if hop is None or hop in found:
                return []
            found.append(hop)
        return found

    def own_networks(self, name: str) -> tuple[IPNetwork, ...]:
        """Return a host's tunnel addresses and the LANs behind it."""
        found = self._own.get(name)
        if found is None:
            host = self.hosts[name]
            found = (*(ipaddress.ip_network(address) for address in host.addresses), *host.subnets)
            self._own[name] = found
        return found

    def network_of(self, address: IPAddress) -> IPNetwork | None:
        """Return the innermost network of all hosts that holds an address."""
        return innermost((net for name in self.hosts for net in self.own_networks(name)), address)
