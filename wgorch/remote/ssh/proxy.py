"""Programs in place of a TCP connection: a ProxyCommand, or an ssh that connects through a jump host."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Protocol

from wgorch.errors import Unreachable
from wgorch.remote.process import DROPPED, ProcessWire
from wgorch.remote.ssh.route import SshRoute

BANNER_MAX = 255
"""Bytes, by RFC 4253."""


class Receiver(Protocol):
    """What a banner is read from."""

    def recv(self, size: int) -> bytes: ...
    def settimeout(self, seconds: float) -> None: ...
    def close(self) -> None: ...


class ProxySocket:
    """The receiving side of a program's output, as a socket has it."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._wire = ProcessWire(argv, stderr=DROPPED)
        self._timeout = 0.0

    def settimeout(self, seconds: float) -> None:
        self._timeout = seconds

    def send(self, data: bytes) -> int:
        self._wire.send(data, self._timeout)
        return len(data)

    def recv(self, size: int) -> bytes:
        return self._wire.receive(self._timeout, size)

    def close(self) -> None:
        self._wire.close()


def proxy_argv(command: str) -> list[str]:
    """Arguments that run a ProxyCommand as ssh does: by the user's shell."""
    return [os.environ.get("SHELL") or "/bin/sh", "-c", f"exec {command}"]


def banner(host: str, route: SshRoute, sock: Receiver, timeout_s: float) -> str:
    """The SSH banner that comes through a socket, which is closed. Raises Unreachable."""
    end, line = time.monotonic() + timeout_s, b""
    try:
        while not line.endswith(b"\n") and len(line) < BANNER_MAX:
            sock.settimeout(max(0.01, end - time.monotonic()))
            data = sock.recv(1)
            if not data:
                break
            line += data
    except OSError as error:
        raise Unreachable(host, "reconnect by SSH", f"{route}: {str(error) or type(error).__name__}") from None
    finally:
        sock.close()
    if not line.startswith(b"SSH-"):
        raise Unreachable(host, "reconnect by SSH", f"{route}: no SSH banner, but {line[:60]!r}")
    return line.decode("ascii", "replace").strip()
