"""Programs of this machine that answer at once, such as git and ssh-keygen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, NamedTuple

TIMEOUT_S = 60
"""A key may wait for a touch, or for a passphrase."""


class Answer(NamedTuple):
    """How a program ended, and what it printed."""

    code: int
    output: str
    errors: str


MISSING = Answer(127, "", "")
"""The answer of a program that is not there."""
LATE = Answer(124, "", "it took too long")
"""The answer of a program that was given up."""


def ask(argv: Sequence[str], given: bytes = b"", timeout_s: float = TIMEOUT_S) -> Answer:
    """Run a program with some input until it ends; MISSING where it cannot be run, LATE where it does not end."""
    import subprocess

    try:
        done = subprocess.run(argv, input=given, capture_output=True, check=False, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        return LATE
    except (OSError, ValueError):
        return MISSING
    return Answer(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


class TooMuch(Exception):
    """Raised where a program prints more than is read."""


def collect(argv: Sequence[str], folder: str, timeout_s: float, limit: int) -> Answer:
    """Run a program in a folder, without input, and take at most `limit` bytes of each of its streams.

    It and what it started end with the time, or with more than that. MISSING, LATE as of `ask`. Raises TooMuch.
    """
    import contextlib
    import os
    import signal
    import subprocess
    import time

    deadline = time.monotonic() + timeout_s
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            process_group=0,
        )
    except (OSError, ValueError):
        return MISSING
    assert process.stdout is not None and process.stderr is not None
    try:
        texts = _texts((process.stdout, process.stderr), deadline, limit)
        if texts is None:
            return LATE
        code = process.wait(max(0.1, deadline - time.monotonic()))
        return Answer(code, *texts)
    except subprocess.TimeoutExpired:
        return LATE
    finally:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        process.stderr.close()


def _texts(streams: Sequence[IO[bytes]], deadline: float, limit: int) -> list[str] | None:
    """What streams give until they end; None where they do not in time. Raises TooMuch."""
    import os
    import selectors
    import time

    taken = {stream.fileno(): bytearray() for stream in streams}
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                return None
            for key, _ in ready:
                data = os.read(key.fd, 65536)
                taken[key.fd] += data
                if len(taken[key.fd]) > limit:
                    raise TooMuch
                if not data:
                    selector.unregister(key.fileobj)
    return [data.decode(errors="replace") for data in taken.values()]
