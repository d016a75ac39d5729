"""End all ssh children when the controller dies, however it dies: a process that waits for its end."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

from wgorch.base.assets import asset

_START = 'echo "+$$" 1<>"$1"; [ "$PPID" = "$2" ] || exit 1; shift 2; exec "$@"'
"""sh that registers itself at the reaper's FIFO, and becomes another program; not where the controller has died before."""


KILL_AFTER_S = 5


class Reaper:
    """One for all children of a run; started with the first."""

    def __init__(self, directory: Path) -> None:
        self._path = str(directory / "reaper")
        self._process: subprocess.Popen[bytes] | None = None
        self._fifo = -1
        self._guard = threading.Lock()

    def argv(self, argv: list[str]) -> list[str]:
        """Arguments that start a program registered."""
        self._start()
        return ["/bin/sh", "-c", _START, "sh", self._path, str(os.getpid()), *argv]

    def ended(self, pid: int) -> None:
        """Forget a child that has been waited for: its number may be another process's soon."""
        with self._guard:
            if self._process:  # after `close` the descriptor may be another file's
                os.write(self._fifo, f"-{pid}\n".encode())

    def close(self) -> None:
        """End what is left, and the reaper."""
        with self._guard:
            if self._process:
                os.close(self._fifo)
                try:
                    self._process.wait(KILL_AFTER_S)
                except subprocess.TimeoutExpired:
                    self._process.kill()
                    self._process.wait()
                self._process = None

    def _start(self) -> None:
        with self._guard:
            if self._process:
                return
            os.mkfifo(self._path, 0o600)
            # Reading too, so that it does not wait for the reaper; the reaper's input ends when this is closed.
            self._fifo = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", asset("remote/openssh", "reaper.sh"), "sh", self._path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            assert self._process.stdout
            with self._process.stdout as said:
                said.readline()  # it listens; before that, the death of the controller would go unnoticed
