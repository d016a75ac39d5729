"""Links: the peer entries of a host, and the networks that each peer forwards to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from wgorch.inventory.model import IPNetwork
from wgorch.topology.desired import ACTIVE, Link
from wgorch.topology.peering import Peering
from wgorch.topology.prefixes import EVERYTHING, ordered


class SharedLinks(dict[str, Link]):
    """The link to each peer for all hosts with the same view of it: a full mesh of N hosts needs N links, not N²."""

    def __init__(self, peering: Peering, keepalive: int, preshared: bool) -> None:
        self._peering, self._keepalive, self._preshared = peering, keepalive, preshared

    def __missing__(self, peer: str) -> Link:
        host = self._peering.hosts[peer]
        nets = ordered(self._peering.own_networks(peer))
        preshared = self._preshared and not host.is_device
        forwarded = host.endpoint is not None and host.endpoint.port != host.listen_port
        link = self[peer] = Link(peer, nets, host.endpoint, self._keepalive, preshared, roams=forwarded)
        return link


def links_of(peering: Peering, name: str, gateways: list[str], shared: SharedLinks) -> Iterable[Link]:
    """Return the links of a host; `shared` are those of the hosts with its keepalive and preshared keys."""
    behind = networks_behind(peering, name, gateways)
    if not (behind or peering.direct_peers.get(name) or peering.hosts[name].exit or peering.has_ways):
        return map(shared.__getitem__, peering.peers(name))
    return _own_links(peering, name, behind, shared)


def _own_links(peering: Peering, name: str, behind: dict[str, list[IPNetwork]], shared: SharedLinks) -> Iterator[Link]:
    """Yield the links of a host whose view of some peers is its own."""
    exit_node = peering.hosts[name].exit
    direct_peers = peering.direct_peers.get(name, {})
    several = peering.has_several_interfaces(name)
    for peer in peering.peers(name):
        link = shared[peer]
        if several and (interface := peering.interface_of(name, peer)) != peering.inventory.network.interface:
            link = link._replace(interface=interface, endpoint=peering.endpoint_for(peer, name))
        elif peering.hosts[peer].ways:
            link = link._replace(endpoint=peering.endpoint_for(peer, name))
        if peering.has_ways and (roams := peering.roams(peer, name)) != link.roams:
            link = link._replace(roams=roams)
        if peering.hosts[name].relay and peering.hosts[peer].relay:
            # Whether the other relay answers must be known before a spoke needs it.
            link = link._replace(persistent_keepalive=BETWEEN_RELAYS_S)
        direct_peer = direct_peers.get(peer)
        if exit_node == peer:
            yield link._replace(allowed_ips=EVERYTHING)
        elif direct_peer is not None:
            nets = link.allowed_ips if direct_peer.active else ()
            keepalive = link.persistent_keepalive or 25
            yield link._replace(allowed_ips=nets, endpoint=direct_peer.endpoint, persistent_keepalive=keepalive)
        elif peer in behind:
            yield link._replace(allowed_ips=ordered(behind[peer]))
        else:
            yield link


BETWEEN_RELAYS_S = 5
"""Keepalive between relays, in seconds."""


def networks_behind(peering: Peering, name: str, gateways: list[str]) -> dict[str, list[IPNetwork]]:
    """Return the allowed-ips of those peers of a host that forward to others; `gateways` are all hosts with LANs."""
    host = peering.hosts[name]
    if host.relay:
        return _behind_other_relays(peering, name, gateways)
    if host.endpoint:
        return _behind_common_relays(peering, name)
    return _behind_own_relays(peering, name, gateways)


def _behind_other_relays(peering: Peering, name: str, gateways: list[str]) -> dict[str, list[IPNetwork]]:
    """Any member may be reached through any other relay, as each has an interface of its own."""
    others = [relay for relay in peering.relays if relay != name]
    if not others:
        return {}
    lans = (lan for gateway in gateways if gateway != name for lan in peering.hosts[gateway].subnets)
    everything = [*peering.inventory.network.subnets, *lans]
    return dict.fromkeys(others, everything)


def _behind_common_relays(peering: Peering, name: str) -> dict[str, list[IPNetwork]]:
    """A host with an endpoint reaches the hosts separated from it through a relay."""
    behind: dict[str, list[IPNetwork]] = defaultdict(list)
    for other in sorted(peering.separated(name)):
        relay = peering.common_relay(name, other)
        if relay is not None:
            behind[relay].extend(peering.own_networks(other))
    return {relay: [*peering.own_networks(relay), *nets] for relay, nets in behind.items()}


def _behind_own_relays(peering: Peering, name: str, gateways: list[str]) -> dict[str, list[IPNetwork]]:
    """A spoke reaches through each of its relays every host that is not its peer."""
    relays = peering.relays_of(name)
    if not relays:
        return {}
    # The whole tunnel network: a host that joins later changes nothing here, and the address of a direct peer is a
    # longer prefix.
    nets = list(peering.inventory.network.subnets)
    for gateway in gateways:
        if gateway != name and peering.next_hop(name, gateway) in relays:
            nets.extend(peering.hosts[gateway].subnets)
    return dict.fromkeys(relays, nets)


def routes_by_interface(
    peering: Peering, name: str, routed: tuple[IPNetwork, ...], gateways: list[str]
) -> dict[str, tuple[IPNetwork, ...]]:
    """Return the networks that a host with several interfaces routes into each, or into the active one.

    `routed`: LANs behind other hosts; `gateways`: all hosts with LANs.
    """
    network, tunnel = peering.inventory.network, peering.inventory.network.interface
    if not peering.has_several_interfaces(name):
        return {}
    found: dict[str, list[IPNetwork]] = defaultdict(list)

    def is_routed(member: str, net: IPNetwork) -> bool:
        """Not the LAN that the host itself is in."""
        return net in routed or net not in peering.hosts[member].subnets

    if peering.hosts[name].relay:
        found[tunnel] += network.subnets
        for member in peering.hosts:
            if member != name:
                hop = peering.next_hop(name, member) or member
                interface = peering.interface_of(name, hop)
                own = peering.own_networks(member) if interface != tunnel else peering.hosts[member].subnets
                found[interface] += (net for net in own if is_routed(member, net))
        return {interface: ordered(nets) for interface, nets in found.items()}
    found[ACTIVE] += network.subnets
    relays = peering.relays_of(name)
    for peer in peering.peers(name):
        direct = peering.direct_peers.get(name, {}).get(peer)
        if peer not in relays and (direct is None or direct.active):
            found[tunnel] += (net for net in peering.own_networks(peer) if is_routed(peer, net))
    for other in sorted(peering.separated(name)):
        # Its only way back is by that relay; another spoke's is by any.
        if not peering.hosts[other].endpoint:
            continue
        if relay := peering.common_relay(name, other):
            found[peering.interface_of(name, relay)] += peering.own_networks(other)
    pinned = {net for nets in found.values() for net in nets}
    found[ACTIVE] += (
        lan for gateway in gateways for lan in peering.hosts[gateway].subnets if lan in routed and lan not in pinned
    )
    return {interface: ordered(nets) for interface, nets in found.items()}
