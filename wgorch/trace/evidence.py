"""What a trace is judged by: the desired network, facts of its hosts, and what each captured."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from wgorch.base.ip import Prefixes, network
from wgorch.base.value import value
from wgorch.gather.observed import Observed
from wgorch.inventory.model import Host, IPAddress, Network
from wgorch.state.wireguard import Peer
from wgorch.topology.path import walk
from wgorch.topology.topology import Topology
from wgorch.trace.capture import Capture
from wgorch.trace.packet_path import Crossing, PacketPath
from wgorch.trace.probe import Kind, Probe
from wgorch.trace.sightings import Sighting


@value
class Evidence:
    """What a trace is judged by. Devices have neither facts nor captures."""

    topology: Topology
    facts: Mapping[str, Observed]
    keys: Mapping[str, str]
    """Public keys by host or device."""
    captures: Mapping[str, Capture]
    probe: Probe
    path: PacketPath

    @property
    def hosts(self) -> Mapping[str, Host]:
        return self.topology.inventory.hosts

    @property
    def network(self) -> Network:
        return self.topology.inventory.network

    @property
    def tunnel(self) -> str:
        """Name of the network's interface."""
        return self.path.tunnel

    def tunnels(self, host: str) -> tuple[str, ...]:
        """The network's interfaces on a host."""
        return self.topology.desired(host).interfaces

    # --- packets

    def sightings(self, kind: Kind, crossing: Crossing) -> tuple[Sighting, ...]:
        """Sightings of a packet on an interface of the path."""
        capture = self.captures.get(crossing.host)
        return capture.sighted(kind, crossing.direction, crossing.interface) if capture else ()

    def is_blind(self, host: str) -> bool:
        """True where no packet can be observed on a host."""
        return host not in self.captures or not self.captures[host].tool

    def answered(self, kind: Kind) -> bool:
        """True where the sender got a reply, so that every crossing is proven."""
        sender = self.captures.get(self.path.hosts[0])
        if sender is not None and self.is_refused_by_target:
            return True
        return sender is not None and bool(sender.full_answered if kind.is_full else sender.answered)

    @property
    def is_refused_by_target(self) -> bool:
        """True where the sender was refused, and not by a host of the path, as far as that was observed."""
        sender = self.captures.get(self.path.hosts[0])
        if sender is None or not sender.refused:
            return False
        # A reset is a reply; port unreachable is not, but it can only be the target's where the request went out to it.
        kind, at = (Kind.REPLY, slice(0, 1)) if self.probe.protocol == "tcp" else (Kind.REQUEST, slice(-1, None))
        crossings = self.path.crossings(kind)[at]
        return all(self.is_blind(crossing.host) or bool(self.sightings(kind, crossing)) for crossing in crossings)

    @property
    def absent(self) -> frozenset[str]:
        """Hosts of the path that were not reached: without facts and captures."""
        return frozenset(name for name in self.path.hosts if name in self.hosts and name not in self.facts)

    # --- peers

    def peers(self, host: str) -> Mapping[str, Peer]:
        """Peers on a host's tunnel interface, by public key."""
        return self.facts[host].wg(self.network).peers

    def peer(self, host: str, other: str) -> Peer | None:
        """A host's peer with the public key of another one; None where it has none."""
        return self.peers(host).get(self.keys.get(other, ""))

    def peer_for(self, host: str, address: IPAddress) -> Peer | None:
        """The peer that a host sends an address to: the one with the longest prefix in its allowed-ips."""
        hop = self.next_hop(host, address) if self.path.tunnels else None
        # Another relay's entry, on another interface, has the same networks.
        peers = [peer for peer in self.peers(host).values() if hop is None or self.name_of(peer) == hop]
        return Prefixes((network(net), peer) for peer in peers for net in peer.allowed_ips).of(address)

    def next_hop(self, host: str, address: IPAddress) -> str | None:
        """The host or device that a packet should be sent to next; None where the host itself delivers it."""
        if self.path.tunnels:
            hosts, _ = self.path.path_of(Kind.REPLY if address == self.probe.source else Kind.REQUEST)
            return dict(pairwise(hosts)).get(host)
        hosts = walk(self.topology, host, address).hosts
        return hosts[1] if len(hosts) > 1 else None

    def handshake_age_s(self, host: str, other: str) -> int | None:
        """Age of the session that a host has with another one; None where there never was a handshake."""
        capture, peer = self.captures[host], self.peer(host, other)
        moment = capture.handshakes.get(peer.public_key, 0) if peer else 0
        return capture.clock - moment if moment else None

    # --- names for findings

    def name_of(self, peer: Peer) -> str:
        """Name of a peer, or the beginning of its key."""
        return next((name for name, key in self.keys.items() if key == peer.public_key), short(peer.public_key))

    def key_of(self, host: str) -> str:
        """Public key of a host for a command line."""
        return self.keys.get(host, "KEY")

    def subnet_of(self, address: IPAddress) -> str:
        """The network of the inventory that holds an address, or the address itself."""
        return str(self.topology.network_of(address) or address)


def short(key: str) -> str:
    """The beginning of a public key."""
    return key[:8] + "…"
