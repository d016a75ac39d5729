"""A wire to a child process of the controller."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import IO

PIECE = 4096
"""Bytes that a pipe takes without blocking once it is ready."""

MERGED, DROPPED, KEPT = subprocess.STDOUT, subprocess.DEVNULL, subprocess.PIPE
"""Where a child's standard error goes: with its output, nowhere, or to a pipe of its own."""

KILL_AFTER_S = 2
"""How long a child may take to end once its input is closed."""


class ProcessWire:
    """Standard input and output of a child, in a session of its own. A Wire."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        stderr: int = MERGED,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=env,
            bufsize=0,
            start_new_session=True,
        )
        self._in = _number(self.process.stdin)
        self._out = _number(self.process.stdout)

    def send(self, data: bytes, timeout_s: float) -> None:
        """As `Wire.send`."""
        end = time.monotonic() + timeout_s
        view = memoryview(data)
        while view:
            if self._in < 0:
                raise OSError("the shell is closed")
            if not _ready(self._in, select.POLLOUT, end - time.monotonic()):
                raise TimeoutError
            view = view[os.write(self._in, view[:PIECE]) :]

    def receive(self, timeout_s: float, size: int = 65536) -> bytes:
        """As `Wire.receive`."""
        if self._out < 0:
            raise OSError("the shell is closed")
        if not _ready(self._out, select.POLLIN, timeout_s):
            raise TimeoutError
        return os.read(self._out, size)

    def close(self) -> None:
        """Close the pipes, and wait for the child to end."""
        self.hang_up()
        if self.status(KILL_AFTER_S) is None:
            self.process.kill()
            self.status(KILL_AFTER_S)

    def status(self, timeout_s: float) -> int | None:
        """The child's exit status; None where it has not ended within some seconds."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def hang_up(self) -> None:
        """Close the pipes."""
        self._in = self._out = -1  # the numbers may be reused by another file
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()


def _number(stream: IO[bytes] | None) -> int:
    return stream.fileno() if stream else -1


def _ready(descriptor: int, event: int, timeout_s: float) -> bool:
    """Wait for a descriptor; poll, since select takes no number above 1023."""
    poll = select.poll()
    poll.register(descriptor, event)
    return bool(poll.poll(max(0, timeout_s) * 1000))
