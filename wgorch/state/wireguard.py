"""A WireGuard interface and its peers, as they are compared."""

from __future__ import annotations

from dataclasses import field

from wgorch.base.value import value


class PendingKey(str):
    """Stands for the public key of a host that has none yet, as ``<host>``."""

    __slots__ = ()

    @classmethod
    def of(cls, host: str) -> PendingKey:
        """The placeholder of one host."""
        return cls(f"<{host}>")


FOREIGN = "psk.other."
"""Begins the file name of a preshared key that wgorch did not make; the rest is its digest."""


@value
class Interface:
    """The WireGuard interface. `fwmark` marks its own encrypted packets, so that they do not enter it again."""

    name: str
    alias: str
    mtu: int
    listen_port: int
    public_key: str
    up: bool = True
    fwmark: int = 0


@value
class Peer:
    """A peer entry of one host's interface."""

    public_key: str
    allowed_ips: tuple[str, ...]
    """Networks as text, in order."""
    endpoint: str | None = None
    persistent_keepalive: int = 0
    """Seconds; 0: none."""
    name: str = field(default="", compare=False)
    """Host name, for people."""
    preshared: str = ""
    """File of the preshared key on the host; of one that wgorch did not make, the file it is kept in (FOREIGN)."""
    roams: bool = field(default=False, compare=False)
    """True where it may come from another address than the endpoint's, which then is none to be set again."""
    words: tuple[str, ...] = field(init=False, compare=False, repr=False)
    """The peer as ``wg set`` takes it, without its preshared key."""

    def __post_init__(self) -> None:
        endpoint = ("endpoint", self.endpoint) if self.endpoint else ()
        keepalive = ("persistent-keepalive", str(self.persistent_keepalive))
        words = ("peer", self.public_key, "allowed-ips", ",".join(self.allowed_ips), *endpoint, *keepalive)
        object.__setattr__(self, "words", words)
