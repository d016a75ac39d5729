"""TCP sockets without Nagle's algorithm and delayed acknowledgements."""

from __future__ import annotations

import contextlib
import socket
import time

from wgorch.errors import Unreachable
from wgorch.remote.ssh.limits import DEAD_AFTER_S


class QuickSocket(socket.socket):
    """A socket that sends and acknowledges at once, reads ahead, and notices a dead peer."""

    ahead = b""
    """Bytes that have come and are not yet asked for."""

    def prepare(self) -> None:
        """Set the options; once connected."""
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_AFTER_S * 1000)

    def recv(self, size: int, flags: int = 0) -> bytes:
        # paramiko asks for a packet in pieces; all that has come is taken at once.
        if not self.ahead:
            # Linux clears this after each acknowledgement; without it every exchange costs 40 ms.
            if hasattr(socket, "TCP_QUICKACK"):
                with contextlib.suppress(OSError):
                    self.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            self.ahead = super().recv(max(size, 65536), flags)
        data, self.ahead = self.ahead[:size], self.ahead[size:]
        return data


def connect_tcp(host: str, address: str, port: int, timeout_s: float) -> QuickSocket:
    """Connect to a name or address, each of its addresses in turn. Raises Unreachable for `host`."""
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:  # the latter: a label that is empty or too long
        hint, problem = "check the name, or give an address", getattr(error, "strerror", "") or "no valid name"
        raise Unreachable(host, f"resolve {address}", problem, hint) from None
    began = time.monotonic()
    last: OSError | None = None
    for family, kind, proto, _, place in found:
        sock = QuickSocket(family, kind, proto)
        try:
            sock.settimeout(timeout_s)
            sock.connect(place)
            sock.prepare()
            return sock
        except OSError as error:
            last = error
            sock.close()
    reason = (last.strerror or str(last)) if last else "no address"
    problem = f"{address} port {port}: {reason} (after {time.monotonic() - began:.1f} s)"
    raise Unreachable(host, "connect", problem, "check that the host is up and that this is its SSH address")
