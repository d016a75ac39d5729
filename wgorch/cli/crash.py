"""An error that wgorch does not foresee: one line on the terminal, and a report without secrets in a file."""

from __future__ import annotations

import os
import platform
import secrets
import sys
import tempfile
import traceback
from pathlib import Path

from wgorch.base.text import one_line, visible, without_keys
from wgorch.errors import INTERNAL


def report_crash(error: Exception) -> int:
    """Write the report of an error and say where it is; the exit code."""
    sys.stderr.write(f"wgorch: internal error: {type(error).__name__}: {without_keys(one_line(str(error), 200))}\n")
    try:
        sys.stderr.write(
            f"    hint: wgorch status shows what the hosts run; please report this with {_written(error)}\n"
        )
    except OSError as failed:
        sys.stderr.write(f"    hint: please report this; no report could be written: {failed}\n")
    return INTERNAL


def _written(error: Exception) -> Path:
    """The file of a new report. Raises OSError."""
    from wgorch.base.directories import private_directory, state_directory

    directory = state_directory()
    try:
        private_directory(directory)
    except OSError:
        directory = Path(tempfile.gettempdir())
    path = directory / f"error-{secrets.token_hex(4)}.txt"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(_report(error))
    return path


def _report(error: Exception) -> str:
    """Versions, the verb, and the traceback; keys are hidden, and the values of options are left out."""
    from wgorch import __version__

    verb = next((word for word in sys.argv[1:2] if word.isalpha()), "")
    options = " ".join(word.partition("=")[0] for word in sys.argv[2:] if word.startswith("-"))
    head = (
        f"wgorch {__version__}, Python {platform.python_version()}, {platform.platform()}\nwgorch {verb} {options}\n\n"
    )
    trace = "".join(traceback.format_exception(error)).split("\n")
    return head + "\n".join(visible(without_keys(line)) for line in trace)
