"""The terminal: rich with everything of the hosts' shown as plain text, and no control characters off a terminal."""

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


def console(*, stderr: bool = False, quiet: bool = False) -> Console:
    """A console that never takes a host's text for markup."""
    stream = sys.stderr if stderr else sys.stdout
    forced = bool(os.environ.get("FORCE_COLOR"))
    narrow: dict[str, Any] = (
        {} if stream.isatty() or forced else {"width": 160, "no_color": True, "force_terminal": False}
    )
    from rich.console import Console

    return Console(stderr=stderr, quiet=quiet, markup=False, highlight=False, emoji=False, soft_wrap=True, **narrow)


class LazyConsole:
    """A console that is made, and rich imported, when something is first written to it: at best while hosts are waited for."""

    def __init__(self, *, stderr: bool = False) -> None:
        self._stderr = stderr
        self._guard = threading.Lock()
        self._made: Console | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    @property
    def real(self) -> Console:
        """The console itself."""
        with self._guard:
            if self._made is None:
                self._made = console(stderr=self._stderr)
            return self._made

    @property
    def may_draw(self) -> bool:
        """True where it may be a terminal."""
        return (sys.stderr if self._stderr else sys.stdout).isatty() or bool(os.environ.get("FORCE_COLOR"))


def plain(text: object, style: str = "") -> Text:
    """Text from outside, safe to draw."""
    from rich.text import Text

    return Text(visible(str(text)), style=style)
