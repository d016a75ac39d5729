"""What an inventory says, value and valid; nothing here was ever seen on a host."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import NamedTuple
from zlib import crc32

from wgorch.base.value import value

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network


_LETTER = re.compile(r"[^\W\d_]")


class Endpoint(NamedTuple):
    """Where WireGuard's UDP reaches a host from outside."""

    host: str
    port: int

    @property
    def is_address(self) -> bool:
        """True where it needs no name server."""
        return ":" in self.host or not _LETTER.search(self.host)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@value
class SshTarget:
    """How SSH reaches a host. `via` is a jump host: a target of its own, or the name of another host."""

    host: str
    user: str | None = None
    port: int | None = None
    via: tuple[SshTarget, ...] = ()
    identity: str | None = None

    @property
    def local(self) -> bool:
        """True where the host is the machine that wgorch runs on."""
        return self.host == "local" and self.user is None and self.port is None

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host and self.port else self.host
        return f"{user}{host}" + (f":{self.port}" if self.port else "")


NOWHERE = SshTarget("")
"""The SSH place of a device: wgorch never goes there."""


@value
class Host:
    """One machine that wgorch reaches by SSH; or a device, which it does not, and of which it needs the `public_key`.

    `addresses`: one for each subnet of the network; `given`: those of them that stand in the file. `private_key`: the
    command that prints it on the host, where it is not born there. `exit`: the host through which everything leaves
    that has no other way. `enter`: the command that leads from the login into the container that is meant. `maps`: for those of `subnets` that are only the LAN's name in the tunnel, the LAN itself.
    """

    name: str
    ssh: SshTarget
    addresses: tuple[IPAddress, ...]
    listen_port: int
    endpoint: Endpoint | None = None
    relay: bool = False
    subnets: tuple[IPNetwork, ...] = ()
    lan_interface: str | None = None
    mtu: int | None = None
    persistent_keepalive: int = 25
    masquerade: bool = True
    wireguard_go: bool = True
    host_key: str | None = None
    given: tuple[IPAddress, ...] = ()
    public_key: str | None = None
    private_key: tuple[str, ...] = ()
    exit: str | None = None
    dns: tuple[IPAddress, ...] = ()
    maps: tuple[tuple[IPNetwork, IPNetwork], ...] = ()
    enter: tuple[str, ...] = ()

    @property
    def is_device(self) -> bool:
        """True for a phone, a laptop, another one's router: a peer that is not reached by SSH."""
        return self.ssh == NOWHERE

    def real(self, subnet: IPNetwork) -> IPNetwork:
        """The LAN that one of its subnets stands for: itself, or what it is mapped to."""
        return next((lan for name, lan in self.maps if name == subnet), subnet)

    def real_address(self, address: IPAddress) -> IPAddress:
        """What an address in one of its subnets is in the LAN itself."""
        for name, lan in self.maps:
            if address in name:
                return lan[int(address) - int(name.network_address)]
        return address

    @property
    def address(self) -> IPAddress:
        """The first of its addresses in the tunnel; it has one for each of the network's subnets."""
        return self.addresses[0]

    def address_of(self, version: int) -> IPAddress | None:
        """Its address in the tunnel of IPv4 or IPv6, if it has one."""
        return next((address for address in self.addresses if address.version == version), None)


@value
class Flow:
    """A line of `verify:`: from this host that address must answer. None stands for a host's, not chosen yet."""

    source: str
    target: str
    to: IPAddress | None

    @property
    def address(self) -> IPAddress:
        """What must answer."""
        assert self.to is not None, "addresses are assigned when an inventory is loaded"
        return self.to


@value
class LinkRule:
    """A line of `links:`: two hosts that are to be peers, or, where not `wanted`, two that are to meet at a relay."""

    one: str
    other: str
    wanted: bool


@value
class Network:
    """What all hosts share.

    `ipv6`: something of it is of IPv6, the tunnel or what is outside or behind it. `exits`: some host leaves through
    another. `direct`: hosts behind NAT that meet
    at a relay may try to reach each other without it.
    """

    name: str
    subnets: tuple[IPNetwork, ...]
    interface: str = "wg0"
    ipv6: bool = False
    mtu: int | None = None
    exits: bool = False
    preshared_keys: bool = False
    direct: bool = False

    @property
    def subnet(self) -> IPNetwork:
        """The first of the tunnel's networks; there is at most one of IPv4 and one of IPv6."""
        return self.subnets[0]

    def prefix_of(self, address: IPAddress) -> int:
        """The prefix length that an address has on the interface."""
        return next(s.prefixlen for s in self.subnets if s.version == address.version)

    @property
    def table(self) -> int:
        """The number of its own routing table, and of the mark on its own packets, on hosts that have an `exit`."""
        return 1190000 + crc32(self.name.encode()) % 10000

    @property
    def mark(self) -> str:
        """What everything of this network carries on a host, where it can carry a mark."""
        return f"wgorch:{self.name}"

    @property
    def directory(self) -> str:
        """Where this network's files live on a host."""
        return f"/var/lib/wgorch/{self.name}"


@value
class Inventory:
    """The network that is wanted: `hosts` are reached by SSH, `devices` are peers that are not."""

    path: str
    network: Network
    hosts: Mapping[str, Host]
    verify: tuple[Flow, ...] = ()
    links: tuple[LinkRule, ...] = ()
    devices: Mapping[str, Host] = field(default_factory=dict)
    warnings: tuple[str, ...] = field(default=(), compare=False)

    @property
    def members(self) -> Mapping[str, Host]:
        """Everybody who has an address in the tunnel."""
        return {**self.hosts, **self.devices} if self.devices else self.hosts
