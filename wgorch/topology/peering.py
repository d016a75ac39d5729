"""Peering: which hosts are peers, and the next hop between any two.

Two hosts are peers if at least one of them has an endpoint. Two hosts without one reach each other through a relay. A
spoke (a host without an endpoint) has one relay, by default the first; relays are peers of each other, and a spoke is no
peer of the relays that are not its own. Request and reply so take the same path: WireGuard drops a packet from a peer
whose allowed-ips lack its source, so paths must be symmetric.

`links:` overrides this: `home -- bcc2` gives a spoke another relay; `cloud -x- home` separates two hosts that could be
peers, so that they use a relay too. A direct peer bypasses the relay between two spokes whose NATs allow it.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import chain, islice

from wgorch.base.ip import innermost
from wgorch.inventory.model import Host, Inventory, IPAddress, IPNetwork
from wgorch.topology.desired import DirectPeer


class Peering:
    """The peers of each host, and the next hop from any host to any other."""

    def __init__(self, inventory: Inventory, direct_peers: Mapping[str, Mapping[str, DirectPeer]]) -> None:
        """Take the network, and the entries that bypass a relay: by the host that has the entry, then by the peer."""
        self.inventory = inventory
        self.direct_peers = direct_peers
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
        """Return the relay of a spoke; None for a host with an endpoint, or if there is no relay."""
        if self.hosts[name].endpoint or not self.relays:
            return None
        return self._chosen_relays.get(name, self.relays[0])

    @cached_property
    def _chosen_relays(self) -> dict[str, str]:
        """The relays that `links:` gives to spokes, and those that devices name."""
        pairs = [(rule.one, rule.other) for rule in self.inventory.links if rule.peering]
        both = (*pairs, *((other, one) for one, other in pairs))
        by_links = {spoke: relay for spoke, relay in both if self.hosts[relay].relay and not self.hosts[spoke].endpoint}
        return by_links | {
            n: device.chosen_relay for n, device in self.inventory.devices.items() if device.chosen_relay
        }

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
        if one not in hosts or other not in hosts or one == other or hosts[one].endpoint or hosts[other].endpoint:
            return False
        return self.relay_of(one) is not None and self.relay_of(other) is not None

    def peers(self, name: str) -> Iterator[str]:
        """Yield the peers of a host."""
        host = self.hosts[name]
        if host.relay:
            own_spokes = (spoke for spoke in self.spokes if self.relay_of(spoke) == name)
            return chain((relay for relay in self.relays if relay != name), self._reachable, own_spokes)
        separated = self.separated(name)
        if host.endpoint:
            position = self._positions[name]
            others = chain(islice(self._names, position), islice(self._names, position + 1, None))
            return (other for other in others if other not in separated) if separated else others
        relay = self.relay_of(name)
        reachable = (other for other in self._reachable if other not in separated)
        return chain((relay,) if relay else (), reachable, self.direct_peers.get(name, ()))

    def peer_count(self, name: str) -> int:
        """Return the number of peers of a host."""
        if name not in self._counts:
            self._counts[name] = sum(1 for _ in self.peers(name))
        return self._counts[name]

    def next_hop(self, name: str, target: str) -> str | None:
        """Return the peer that gets a packet for `target` first; None if there is no path."""
        here, there = self.hosts[name], self.hosts[target]
        if here.relay:
            relay = self.relay_of(target)
            return target if relay in (None, name) else relay
        if target in self.separated(name):
            return self.common_relay(name, target)
        if here.endpoint or (there.endpoint and not there.relay) or self._is_active(name, target):
            return target
        return self.relay_of(name)

    def _is_active(self, name: str, target: str) -> bool:
        direct_peer = self.direct_peers.get(name, {}).get(target)
        return direct_peer is not None and direct_peer.active

    def path(self, source: str, target: str) -> list[str]:
        """Return the hosts that a packet passes, both ends included; empty if there is no path."""
        found = [source]
        while found[-1] != target:
            hop = self.next_hop(found[-1], target)
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
