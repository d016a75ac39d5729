"""A wire to a child: output, a child that does not end, and one that has ended."""

from __future__ import annotations

import time

import pytest

from wgorch.remote.process import ProcessWire


def test_a_child_gets_and_gives_bytes() -> None:
    wire = ProcessWire(["/bin/cat"])
    wire.send(b"x" * 100_000, 5)
    received = b""
    while len(received) < 100_000:
        received += wire.receive(5)
    wire.close()

    assert b"x" * 100_000 == received
    assert 0 == wire.status(1)


def test_a_child_that_does_not_end_is_killed_in_time() -> None:
    wire = ProcessWire(["/bin/sh", "-c", "trap '' TERM HUP; exec sleep 60"])
    began = time.monotonic()
    assert wire.status(0.1) is None
    wire.close()

    assert -9 == wire.status(0)
    assert time.monotonic() - began < 10


def test_a_closed_wire_says_so() -> None:
    wire = ProcessWire(["/bin/cat"])
    wire.close()
    for use in (lambda: wire.send(b"x", 1), lambda: wire.receive(1)):
        with pytest.raises(OSError, match="the shell is closed"):
            use()
