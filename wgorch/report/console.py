"""Terminal output by rich: text from hosts is never markup and carries no control characters."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any

from wgorch.base.text import visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

SIGNS = {"+": "green", "~": "yellow", "-": "red"}
"""Style by the sign of a Change."""


def console(*, stderr: bool = False, quiet: bool = False) -> Console:
    """A console without markup, highlighting and emoji; off a terminal without colour."""
    stream = sys.stderr if stderr else sys.stdout
    off_terminal: dict[str, Any] = (
        {"soft_wrap": False}  # wrapped by words
        if _may_be_terminal(stream)
        else {"soft_wrap": True, "width": 160, "no_color": True, "force_terminal": False}
    )
    from rich.console import Console

    return Console(stderr=stderr, quiet=quiet, markup=False, highlight=False, emoji=False, **off_terminal)


class LazyConsole:
    """A console that is built, and rich imported, on first use: at best while waiting for hosts."""

    def __init__(self, *, stderr: bool = False) -> None:
        self._stderr = stderr
        self._guard = threading.Lock()
        self._console: Console | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    @property
    def real(self) -> Console:
        """The rich console itself, for what needs its type."""
        with self._guard:
            if self._console is None:
                self._console = console(stderr=self._stderr)
            return self._console

    @property
    def may_be_terminal(self) -> bool:
        """False if it is surely no terminal; does not import rich."""
        return _may_be_terminal(sys.stderr if self._stderr else sys.stdout)


def _may_be_terminal(stream: Any) -> bool:
    return stream.isatty() or bool(os.environ.get("FORCE_COLOR"))


def safe_text(text: object, style: str = "") -> Text:
    """Text from outside, without markup and control characters."""
    from rich.text import Text

    return Text(visible(str(text)), style=style)
