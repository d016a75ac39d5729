"""Make remote text safe to show: escape control characters and direction marks, hide keys."""

from __future__ import annotations

import re
import unicodedata

_UNESCAPED = {"\n", "\t"}

_BASE64_KEY = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")


def visible(text: str) -> str:
    """Escape everything that a terminal interprets: ESC becomes ``\\x1b``, U+202E ``\\u202e``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if _harmless(c) else _escape(c) for c in text)


def one_line(text: str, limit: int = 200) -> str:
    """Format remote text for a table or a log line: escaped, on one line, at most `limit` characters."""
    line = " ".join(visible(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def without_keys(text: str, known: frozenset[str] = frozenset()) -> str:
    """Hide everything that can be a WireGuard key, except the public keys in `known`."""
    return _BASE64_KEY.sub(lambda found: found[0] if found[0] in known else "<hidden key>", text)


def hint_lines(*lines: str) -> str:
    """A hint of several lines, each below the other behind ``fix:``, so that a command can be pasted alone."""
    return "\n         ".join(lines)


def count(number: int, noun: str) -> str:
    """``1 host``, ``3 hosts``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _harmless(c: str) -> bool:
    # Cc: C0, DEL, C1. Cf: direction marks, zero-width, tags. Cs, Co, Cn: in no host name or log.
    return c in _UNESCAPED or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _escape(c: str) -> str:
    code = ord(c)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
