"""Text that a shell runs: literals of this package with quoted words in them. Nothing else is of the type `Sh`."""

from __future__ import annotations

import secrets
import shlex
import string
from collections.abc import Iterable
from typing import NewType

from wgorch.base.text import one_line

Sh = NewType("Sh", str)
"""POSIX sh text. mypy refuses other text where it is wanted; tests/base/test_sh.py says who may make one."""

EMPTY = Sh("")

_PLAIN = (string.ascii_letters + string.digits + "_@%+=:,./- ").encode()
"""What `shlex.quote` leaves as it is, and the space between words; one look at many words is much quicker than one at each."""


def quote_words(words: Iterable[str]) -> Sh:
    """Words as one sh command line."""
    words = tuple(words)
    line = " ".join(words)
    if (
        "" not in words
        and line.count(" ") == len(words) - 1
        and not line.encode(errors="replace").translate(None, _PLAIN)
    ):
        return Sh(line)
    return Sh(" ".join(shlex.quote(word) for word in words))


def quote(text: str) -> Sh:
    """One word of sh, whatever is in it."""
    if text and " " not in text and not text.encode(errors="replace").translate(None, _PLAIN):
        return Sh(text)
    return Sh(shlex.quote(text))


def sh(template: str, **parts: Sh | int) -> Sh:
    """A literal with sh text and numbers in its braces, as `str.format` fills them."""
    return Sh(template.format_map(parts))


def sh_lines(lines: Iterable[Sh], by: str = "\n") -> Sh:
    """Lines of sh as one text. `by`: a literal."""
    return Sh(by.join(lines))


def comment(text: str) -> Sh:
    """Text that stays in one comment line whatever is in it."""
    plain = one_line(text).translate({0x201C: '"', 0x201D: '"', 0x2026: "..."}).encode("ascii", "replace").decode()
    return Sh(f"# {plain}")


def header_line(name: str, text: str) -> Sh:
    """A comment that programs read: ``#: NAME TEXT``. Raises ValueError for text that is not one line."""
    line = f"#: {name} {text}"
    if not line.isprintable():
        raise ValueError(f"a header of more than one line: {line!r}")
    return Sh(line)


def here_document(line: Sh, text: str, then: Sh = EMPTY) -> Sh:
    """A command whose standard input is the text, as it is; `then`: what follows the command on its line."""
    begins = {line[:1] for line in text.split("\n")}
    # dash loses a byte of a line that begins as the end does and goes on with one that is not ASCII.
    end = next((letter for letter in "EXZQ" if letter not in begins), "E") + "ND"
    while end in text.split("\n"):
        end += "_"
    return Sh(f"{line} <<'{end}'{then}\n{text.rstrip(chr(10))}\n{end}")


def new_nonce() -> Sh:
    """A word that no other program prints."""
    return Sh(f"wgorch-{secrets.token_hex(12)}")
