"""The packet that is traced, and its reply: how each is recognized on every interface."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from wgorch.base.value import value
from wgorch.facts.path_mtu import ICMP_HEADER, PING_HEADERS
from wgorch.inventory.model import IPAddress


class Kind(StrEnum):
    """A packet of a trace; full-size ones fill the tunnel's MTU."""

    REQUEST = "request"
    REPLY = "reply"
    FULL_REQUEST = "request-full"
    FULL_REPLY = "reply-full"

    @property
    def is_reply(self) -> bool:
        return self in (Kind.REPLY, Kind.FULL_REPLY)

    @property
    def is_full(self) -> bool:
        return self in (Kind.FULL_REQUEST, Kind.FULL_REPLY)

    @classmethod
    def of(cls, *, reply: bool, full: bool) -> Kind:
        if full:
            return cls.FULL_REPLY if reply else cls.FULL_REQUEST
        return cls.REPLY if reply else cls.REQUEST


@value
class Probe:
    """A packet that is recognized by an unusual size (ICMP), or by its port."""

    source: IPAddress
    target: IPAddress
    protocol: str = "icmp"
    port: int = 0
    size: int = 173
    """ICMP payload in bytes."""
    full_size: int = 0
    """ICMP payload of the packet that fills the tunnel, in bytes; 0 where none is sent."""

    @property
    def family(self) -> str:
        """nft's word for the IP version."""
        return "ip" if self.target.version == 4 else "ip6"

    @property
    def full_mtu(self) -> int:
        """Size of the full-size packet in bytes, IP header included."""
        return self.full_size + PING_HEADERS[self.target.version]

    def ends(self, kind: Kind) -> tuple[IPAddress, IPAddress]:
        """Source and destination of a packet before any NAT."""
        return (self.target, self.source) if kind.is_reply else (self.source, self.target)

    def matches(self) -> Iterator[tuple[Kind, str]]:
        """The nft expression that matches each packet."""
        if self.protocol != "icmp":
            yield Kind.REQUEST, f"{self.family} daddr {self.target} {self.protocol} dport {self.port}"
            yield Kind.REPLY, f"{self.family} saddr {self.target} {self.protocol} sport {self.port}"
            return
        # nft's `ip length` counts the IP header, `ip6 length` does not.
        icmp, headers = ("icmp", PING_HEADERS[4]) if self.target.version == 4 else ("icmpv6", ICMP_HEADER)
        for full, size in ((False, self.size), (True, self.full_size)):
            if size:
                length = f"{self.family} length {size + headers}"
                request, reply = Kind.of(reply=False, full=full), Kind.of(reply=True, full=full)
                yield request, f"{self.family} daddr {self.target} {icmp} type echo-request {length}"
                yield reply, f"{self.family} saddr {self.target} {icmp} type echo-reply {length}"
