"""Links: the peer entries of a host, and the networks that each peer forwards to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from wgorch.inventory.model import IPNetwork
from wgorch.topology.desired import Link
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
        link = self[peer] = Link(peer, nets, host.endpoint, self._keepalive, preshared)
        return link


def links_of(peering: Peering, name: str, gateways: list[str], shared: SharedLinks) -> Iterable[Link]:
    """Return the links of a host; `shared` are those of the hosts with its keepalive and preshared keys."""
    behind = networks_behind(peering, name, gateways)
    if not (behind or peering.direct_peers.get(name) or peering.hosts[name].exit):
        return map(shared.__getitem__, peering.peers(name))
    return _own_links(peering, name, behind, shared)


def _own_links(peering: Peering, name: str, behind: dict[str, list[IPNetwork]], shared: SharedLinks) -> Iterator[Link]:
    """Yield the links of a host whose view of some peers is its own."""
    exit_node = peering.hosts[name].exit
    direct_peers = peering.direct_peers.get(name, {})
    for peer in peering.peers(name):
        link = shared[peer]
        direct_peer = direct_peers.get(peer)
        if exit_node == peer:
            yield Link(peer, EVERYTHING, link.endpoint, link.persistent_keepalive, link.preshared)
        elif direct_peer is not None:
            nets = link.allowed_ips if direct_peer.active else ()
            yield Link(peer, nets, direct_peer.endpoint, link.persistent_keepalive or 25, link.preshared)
        elif peer in behind:
            yield Link(peer, ordered(behind[peer]), link.endpoint, link.persistent_keepalive, link.preshared)
        else:
            yield link


def networks_behind(peering: Peering, name: str, gateways: list[str]) -> dict[str, list[IPNetwork]]:
    """Return the allowed-ips of those peers of a host that forward to others; `gateways` are all hosts with LANs."""
    host = peering.hosts[name]
    if host.relay:
        return _behind_other_relays(peering, name)
    if host.endpoint:
        return _behind_common_relays(peering, name)
    return _behind_own_relay(peering, name, gateways)


def _behind_other_relays(peering: Peering, name: str) -> dict[str, list[IPNetwork]]:
    """A relay reaches the spokes of another relay through that relay."""
    behind: dict[str, list[IPNetwork]] = defaultdict(list)
    for spoke in peering.spokes:
        relay = peering.relay_of(spoke)
        if relay is not None and relay != name:
            behind[relay].extend(peering.own_networks(spoke))
    return _with_own(peering, behind)


def _behind_common_relays(peering: Peering, name: str) -> dict[str, list[IPNetwork]]:
    """A host with an endpoint reaches the hosts separated from it through a relay."""
    behind: dict[str, list[IPNetwork]] = defaultdict(list)
    for other in sorted(peering.separated(name)):
        relay = peering.common_relay(name, other)
        if relay is not None:
            behind[relay].extend(peering.own_networks(other))
    return _with_own(peering, behind)


def _behind_own_relay(peering: Peering, name: str, gateways: list[str]) -> dict[str, list[IPNetwork]]:
    """A spoke reaches through its relay every host that is not its peer."""
    relay = peering.relay_of(name)
    if relay is None:
        return {}
    # The whole tunnel network: a host that joins later changes nothing here, and the address of a direct peer is a
    # longer prefix.
    nets = list(peering.inventory.network.subnets)
    for gateway in gateways:
        if gateway != name and peering.next_hop(name, gateway) == relay:
            nets.extend(peering.hosts[gateway].subnets)
    return {relay: nets}


def _with_own(peering: Peering, behind: dict[str, list[IPNetwork]]) -> dict[str, list[IPNetwork]]:
    return {relay: [*peering.own_networks(relay), *nets] for relay, nets in behind.items()}
