"""Failover: how patient hosts are with relays, and the names of the interfaces that it takes."""

from __future__ import annotations

from wgorch.base.value import value


@value
class Failover:
    """How hosts notice that a relay is lost, and when they return to it."""

    interval_ms: int = 1000
    """Between two pings of a relay."""
    misses: int = 3
    """Pings in a row without a reply after which a relay is lost."""
    back_s: int = 60
    """Seconds that the preferred relay must answer before it is used again; doubles while it fails soon after."""


RELAY_LETTERS = "abcdefgh"
"""Behind an r: suffixes of a relay's interfaces with the first relay of the file, the second …"""

STANDBY_LETTERS = RELAY_LETTERS[1:]
"""Suffixes of the interfaces of a host with its second relay, its third …"""

MAX_RELAYS = len(RELAY_LETTERS)
