"""Topology: an inventory as each host's Desired."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property

from wgorch.inventory.model import Inventory, IPAddress, IPNetwork
from wgorch.topology.desired import Choice, Desired, Detour, DirectPeer, Link, Masquerade
from wgorch.topology.filtering import filtering
from wgorch.topology.links import SharedLinks, links_of, routes_by_interface
from wgorch.topology.peering import Peering, Versions
from wgorch.topology.policy import Policy
from wgorch.topology.prefixes import merged, ordered


class Topology(Peering):
    """The peering of all hosts, and each host's Desired."""

    def __init__(
        self, inventory: Inventory, direct_peers: Mapping[str, Mapping[str, DirectPeer]], versions: Versions
    ) -> None:
        """Take the network, and what is known of its hosts, as of Peering."""
        super().__init__(inventory, direct_peers, versions)
        self._links: dict[tuple[int, bool], SharedLinks] = {}
        """Shared links by keepalive and preshared keys."""
        self._desired: dict[str, Desired] = {}

    def desired(self, name: str) -> Desired:
        """Return a host's part of the network; the cost grows with its peers and with the LANs of all hosts."""
        found = self._desired.get(name)
        if found is None:
            found = self._desired[name] = self._make_desired(name)
        return found

    def _make_desired(self, name: str) -> Desired:
        host = self.hosts[name]
        remote = self._remote_lans(name)
        links = tuple(links_of(self, name, self._gateways, self._shared_links(name)))
        several = self.has_several_interfaces(name)
        return Desired(
            host=host,
            network=self.inventory.network,
            links=links,
            routes=remote,
            forwards_between_peers=host.relay,
            lans=host.subnets,
            masquerade=tuple(self._masquerade(name, remote)),
            exit_sources=ordered(
                net for client in self._exit_clients.get(name, ()) for net in self.own_networks(client)
            ),
            fall_backs=tuple(self._fall_backs(name)),
            filtering=filtering(self, self.policy, name) if self.policy else None,
            choices=tuple(Choice(r, self.interface_of(name, r)) for r in self.relays_of(name)) if several else (),
            detours=tuple(self._detours(name)) if several and host.relay else (),
            routes_by_interface=routes_by_interface(self, name, remote, self._gateways) if several else {},
            addresses_of_relays={r: self.hosts[r].address for r in self.relays_of(name)} if several else {},
            ports=self.ports_of(name),
            addresses_of_peers=self._addresses_of_named(links),
        )

    def _shared_links(self, name: str) -> SharedLinks:
        host = self.hosts[name]
        keepalive = 0 if host.endpoint else host.persistent_keepalive
        preshared = self.inventory.network.preshared_keys and not host.is_device
        if (keepalive, preshared) not in self._links:
            self._links[keepalive, preshared] = SharedLinks(self, keepalive, preshared)
        return self._links[keepalive, preshared]

    def _masquerade(self, name: str, remote: tuple[IPNetwork, ...]) -> Iterator[Masquerade]:
        host = self.hosts[name]
        sources = merged((*self.inventory.network.subnets, *remote)) if host.subnets and host.masquerade else []
        for lan in host.subnets:
            yield from (Masquerade(source, lan) for source in sources if source.version == lan.version)

    def _detours(self, name: str) -> Iterator[Detour]:
        for spoke in self._spokes_of[name]:
            others = (relay for relay in self.relays_of(spoke) if relay != name)
            if choices := tuple(Choice(relay, self.interface_of(name, relay)) for relay in others):
                yield Detour(spoke, choices)

    @cached_property
    def policy(self) -> Policy:
        """The policy; false where there is none."""
        return Policy(self.inventory)

    @cached_property
    def _gateways(self) -> list[str]:
        return [name for name, host in self.hosts.items() if host.subnets]

    def _remote_lans(self, name: str) -> tuple[IPNetwork, ...]:
        """The LANs behind other hosts that there is a path to."""
        return tuple(
            lan
            for gateway in self._gateways
            if gateway not in (name, self.hosts[name].behind) and self.next_hop(name, gateway) is not None
            for lan in self.hosts[gateway].subnets
        )

    @cached_property
    def _exit_clients(self) -> Mapping[str, list[str]]:
        """For each exit node, the members that use it."""
        found: dict[str, list[str]] = defaultdict(list)
        for name, host in self.hosts.items():
            if host.exit:
                found[host.exit].append(name)
        return found

    @cached_property
    def _named(self) -> frozenset[str]:
        """The hosts with an endpoint that is a DNS name, so that its address may change."""
        return frozenset(
            name
            for name, host in self.hosts.items()
            if (host.endpoint and not host.endpoint.is_address)
            or (host.ways and not all(way.endpoint.is_address for way in host.ways))
        )

    def _addresses_of_named(self, links: tuple[Link, ...]) -> dict[str, IPAddress]:
        if not self._named:
            return {}
        named = (link for link in links if link.peer in self._named and link.endpoint and not link.endpoint.is_address)
        return {link.peer: self.hosts[link.peer].address for link in named}

    def _fall_backs(self, name: str) -> Iterator[tuple[str, Link]]:
        active = [peer for peer, direct_peer in self.direct_peers.get(name, {}).items() if direct_peer.active]
        # The relay whose entry is on the same interface takes over.
        own = (r for r in self.relays_of(name) if self.interface_of(name, r) == self.inventory.network.interface)
        relay = next(own, None)
        entry = self.without_direct_peers.desired(name).link(relay) if active and relay else None
        if entry is not None:
            yield from ((peer, entry) for peer in active)

    @cached_property
    def without_direct_peers(self) -> Topology:
        """The topology right after a start, while no public endpoint of a NAT has been learned."""
        return Topology(self.inventory, {}, self.versions) if self.direct_peers else self


def build(
    inventory: Inventory,
    direct_peers: Mapping[str, Mapping[str, DirectPeer]] | None = None,
    versions: Versions | None = None,
) -> Topology:
    """Build the topology of an inventory."""
    return Topology(inventory, direct_peers or {}, versions or {})
