"""What one host should have, as far as the inventory alone can say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from typing import Any

from wgorch.base.ip import Prefixes
from wgorch.base.value import value
from wgorch.inventory.model import Endpoint, Host, IPAddress, IPNetwork, Network


@value
class DirectPeer:
    """One spoke's entry for another that it may reach without their relay.

    `endpoint`: where the world sees the other, to try it; None where WireGuard knows. `carries`: packets go this way.
    """

    endpoint: Endpoint | None = None
    active: bool = False


TUNNEL = "tunnel"
"""Stands for the tunnel's interface where a forward rule names a card."""


@value
class Link:
    """A peer from one host's viewpoint, its key not yet known. Shared between hosts that see it alike.

    `made`: what was made of it for a key, kept where all who share it find it.
    """

    peer: str
    allowed_ips: tuple[IPNetwork, ...]
    endpoint: Endpoint | None
    persistent_keepalive: int
    preshared: bool = False
    made: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)


@value
class Masquerade:
    """Packets from `source` enter the LAN `into` under the gateway's own address."""

    source: IPNetwork
    into: IPNetwork


@value
class Desired:
    """One host's part of the network.

    `leaving`: the sources of others that go out into the world through this host. `fall_backs`: for each peer that is
    reached without the relay, the relay's entry as it is again where that way dies.
    """

    host: Host
    network: Network
    links: tuple[Link, ...]
    routes: tuple[IPNetwork, ...]
    forwards_between_peers: bool
    lans: tuple[IPNetwork, ...]
    masquerade: tuple[Masquerade, ...]
    leaving: tuple[IPNetwork, ...] = ()
    fall_backs: tuple[tuple[str, Link], ...] = ()
    addresses_of_peers: Mapping[str, IPAddress] = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str:
        return self.host.name

    @property
    def is_gateway(self) -> bool:
        """True where packets pass between the tunnel and a LAN."""
        return bool(self.lans)

    @property
    def forwards(self) -> bool:
        """True where packets of others pass through."""
        return self.forwards_between_peers or self.is_gateway or bool(self.leaving)

    def link(self, peer: str) -> Link | None:
        """The entry for one peer, or None."""
        return self._by_peer.get(peer)

    @cached_property
    def _by_peer(self) -> Mapping[str, Link]:
        return {link.peer: link for link in self.links}

    @cached_property
    def ways(self) -> Prefixes[Link]:
        """WireGuard's own choice: the longest prefix among all peers' allowed-ips."""
        return Prefixes((net, link) for link in self.links for net in link.allowed_ips)

    @cached_property
    def inside(self) -> Prefixes[IPNetwork]:
        """What is sent into the tunnel."""
        return Prefixes((net, net) for net in (*self.network.subnets, *self.routes))
