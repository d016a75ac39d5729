"""The transport seam of a shell: send bytes, receive bytes, close."""

from __future__ import annotations

from typing import Protocol


class Wire(Protocol):
    """Standard input and output of one shell."""

    def send(self, data: bytes, timeout_s: float) -> None:
        """Send all of it, or raise OSError."""

    def receive(self, timeout_s: float) -> bytes:
        """Return some bytes; b"" at end of file. Raises TimeoutError."""

    def close(self) -> None:
        """Close both directions."""
