"""The terminal: rich with everything of the hosts' shown as plain text, and no control characters off a terminal."""

from __future__ import annotations

import os
import sys
from typing import Any

from rich.console import Console
from rich.text import Text

from wgorch.text import visible

SIGNS = {"+": "green", "~": "yellow", "-": "red"}


def console(*, stderr: bool = False, quiet: bool = False) -> Console:
    """A console that never takes a host's text for markup."""
    stream = sys.stderr if stderr else sys.stdout
    forced = bool(os.environ.get("FORCE_COLOR"))
    narrow: dict[str, Any] = (
        {} if stream.isatty() or forced else {"width": 160, "no_color": True, "force_terminal": False}
    )
    return Console(stderr=stderr, quiet=quiet, markup=False, highlight=False, emoji=False, soft_wrap=True, **narrow)


def plain(text: object, style: str = "") -> Text:
    """Text from outside, safe to draw."""
    return Text(visible(str(text)), style=style)
