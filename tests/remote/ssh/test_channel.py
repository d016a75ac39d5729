"""A wire over a channel: a shell that ended is still read, a dead transport is noticed, silence is a timeout."""

from __future__ import annotations

import time

import pytest

from wgorch.remote.ssh.channel import ChannelWire


class Channel:
    """A channel of paramiko's: its parts of output, None for silence; its transport is itself."""

    def __init__(self, *parts: bytes | None, is_active: bool = True, refuses: OSError | None = None) -> None:
        self._parts = list(parts)
        self._active = is_active
        self._refuses = refuses
        self._timeout = 0.0
        self.sent = b""
        self.stderr = b"noise"

    def settimeout(self, seconds: float) -> None:
        self._timeout = seconds

    def sendall(self, data: bytes) -> None:
        if self._refuses:
            raise self._refuses
        self.sent += data

    def recv(self, _size: int) -> bytes:
        part = self._parts.pop(0) if self._parts else None
        if part is None:
            time.sleep(self._timeout)
            raise TimeoutError
        return part

    def recv_stderr_ready(self) -> bool:
        return bool(self.stderr)

    def recv_stderr(self, _size: int) -> bytes:
        found, self.stderr = self.stderr, b""
        return found

    def get_transport(self) -> Channel:
        return self

    def is_active(self) -> bool:
        return self._active


def test_output_is_read_and_standard_error_dropped() -> None:
    channel = Channel(b"one", b"")
    wire = ChannelWire(channel)

    assert [b"one", b""] == [wire.receive(1), wire.receive(1)]
    assert b"" == channel.stderr


def test_silence_is_a_timeout_in_time() -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        ChannelWire(Channel()).receive(0.1)

    assert 0.1 <= time.monotonic() - began < 1


def test_a_dead_transport_is_noticed_during_silence() -> None:
    with pytest.raises(ConnectionError, match="the SSH connection is gone"):
        ChannelWire(Channel(is_active=False)).receive(5)


def test_a_shell_that_has_ended_can_still_be_read() -> None:
    """It may have refused the login, and said so."""
    wire = ChannelWire(Channel(b"account expired", refuses=OSError("Socket is closed")))
    wire.send(b"program", 1)

    assert b"account expired" == wire.receive(1)


@pytest.mark.parametrize(
    ("error", "is_active"), [(OSError("Socket is closed"), False), (TimeoutError(), True)], ids=["dead", "late"]
)
def test_what_cannot_be_sent_is_an_error(error: OSError, is_active: bool) -> None:
    with pytest.raises(type(error)):
        ChannelWire(Channel(refuses=error, is_active=is_active)).send(b"program", 1)
