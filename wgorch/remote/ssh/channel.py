"""A shell's wire over one SSH channel."""

from __future__ import annotations

import time
from typing import Any


class ChannelWire:
    """A Wire over an open channel of paramiko's that runs a shell."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel

    def send(self, data: bytes, timeout_s: float) -> None:
        """As `Wire.send`; a shell that has ended by itself is no error here, its last output is still to be read."""
        self._channel.settimeout(timeout_s)
        try:
            self._channel.sendall(data)
        except TimeoutError:
            raise
        except OSError:
            if not self._is_connected():
                raise

    def receive(self, timeout_s: float) -> bytes:
        end = time.monotonic() + timeout_s
        channel = self._channel
        while True:
            # paramiko does not notice a transport that dies during a receive, so wait in short turns.
            if channel.recv_stderr_ready():
                channel.recv_stderr(65536)
            try:
                channel.settimeout(min(1.0, max(0.01, end - time.monotonic())))
                return bytes(channel.recv(65536))
            except TimeoutError:
                if not self._is_connected():
                    raise ConnectionError("the SSH connection is gone") from None
                if time.monotonic() >= end:
                    raise

    def _is_connected(self) -> bool:
        transport = self._channel.get_transport()
        return transport is not None and bool(transport.is_active())

    def close(self) -> None:
        self._channel.close()
