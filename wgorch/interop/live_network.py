"""A WireGuard network as it runs: relays, LANs, endpoints and devices, concluded from the peers of its hosts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import NamedTuple

from wgorch.base.ip import is_ip_endpoint
from wgorch.base.value import value
from wgorch.facts.links import Address
from wgorch.facts.wireguard import WireGuard
from wgorch.gather.observed import Observed
from wgorch.interop.configurations import Configuration
from wgorch.interop.names import free_name, name_of
from wgorch.inventory.model import IPNetwork, SshTarget


class PeerEntry(NamedTuple):
    """A host as a peer of another host."""

    allowed_ips: tuple[IPNetwork, ...]
    endpoint: str


@value
class UnknownPeer:
    """A peer that is none of the hosts."""

    public_key: str
    addresses: tuple[str, ...]
    """In the tunnel."""
    behind: tuple[str, ...]
    """Its other allowed-ips."""
    name: str


class LiveNetwork:
    """The network of one interface name on some hosts; a host is named by the SSH target it was read from."""

    def __init__(
        self,
        seen: Mapping[str, Observed],
        ssh: Mapping[str, SshTarget],
        interface: str,
        files: Mapping[str, Sequence[Configuration]] | None = None,
    ) -> None:
        """`files`: what made the interface, by host."""
        self.seen, self.ssh, self.interface, self.files = seen, ssh, interface, files or {}
        self._taken: set[str] = set()
        self.names = {host: name_of(s, self._taken) for host, s in seen.items()}
        self.wireguard: dict[str, WireGuard] = {host: s.wireguard[interface] for host, s in seen.items()}
        self.subnets = self._subnets()

    def addresses(self, host: str) -> list[str]:
        """Addresses of a host in the tunnel."""
        return [str(address.ip) for address in self._addresses(host)]

    def has_single_addresses(self, host: str) -> bool:
        """True where all addresses of a host stand alone, outside of a subnet of their own."""
        own = [address.network for address in self._addresses(host)]
        return bool(own) and all(_is_single(net) and net not in self.subnets for net in own)

    def mtu(self, host: str) -> int:
        return self.seen[host].links.devices[self.interface].mtu

    def lans(self, host: str) -> list[IPNetwork]:
        """Subnets that other hosts route to this one, and that it has an interface into."""
        found: dict[IPNetwork, None] = {}
        for entry in self._entries(host):
            for net in entry.allowed_ips:
                into = self.seen[host].links.interface_into(net)
                if not self._in_tunnel(net) and into and into != self.interface:
                    found[net] = None
        return sorted(found, key=str)

    def endpoint(self, host: str) -> str:
        """The endpoint that other hosts have for this one; empty where that was only learned from its packets."""
        if written := self._written_endpoint(host):
            return written
        own = {str(address.ip) for _, address in self.seen[host].links.addresses} | {self.ssh[host].host}
        endpoints = [entry.endpoint for entry in self._entries(host)]
        for endpoint in endpoints:
            ip, _, port = endpoint.rpartition(":")
            # An endpoint that several hosts have was configured: one behind NAT is learned by the peer it greets.
            if endpoint and endpoints.count(endpoint) > 1:
                return endpoint
            if ip.strip("[]") in own and int(port or 0) == self.wireguard[host].listen_port:
                return endpoint
        return ""

    def _written_endpoint(self, host: str) -> str:
        """The endpoint that a file of another host has for this one, and that its session uses; a name before an address."""
        key, found = self.wireguard[host].public_key, []
        for other, wg in self.wireguard.items():
            live = wg.peers[key].endpoint if other != host and key in wg.peers else None
            for file in self.files.get(other, ()):
                said = file.peers[key].endpoint if key in file.peers else ""
                if live and said and said.rpartition(":")[2] == live.rpartition(":")[2]:
                    found.append(live if is_ip_endpoint(said) else said)
        return next((text for text in found if not is_ip_endpoint(text)), found[0] if found else "")

    def is_relay(self, host: str) -> bool:
        """True where other hosts route more to it than its own addresses and LANs."""
        if not self.endpoint(host):
            return False
        own, lans = self.addresses(host), self.lans(host)
        for entry in self._entries(host):
            single = [n for n in entry.allowed_ips if _is_single(n) and str(n.network_address) in own]
            if [n for n in entry.allowed_ips if n not in lans and n not in single]:
                return True
        return False

    def has_preshared_keys(self) -> bool:
        """True where a host has a preshared key with another one; those with devices stay as they are."""
        hosts = {wg.public_key for wg in self.wireguard.values()}
        return any(p.preshared for wg in self.wireguard.values() for key, p in wg.peers.items() if key in hosts)

    def unknown_peers(self) -> list[UnknownPeer]:
        """Peers that are none of the hosts, by public key."""
        hosts = {wg.public_key for wg in self.wireguard.values()}
        found: dict[str, tuple[str, ...]] = {}
        for wg in self.wireguard.values():
            found |= {key: peer.allowed_ips for key, peer in wg.peers.items() if key not in hosts}
        taken = set(self._taken)
        return [
            self._unknown_peer(key, nets, free_name(self._comment(key), f"peer-{number}", taken))
            for number, (key, nets) in enumerate(sorted(found.items()), 1)
        ]

    def _comment(self, key: str) -> str:
        """What a file of any host calls a peer; empty where none does."""
        peers = (file.peers.get(key) for files in self.files.values() for file in files)
        return next((peer.name for peer in peers if peer and peer.name), "")

    def _unknown_peer(self, key: str, nets: tuple[str, ...], name: str) -> UnknownPeer:
        inside = [net for net in map(ip_network, nets) if self._in_tunnel(net) and _is_single(net)]
        behind = tuple(net for net in nets if ip_network(net) not in inside)
        return UnknownPeer(key, tuple(str(net.network_address) for net in inside), behind, name)

    def _addresses(self, host: str) -> Iterator[Address]:
        for device, address in self.seen[host].links.addresses:
            if device == self.interface and not address.ip.is_link_local:
                yield address

    def _entries(self, host: str) -> Iterator[PeerEntry]:
        """This host among the peers of each other one."""
        for other, wg in self.wireguard.items():
            peer = wg.peers.get(self.wireguard[host].public_key)
            if other != host and peer:
                yield PeerEntry(tuple(ip_network(n) for n in peer.allowed_ips), peer.endpoint or "")

    def _subnets(self) -> list[IPNetwork]:
        """Subnets of the tunnel, without those that lie in another one."""
        found = {self._subnet(host, address) for host in self.seen for address in self._addresses(host)}
        largest = [n for n in found if not any(n != o and n.version == o.version and n.subnet_of(o) for o in found)]  # type: ignore[arg-type]
        return sorted(largest, key=lambda n: (n.version, int(n.network_address)))

    def _subnet(self, host: str, address: Address) -> IPNetwork:
        """The subnet of an address; of one without (/32), the first among the peers' allowed-ips that holds it."""
        net: IPNetwork = address.network
        if not _is_single(net):
            return net
        nets = [ip_network(n) for peer in self.wireguard[host].peers.values() for n in peer.allowed_ips]
        return next((n for n in nets if n.version == net.version and address.ip in n and n != net), net)

    def _in_tunnel(self, net: IPNetwork) -> bool:
        return any(net.version == s.version and (net.subnet_of(s) or s.subnet_of(net)) for s in self.subnets)  # type: ignore[arg-type]


def _is_single(net: IPNetwork) -> bool:
    """True for the network of one address."""
    return net.prefixlen == net.max_prefixlen
