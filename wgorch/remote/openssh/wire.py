"""A shell's wire over one child of OpenSSH's client, whose messages come by its standard error."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Mapping
from typing import IO, cast

from wgorch.remote.openssh.log import READY, is_authenticated
from wgorch.remote.openssh.reaper import Reaper
from wgorch.remote.process import KEPT, ProcessWire

END_S = 5
"""How long ssh may take to end once its output has ended."""

MAX_LOG = 65536
"""Bytes of messages that are kept."""


class SshWire(ProcessWire):
    """A Wire over an ssh process. `log`: what it has said."""

    def __init__(self, argv: list[str], reaper: Reaper, env: Mapping[str, str] | None = None) -> None:
        self._reaper = reaper
        super().__init__(reaper.argv(argv), stderr=KEPT, env=env)
        self._err = cast("IO[bytes]", self.process.stderr).fileno()
        self._log = bytearray()

    @property
    def log(self) -> str:
        return self._log.decode("utf-8", "replace").replace("\r", "")

    def wait_ready(self, timeout_s: float) -> bool:
        """Wait for the session; False where ssh ended without one. Raises TimeoutError."""
        end = time.monotonic() + timeout_s
        while not READY.search(self.log):
            if not self._read_log(end - time.monotonic()):
                self.status(END_S)
                return is_authenticated(self.log)
        return True

    def wait_end(self, timeout_s: float) -> str:
        """Wait until ssh has ended; its log. Raises TimeoutError."""
        end = time.monotonic() + timeout_s
        while self._read_log(end - time.monotonic()):
            pass
        self.status(END_S)
        return self.log

    def has_more_log(self, timeout_s: float) -> bool:
        """Read what messages come within some seconds; False where ssh has ended."""
        try:
            return self._read_log(timeout_s)
        except TimeoutError:
            return True

    def send(self, data: bytes, timeout_s: float) -> None:
        """As `Wire.send`; a shell that has ended by itself is no error here, its last output is still to be read."""
        try:
            super().send(data, timeout_s)
        except BrokenPipeError:
            if self.process.poll() == 255:
                raise ConnectionError(self._last_words()) from None

    def receive(self, timeout_s: float, size: int = 65536) -> bytes:
        end = time.monotonic() + timeout_s
        while True:
            poll = select.poll()
            for descriptor in (self._out, self._err):
                if descriptor >= 0:
                    poll.register(descriptor, select.POLLIN)
            ready = [descriptor for descriptor, _ in poll.poll(max(0, end - time.monotonic()) * 1000)]
            if not ready:
                raise TimeoutError
            if self._err in ready:
                self._read_log(0)
            if self._out in ready or self._out < 0:
                return self._output(size)

    def hang_up(self) -> None:
        """Close the pipes and end ssh; `close` waits for it."""
        self._err = -1
        super().hang_up()
        if self.process.poll() is None:
            self.process.terminate()

    def close(self) -> None:
        super().close()
        self._reaper.ended(self.process.pid)

    def _output(self, size: int) -> bytes:
        data = super().receive(0, size)
        if not data and self.status(END_S) in (None, 255):
            with contextlib.suppress(TimeoutError):
                self.wait_end(1)
            if not _ended_itself(self.log):
                raise ConnectionError(self._last_words())
        return data

    def _read_log(self, timeout_s: float) -> bool:
        """Read some messages; False at their end. Raises TimeoutError."""
        if self._err < 0:
            return False
        poll = select.poll()
        poll.register(self._err, select.POLLIN)
        if not poll.poll(max(0, timeout_s) * 1000):
            raise TimeoutError
        data = os.read(self._err, 65536)
        if not data:
            self._err = -1
            return False
        self._log += data
        if len(self._log) > MAX_LOG:
            del self._log[MAX_LOG // 2 : -MAX_LOG // 2]
        return True

    def _last_words(self) -> str:
        lines = [line for line in self.log.splitlines() if line.strip() and not line.startswith("debug")]
        return lines[-1] if lines else "the SSH connection is gone"


def _ended_itself(log: str) -> bool:
    """True where the remote shell ended with 255 of its own, and not the connection."""
    return "debug1: Exit status 255" in log
