"""What a server says before encryption begins: its banner, and the algorithms that it offers."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

KEXINIT = 20
"""Message number of RFC 4253, 7.1."""

MAX_PLAIN = 16384
"""Bytes that are kept; a server's offer takes one or two thousand."""

_LISTS = 10


class Offer(NamedTuple):
    """The lists of a server's KEXINIT that matter to a client."""

    kex: tuple[str, ...]
    host_keys: tuple[str, ...]
    ciphers: tuple[str, ...]
    macs: tuple[str, ...]


class Tap:
    """A socket that keeps the first bytes that come through it."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self.seen = b""

    def recv(self, size: int) -> bytes:
        data: bytes = self._sock.recv(size)
        self.seen += data
        if len(self.seen) > MAX_PLAIN:
            # paramiko asks for each packet in pieces: from now on without a detour.
            self.recv = self._sock.recv  # type: ignore[method-assign]
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def offer_in(seen: bytes) -> Offer | None:
    """Parse the offer in a server's first bytes; None where there is none, or not all of it."""
    at = 0 if seen.startswith(b"SSH-") else seen.find(b"\nSSH-") + 1
    banner, _, packet = seen[at:].partition(b"\n")
    if not banner.startswith(b"SSH-") or len(packet) < 6 or packet[5] != KEXINIT:
        return None
    rest, lists = packet[22:], []
    for _ in range(_LISTS):
        size = int.from_bytes(rest[:4], "big")
        if len(rest) < 4 + size:
            return None
        lists.append(tuple(rest[4 : 4 + size].decode("ascii", "replace").split(",")))
        rest = rest[4 + size :]
    return Offer(lists[0], lists[1], lists[3], lists[5])


def agreed(wanted: tuple[str, ...], offered: tuple[str, ...]) -> str:
    """The algorithm that both sides agree on: the client's first that the server has; empty if there is none."""
    return next((name for name in wanted if name in offered), "")


def offered_by(sock: Any, timeout_s: float) -> Offer | None:
    """Ask a server what it offers, on a new connection, which is closed; None where it does not say."""
    end, seen = time.monotonic() + timeout_s, b""
    try:
        sock.settimeout(timeout_s)
        sock.send(b"SSH-2.0-wgorch\r\n")
        while (offer := offer_in(seen)) is None and len(seen) < MAX_PLAIN:
            sock.settimeout(max(0.01, end - time.monotonic()))
            data = sock.recv(4096)
            if not data:
                return None
            seen += data
    except OSError:
        return None
    finally:
        sock.close()
    return offer
