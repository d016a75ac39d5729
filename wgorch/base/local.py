"""Programs of this machine that answer at once, such as git and ssh-keygen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

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
