"""The seam below a shell: send, receive, close."""

from __future__ import annotations

from typing import Protocol


class Wire(Protocol):
    """The two ends of a shell's standard input and output."""

    def send(self, data: bytes, timeout_s: float) -> None:
        """Send all of it, or raise OSError."""

    def receive(self, timeout_s: float) -> bytes:
        """Some bytes; none where the other end closed. Raises TimeoutError."""

    def close(self) -> None:
        """End it."""
