"""Desired: one host's part of the network, from the inventory alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from typing import NamedTuple

from wgorch.base.ip import Prefixes
from wgorch.base.value import value
from wgorch.inventory.endpoint import Endpoint
from wgorch.inventory.model import Host, IPAddress, IPNetwork, Network
from wgorch.topology.passes import Filtering


class DirectPeer(NamedTuple):
    """One spoke's entry for another spoke that it may reach without their relay."""

    endpoint: Endpoint | None = None
    """Public endpoint of the other spoke's NAT, to be tried; None where WireGuard has learned it."""
    active: bool = False
    """True if packets take the direct path."""


class Link(NamedTuple):
    """A peer entry from one host's viewpoint, without its key. Hosts with the same view of a peer share one object."""

    peer: str
    """Host name of the peer."""
    allowed_ips: tuple[IPNetwork, ...]
    """Networks reached through the peer, in order."""
    endpoint: Endpoint | None
    """Endpoint of the peer; None if it is behind NAT."""
    persistent_keepalive: int
    """Seconds between keepalives; 0: none."""
    preshared: bool = False
    """True if the pair has a preshared key."""
    interface: str = ""
    """Interface that has the entry; empty for the network's own."""
    roams: bool = False
    """True where the peer may come from another of its addresses than the endpoint's: each end takes the best for itself."""


class Choice(NamedTuple):
    """One of several relays of a host."""

    relay: str
    """Name of the relay."""
    interface: str
    """Interface of the session with it."""


class Detour(NamedTuple):
    """How a relay reaches a spoke that it does not hear."""

    spoke: str
    """Name of the host."""
    relays: tuple[Choice, ...]
    """The other relays of the spoke, and the interfaces of this one for them, the spoke's preferred one first."""


Cut = frozenset[tuple[str, str]]
"""Sessions that are down, or not used: pairs of a relay and a spoke of it."""

WHOLE: Cut = frozenset()
"""No session is down."""

ACTIVE = ""
"""In the place of an interface: that of the relay that a host uses just now."""


class Masquerade(NamedTuple):
    """One masquerade rule: packets from `source` enter the LAN `into` under the gateway's own address."""

    source: IPNetwork
    """Network in the tunnel."""
    into: IPNetwork
    """LAN of the gateway."""


@value
class Desired:
    """One host's part of the network."""

    host: Host
    """The host itself."""
    network: Network
    """Settings shared by all hosts."""
    links: tuple[Link, ...]
    """Peer entries."""
    routes: tuple[IPNetwork, ...]
    """LANs behind other hosts, routed into the tunnel."""
    forwards_between_peers: bool
    """True for a relay."""
    lans: tuple[IPNetwork, ...]
    """LANs that the host is the gateway of, by their address in the tunnel."""
    masquerade: tuple[Masquerade, ...]
    """Masquerade rules."""
    exit_sources: tuple[IPNetwork, ...] = ()
    """Networks of the members that use the host as exit node."""
    fall_backs: tuple[tuple[str, Link], ...] = ()
    """For each active direct peer, the relay's entry to use when the direct path dies."""
    filtering: Filtering | None = None
    """What it lets out of the tunnel, where the network has a policy."""
    choices: tuple[Choice, ...] = ()
    """The relays between which the host chooses, the preferred one first; none where it has one relay or is no spoke."""
    detours: tuple[Detour, ...] = ()
    """Of a relay: its spokes that other relays reach, too."""
    routes_by_interface: Mapping[str, tuple[IPNetwork, ...]] = field(default_factory=dict)
    """Networks by the interface that they are routed into, or ACTIVE; empty where the host has one interface."""
    addresses_of_relays: Mapping[str, IPAddress] = field(default_factory=dict)
    """Tunnel addresses of the relays between which the host chooses."""
    ports: Mapping[str, int] = field(default_factory=dict)
    """UDP ports of the interfaces other than the network's own."""
    addresses_of_peers: Mapping[str, IPAddress] = field(default_factory=dict, compare=False)
    """Tunnel addresses of the peers whose endpoint is a DNS name, by host."""

    @property
    def name(self) -> str:
        """The host's name."""
        return self.host.name

    @property
    def is_gateway(self) -> bool:
        """True if the host forwards packets between the tunnel and a LAN."""
        return bool(self.lans)

    @property
    def forwards(self) -> bool:
        """True if the host forwards any packets."""
        return self.forwards_between_peers or self.is_gateway or bool(self.exit_sources)

    @property
    def interfaces(self) -> tuple[str, ...]:
        """The host's interfaces; the network's own is the first."""
        return (self.network.interface, *self.ports)

    @property
    def has_single_address(self) -> bool:
        """True if its interfaces have its address alone: one that is on several has no network of its own."""
        return self.host.single_address or bool(self.routes_by_interface)

    @property
    def relayed_between(self) -> list[tuple[str, str]]:
        """Of a relay: pairs of interfaces that it forwards between; none between two other relays, which could make a loop."""
        own, *others = self.interfaces
        return [(own, own), *((other, own) for other in others), *((own, other) for other in others)]

    def interface_of(self, link: Link) -> str:
        """Return the interface that has a peer entry."""
        return link.interface or self.network.interface

    def link(self, peer: str) -> Link | None:
        """Return the entry of one peer, or None."""
        return self._links_by_peer.get(peer)

    @cached_property
    def _links_by_peer(self) -> Mapping[str, Link]:
        return {link.peer: link for link in self.links}

    @cached_property
    def crypto_routes(self) -> Mapping[str, Prefixes[Link]]:
        """WireGuard's choice of a peer, by interface: the longest prefix among the allowed-ips of its peers."""
        return {
            name: Prefixes(
                (net, link) for link in self.links if self.interface_of(link) == name for net in link.allowed_ips
            )
            for name in self.interfaces
        }

    @cached_property
    def interface_routes(self) -> Prefixes[str]:
        """The interface, or ACTIVE, by network, where the host has several."""
        return Prefixes((net, name) for name, nets in self.routes_by_interface.items() for net in nets)

    @cached_property
    def tunnel_prefixes(self) -> Prefixes[IPNetwork]:
        """Networks that the host routes into the tunnel."""
        return Prefixes((net, net) for net in (*self.network.subnets, *self.routes))
