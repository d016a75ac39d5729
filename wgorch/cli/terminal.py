"""Text for a terminal: wrapped by words, so that no line is cut in the middle of one."""

from __future__ import annotations

import os
import sys

WIDTH = 80
"""Columns of a terminal that does not say how many it has."""


def on_terminal(text: str) -> str:
    """An error's text as stderr shows it: wrapped where that is a terminal, else as it is."""
    return wrapped(text, columns()) if sys.stderr.isatty() else text


def yes_or_no(question: str, *, default: bool) -> bool:
    """Ask until the answer is yes, no, or nothing, which is the default."""
    while True:
        answer = input(f"{question} [{'Y/n' if default else 'y/N'}] ").strip().lower()
        if answer in ("", "y", "yes", "n", "no"):
            return default if not answer else answer.startswith("y")
        sys.stderr.write("please answer yes or no\n")


def columns() -> int:
    """Columns of the terminal on stderr."""
    try:
        return os.get_terminal_size(2).columns or WIDTH
    except OSError:
        return WIDTH


def wrapped(text: str, width: int) -> str:
    """The same text with long lines wrapped by words; what follows is indented as its line is, and by two more."""
    import textwrap

    lines = []
    for line in text.split("\n"):
        indent = " " * (len(line) - len(line.lstrip()))
        fill = textwrap.TextWrapper(
            width, subsequent_indent=f"{indent}  ", break_long_words=False, break_on_hyphens=False, drop_whitespace=True
        )
        lines += fill.wrap(line) or [line]
    return "\n".join(lines)
