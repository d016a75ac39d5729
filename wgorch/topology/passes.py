"""What a host lets pass of the packets that come out of the tunnel, as values."""

from __future__ import annotations

from typing import NamedTuple

from wgorch.base.value import value
from wgorch.inventory.model import IPNetwork
from wgorch.inventory.policy import Service


class Addresses(NamedTuple):
    """Addresses of one IP version."""

    networks: tuple[IPNetwork, ...]
    excluded: bool = False
    """True for all but these; all but none is every address."""


class Pass(NamedTuple):
    """Packets that may pass."""

    version: int
    source: Addresses
    target: Addresses
    service: Service
    answers: bool = False
    """True for the answers to the service: its ports are those that they come from."""
    tracked: bool = False
    """True where they pass only as part of a connection that was seen both ways."""
    until: int = 0
    """UNIX time at which they do not any more; 0 for never."""


@value
class Filtering:
    """What a host lets pass of the packets that come out of the tunnel."""

    arriving: tuple[Pass, ...]
    """To the host itself and into its LANs, by the LANs' own addresses."""
    leaving: tuple[Pass, ...]
    """To the internet, for those that use it as exit node."""
    lans: tuple[IPNetwork, ...]
    """Its LANs by their own addresses, which are no part of the internet."""
    judged: tuple[IPNetwork, ...]
    """Where what comes in is judged before any NAT: its tunnel addresses, and its LANs that have their own addresses in the
    tunnel."""
    relayed: tuple[Pass, ...]
    """Back into the tunnel."""
    entering: tuple[Pass, ...]
    """To the devices, from elsewhere than the tunnel: its LANs by their own addresses, and answers from the internet."""
    devices: tuple[IPNetwork, ...]
    """Networks of the devices that have it as relay: it is where packets for them are filtered as at a host."""
    peers: tuple[IPNetwork, ...]
    """Tunnel addresses whose pings pass, as wgorch proves sessions with them."""
    own: tuple[IPNetwork, ...]
    """Its tunnel addresses."""

    @property
    def ends(self) -> bool:
        """True if something passes until a certain time."""
        return any(each.until for each in (*self.arriving, *self.leaving, *self.relayed, *self.entering))
