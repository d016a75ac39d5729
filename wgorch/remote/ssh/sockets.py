"""Sockets and channels without Nagle and delayed acknowledgements."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import Any

from wgorch.remote.ssh.limits import DEAD_AFTER_S


class QuickSocket(socket.socket):
    """A socket that waits neither for Nagle nor for a delayed acknowledgement, and notices a dead peer."""

    ahead = b""

    def prepare(self) -> None:
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_AFTER_S * 1000)

    def recv(self, size: int, flags: int = 0) -> bytes:
        # paramiko asks for a packet in pieces; all that has come is taken at once.
        if not self.ahead:
            # Linux forgets this after each acknowledgement; without it every exchange costs 40 ms.
            if hasattr(socket, "TCP_QUICKACK"):
                with contextlib.suppress(OSError):
                    self.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            self.ahead = super().recv(max(size, 65536), flags)
        data, self.ahead = self.ahead[:size], self.ahead[size:]
        return data


class ChannelWire:
    """A Wire over one SSH channel."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel

    def send(self, data: bytes, timeout_s: float) -> None:
        self._channel.settimeout(timeout_s)
        try:
            self._channel.sendall(data)
        except TimeoutError:
            raise
        except OSError:
            # A shell that ended at once, maybe before it was told anything: what it said is still to be read.
            transport = self._channel.get_transport()
            if transport is None or not transport.is_active():
                raise

    def receive(self, timeout_s: float) -> bytes:
        end = time.monotonic() + timeout_s
        channel = self._channel
        while True:
            # paramiko does not notice a transport that died while a receive waits, so wait in short turns.
            if channel.recv_stderr_ready():
                channel.recv_stderr(65536)
            try:
                channel.settimeout(min(1.0, max(0.01, end - time.monotonic())))
                return bytes(channel.recv(65536))
            except TimeoutError:
                transport = channel.get_transport()
                if transport is None or not transport.is_active():
                    raise ConnectionError("the SSH connection is gone") from None
                if time.monotonic() >= end:
                    raise

    def close(self) -> None:
        self._channel.close()
