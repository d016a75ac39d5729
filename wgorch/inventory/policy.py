"""Values of a policy: a service, and a line that lets it pass between two sides."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

ANY = "any"
"""The side that is every address, and the service that is every protocol."""

INTERNET = "internet"
"""The side that is every address outside of the tunnel and of all LANs."""

LAN = ".lan"
"""Ends the name of a side: what lies behind a member."""

PING, TCP, UDP = "ping", "tcp", "udp"
PROTOCOLS = (TCP, UDP, PING, ANY)

Ports = tuple[tuple[int, int], ...]


class Service(NamedTuple):
    """A protocol, one of PROTOCOLS, and its ports."""

    protocol: str
    ports: Ports = ()
    """Ranges, both ends included, sorted and apart; empty for all ports, and where the protocol has none."""

    def covers(self, other: Service) -> bool:
        """True if everything of the other service belongs to this one."""
        if self.protocol == ANY:
            return True
        if self.protocol != other.protocol:
            return False
        return not self.ports or bool(
            other.ports and all(any(a <= low and high <= b for a, b in self.ports) for low, high in other.ports)
        )

    def __str__(self) -> str:
        ports = ",".join(f"{low}-{high}" if low != high else f"{low}" for low, high in self.ports)
        return f"{self.protocol} {ports}" if ports else self.protocol


EVERYTHING = Service(ANY)
PINGS = Service(PING)


def joined(ranges: Iterable[tuple[int, int]]) -> Ports:
    """Ranges of ports, sorted, those that touch as one."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return tuple(found)


class PolicyRule(NamedTuple):
    """A line of `policy:`: what may pass from one side to another, and the answers to it."""

    source: str
    """As written: ANY, INTERNET, a host, a device, a group, ``NAME.lan``, an address, or a network."""
    target: str
    services: tuple[Service, ...]
    until: int = 0
    """UNIX time at which it ends; 0 for never."""

    def __str__(self) -> str:
        until = f" until {moment(self.until)}" if self.until else ""
        plain = self.services == (EVERYTHING,) and not until
        services = "" if plain else f": {', '.join(map(str, self.services))}"
        return f"{self.source} -> {self.target}{services}{until}"


def moment(until: int) -> str:
    """The end of a line as it is written: a day, which it includes, or a day and a time, in UTC."""
    last = datetime.fromtimestamp(until if until % DAY_S else until - DAY_S, UTC)
    return last.strftime("%Y-%m-%d %H:%M" if until % DAY_S else "%Y-%m-%d")


DAY_S = 86400


_ADDRESS = re.compile(r"[0-9]+\.[0-9]|[0-9A-Fa-f]*:")


def is_address(side: str) -> bool:
    """True if a side is written as an address or a network, right or wrong."""
    return _ADDRESS.match(side) is not None
