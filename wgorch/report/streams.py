"""Standard output and error that never end a run: closed, full, or of an encoding that lacks a character."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import IO, Any


class Surviving:
    """A text stream whose first failure ends its output, and nothing else. `reader_left`: nothing reads it any more."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._error = ""
        self.reader_left = False
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        if not self._error:
            try:
                return self._stream.write(text)
            except (OSError, ValueError) as error:
                self._lose(error)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if not self._error:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._lose(error)

    def lost(self) -> str:
        """Why output was lost; empty if none was."""
        self.flush()
        return self._error

    def _lose(self, error: Exception) -> None:
        self.reader_left = isinstance(error, BrokenPipeError)
        self._error = getattr(error, "strerror", None) or str(error)
        # What is still buffered would raise again when the stream is closed.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def survive() -> Surviving:
    """Replace both streams; standard output is returned. A stream that is closed goes nowhere."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - until the end
        setattr(sys, name, Surviving(stream))
    output = sys.stdout
    assert isinstance(output, Surviving)
    return output
