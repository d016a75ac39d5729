"""What an inventory says, frozen and valid; nothing here was ever seen on a host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import NamedTuple

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network


class Endpoint(NamedTuple):
    """Where WireGuard's UDP reaches a host from outside."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Host:
    """One machine that wgorch reaches by SSH."""

    name: str
    ssh: SshTarget
    address: IPAddress
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


@dataclass(frozen=True, slots=True)
class Flow:
    """A line of `verify:`: from this host that address must answer."""

    source: str
    target: str
    address: IPAddress


@dataclass(frozen=True, slots=True)
class Network:
    """What all hosts share."""

    name: str
    subnet: IPNetwork
    interface: str = "wg0"

    @property
    def mark(self) -> str:
        """What everything of this network carries on a host, where it can carry a mark."""
        return f"wgorch:{self.name}"

    @property
    def directory(self) -> str:
        """Where this network's files live on a host."""
        return f"/var/lib/wgorch/{self.name}"


@dataclass(frozen=True, slots=True)
class Inventory:
    """The network that is wanted."""

    path: str
    network: Network
    hosts: Mapping[str, Host]
    verify: tuple[Flow, ...] = ()
    warnings: tuple[str, ...] = field(default=(), compare=False)
