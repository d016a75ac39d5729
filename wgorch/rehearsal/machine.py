"""Machines of a rehearsal world and their network interfaces."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from wgorch.base.value import value

PLACE = Path("/run/wgorch-rehearsal")
"""One directory for each world: disks, logs, the controller's key and the recorded process ids."""


class Interface(NamedTuple):
    """A network interface of a machine."""

    name: str
    segment: str
    """The Ethernet segment it is plugged into."""
    addresses: tuple[str, ...] = ()
    """In CIDR notation."""
    mtu: int = 1500


class PortForward(NamedTuple):
    """A port that a NAT router forwards from its outer interface to a machine behind it."""

    protocol: str
    port: int
    address: str


@value
class Machine:
    """One machine: a set of namespaces.

    A NAT router masquerades IPv4 only. It routes IPv6 unchanged, and drops unsolicited packets of both from outside.
    """

    name: str
    interfaces: tuple[Interface, ...]
    gateways: tuple[str, ...] = ()
    """Default gateways: of IPv4, of IPv6 or both."""
    forwards: bool = False
    nat: str | None = None
    """The outer interface of a NAT router."""
    hard_nat: bool = False
    """Symmetric NAT: endpoint-dependent mapping."""
    open_tcp_ports: tuple[int, ...] = ()
    """TCP ports that a NAT router itself accepts from outside."""
    port_forwards: tuple[PortForward, ...] = ()
    sshd: tuple[str, ...] | None = None
    """Lines of sshd_config beside the world's own; None for no sshd."""
    systemd: bool = False
    """Run a real systemd as init."""
    routes: tuple[tuple[str, str], ...] = ()
    """Static routes, as (network, gateway)."""
    userland: Path | None = None
    """Root directory of another distribution, whose programs and files it has; None: this machine's own."""


class WorldError(RuntimeError):
    """The world cannot be built; the message says which part and why."""
