"""A WireGuard interface and its peers, as they are compared."""

from __future__ import annotations

from dataclasses import field
from functools import cached_property

from wgorch.base.value import value


class PendingKey(str):
    """Stands for the public key of a host that has none yet, as ``<host>``."""

    __slots__ = ()

    @classmethod
    def of(cls, host: str) -> PendingKey:
        """The placeholder of one host."""
        return cls(f"<{host}>")


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
    """The other end, as one host's interface sees it. `name` is for people and is not compared.

    `preshared`: the file on the host that holds the second secret they share, `other` where none of ours does.
    """

    public_key: str
    allowed_ips: tuple[str, ...]
    endpoint: str | None = None
    persistent_keepalive: int = 0
    name: str = field(default="", compare=False)
    preshared: str = ""

    @cached_property
    def words(self) -> tuple[str, ...]:
        """All of it but the secret, as ``wg set`` takes it; made once for all hosts that see this peer alike."""
        endpoint = ("endpoint", self.endpoint) if self.endpoint else ()
        keepalive = ("persistent-keepalive", str(self.persistent_keepalive))
        return ("peer", self.public_key, "allowed-ips", ",".join(self.allowed_ips), *endpoint, *keepalive)
