"""Endpoints: where the peers of a host connect to."""

from __future__ import annotations

from typing import NamedTuple

from wgorch.base import ip


class Endpoint(NamedTuple):
    """Public host and UDP port of a WireGuard interface."""

    host: str
    """IP address or DNS name."""
    port: int
    """UDP port."""

    @property
    def is_address(self) -> bool:
        """True if the host is an IP address, so that no name server is needed."""
        return ip.is_ip_host(self.host)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Way(NamedTuple):
    """One of several endpoints of a host."""

    endpoint: Endpoint
    """Where peers connect to."""
    only: tuple[str, ...] = ()
    """The members that may use it; empty: all."""
    in_lan: bool = False
    """True for an address in the host's own LAN, which its neighbours there use."""

    @property
    def is_for_all(self) -> bool:
        """True if every member may use it."""
        return not self.only and not self.in_lan

    @property
    def version(self) -> int:
        """The IP version that a peer needs; 0 for a name, which may have addresses of both."""
        address = ip.as_ip(self.endpoint.host)
        return address.version if address else 0
