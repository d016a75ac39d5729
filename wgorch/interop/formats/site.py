"""A device as exporters see it: its interface, its peers, its LANs."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping

from wgorch.base.ip import as_ip
from wgorch.base.value import value
from wgorch.topology.topology import Topology

PLACEHOLDER = "<private key of this device>"

FORWARDING = "net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"
"""Sysctls of a router."""


@value
class Peer:
    """A peer of a device."""

    name: str
    public_key: str
    allowed_ips: tuple[str, ...]
    host: str = ""
    """Of its endpoint; empty where it has none."""
    port: int = 0
    keepalive: int = 0
    """Seconds; 0 for none."""
    has_preshared: bool = False
    """It kept a preshared key, which only the device itself has."""

    @property
    def preshared_key(self) -> str:
        """A placeholder for the key that only the device has."""
        return f"<preshared key of this device and {self.name}>"

    @property
    def endpoint(self) -> str:
        """``host:port``, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@value
class Site:
    """A device: a router, or a machine, that SSH does not reach."""

    name: str
    network: str
    interface: str
    addresses: tuple[str, ...]
    """With their prefix: /32, /128."""
    peers: tuple[Peer, ...]
    private_key: str = ""
    """Empty where the device has made it itself."""
    listen_port: int = 0
    """0 for any."""
    mtu: int = 0
    """0 for the system's own."""
    dns: tuple[str, ...] = ()
    lans: tuple[str, ...] = ()
    """Networks behind it, as they are there."""

    @property
    def title(self) -> str:
        """What stands at the head of each file."""
        return f"{self.name}, network {self.network}"

    @property
    def key(self) -> str:
        """The private key, or a placeholder."""
        return self.private_key or PLACEHOLDER

    @property
    def routes(self) -> tuple[str, ...]:
        """Networks behind the peers."""
        return tuple(dict.fromkeys(net for peer in self.peers for net in peer.allowed_ips))

    @property
    def numbered_interface(self) -> str:
        """The interface's name for systems that know ``wg0``, ``wg1`` … alone."""
        return self.interface if re.fullmatch(r"wg\d{1,3}", self.interface, re.A) else "wg0"

    def of_version(self, version: int) -> tuple[str, ...]:
        """The addresses of an IP version."""
        return tuple(each for each in self.addresses if (":" in each) == (version == 6))


def site_of(
    topology: Topology, name: str, keys: Mapping[str, str], private_key: str | None, preshared: Container[str]
) -> Site:
    """A device of a network. `preshared`: peers that kept a preshared key of it."""
    desired = topology.desired(name)
    host = desired.host

    def peers() -> Iterator[Peer]:
        for link in desired.links:
            end = link.endpoint
            yield Peer(
                link.peer,
                keys[link.peer],
                tuple(map(str, link.allowed_ips)),
                end.host if end else "",
                end.port if end else 0,
                link.persistent_keepalive or 0,
                link.peer in preshared,
            )

    return Site(
        name,
        desired.network.name,
        desired.network.interface,
        tuple(f"{address}/{address.max_prefixlen}" for address in host.addresses),
        tuple(peers()),
        private_key or "",
        host.listen_port if host.all_ways else 0,
        host.mtu or desired.network.mtu or 0,
        tuple(map(str, host.dns)),
        tuple(str(host.real(lan)) for lan in desired.lans),
    )


def is_name(host: str) -> bool:
    """True for an endpoint that is a name, not an address."""
    return bool(host) and as_ip(host) is None
