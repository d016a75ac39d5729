"""Lines of `verify:` and `links:` as values."""

from __future__ import annotations

from typing import NamedTuple

from wgorch.base.ip import IPAddress
from wgorch.inventory.policy import PING, PINGS, Service


class Flow(NamedTuple):
    """A line of `verify:`: a host, and an address that must answer it, or must not."""

    source: str
    """Name of the host."""
    target: str
    """The address or host name as written in the file."""
    to: IPAddress | None
    """The address; None while the target host has none."""
    service: Service = PINGS
    """A ping, or one TCP or UDP port."""
    refused: bool = False
    """True for ``-x->``: it must not get through."""

    @property
    def is_ping(self) -> bool:
        """True for a ping that must be answered."""
        return self.service.protocol == PING and not self.refused

    @property
    def port(self) -> int:
        """Its TCP or UDP port; 0 for a ping."""
        return self.service.ports[0][0] if self.service.ports else 0

    def __str__(self) -> str:
        service = "" if self.is_ping else f": {self.service}"
        return f"{self.source} {'-x->' if self.refused else '->'} {self.target}{service}"

    @property
    def address(self) -> IPAddress:
        """The address that must answer; set once addresses are assigned."""
        assert self.to is not None, "addresses are assigned when an inventory is loaded"
        return self.to


class LinkRule(NamedTuple):
    """A line of `links:` about two hosts."""

    one: str
    """Name of the first host."""
    other: str
    """Name of the second host."""
    peering: bool
    """True for ``--``: they are peers; False for ``-x-``: they are not, and use a relay."""
    number: int = 0
    """Place of its line in the list; a line with several relays makes a rule for each, in their order."""
