"""Values of a layout: machines and what leads to them; LANs behind NAT routers."""

from __future__ import annotations

from dataclasses import dataclass, field

from wgorch.inventory.model import IPAddress, IPNetwork
from wgorch.rehearsal.machine import Machine, PortForward, WorldError

SSH = 22


@dataclass
class Layout:
    """The machines of an inventory's world, and how they are reached."""

    machines: dict[str, Machine] = field(default_factory=dict)
    names: dict[str, IPAddress] = field(default_factory=dict)
    """Addresses of the names in the inventory."""
    ssh: dict[str, str] = field(default_factory=dict)
    """Machine by address or name, as SSH is given it."""
    controller: str = "controller"
    """The machine that runs wgorch."""
    users: dict[str, set[str]] = field(default_factory=dict)
    """Login names by machine."""
    assumed: list[str] = field(default_factory=list)
    """What the inventory does not say and the world needs."""


@dataclass
class Site:
    """A LAN behind one NAT router."""

    lan: IPNetwork
    name: str
    lan6: IPNetwork | None = None
    outside: IPAddress | None = None
    """The router's public address."""
    open_tcp_ports: list[int] = field(default_factory=list)
    port_forwards: list[PortForward] = field(default_factory=list)

    @property
    def segment(self) -> str:
        return f"lan of {self.name}"

    @property
    def router(self) -> str:
        return f"{self.name}-router"

    def set_outside(self, ip: IPAddress) -> None:
        """Give the router its public address. Raises WorldError for a second one."""
        if self.outside not in (None, ip):
            raise WorldError(f"{self.router} would need two public addresses: {self.outside} and {ip}")
        self.outside = ip
