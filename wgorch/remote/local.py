"""The controller itself as a host: the same shell, without SSH."""

from __future__ import annotations

import os
import select
import subprocess


class LocalWire:
    """A shell as a child process. `command`: what /bin/sh runs."""

    def __init__(self, command: str) -> None:
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
        )
        assert self._process.stdin and self._process.stdout
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()

    def send(self, data: bytes, timeout_s: float) -> None:
        if self._in < 0:
            raise OSError("the shell is closed")
        view = memoryview(data)
        while view:
            _, ready, _ = select.select([], [self._in], [], timeout_s)
            if not ready:
                raise TimeoutError
            view = view[os.write(self._in, view[:4096]) :]

    def receive(self, timeout_s: float) -> bytes:
        if self._out < 0:
            raise OSError("the shell is closed")
        ready, _, _ = select.select([self._out], [], [], timeout_s)
        if not ready:
            raise TimeoutError
        return os.read(self._out, 65536)

    def close(self) -> None:
        self._in = self._out = -1  # the numbers may be reused by another file
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                stream.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
