"""The grammar of a host's answers: sections, and strict readers of single values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

from wgorch.base import wgkey
from wgorch.errors import Garbled, Unfit
from wgorch.facts.part import Answers

T = TypeVar("T")

MAX_LINES = 40_000
"""Lines of one section; parsed, a line takes a hundred times the memory of its bytes."""


class NotAnAnswer(ValueError):
    """A line that does not fit its grammar."""


def sections(text: str, nonce: str) -> dict[str, list[str]]:
    """The text between the markers, by the marker's name."""
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    # No program has a NUL in its text, and what a host says of its rules comes back to it in one.
    for line in text.replace("\0", "\ufffd").split("\n"):
        if line.startswith(nonce + " "):
            current = found.setdefault(line[len(nonce) + 1 :], [])
        elif line and current is not None:
            current.append(line)
    for name, lines in found.items():
        if len(lines) > MAX_LINES:
            raise NotAnAnswer(f"section {name} has more than {MAX_LINES} lines")
    return found


def read_answers(host: str, text: str, nonce: str, action: str, read: Callable[[Answers], T]) -> T:
    """What `read` makes of the sections of a host's answer. Raises Garbled where it is malformed or truncated."""
    try:
        found = sections(text, nonce)
        if "end" not in found:
            raise NotAnAnswer("the answer is truncated")
        if failed := found.get("failed"):
            status, _, command = failed[0].partition(" ")
            raise Unfit(
                host, action, f"{command} failed with status {status}", f"run it on {host} as root, and mend that"
            )
        return read(found)
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        hint = "a bug in wgorch, or forged output; re-run with -vv to see the answer"
        raise Garbled(host, action, str(error), hint) from error


def moment(text: str) -> float:
    """Seconds since the host was started."""
    return float(match(r"\d{1,12}(\.\d{1,3})?", text))


def match(pattern: str, text: str) -> str:
    """The text, where all of it fits a pattern. Raises NotAnAnswer."""
    if not re.fullmatch(pattern, text):
        raise NotAnAnswer(f"{text[:80]!r} does not fit {pattern}")
    return text


def integer(text: str) -> int:
    """A number of at most 20 decimal digits. Raises NotAnAnswer."""
    return int(match(r"[0-9]{1,20}", text.strip()))


def public_key(text: str) -> str:
    """A WireGuard public key. Raises NotAnAnswer for what is none, or one of low order."""
    try:
        return wgkey.public_key(text)
    except ValueError as error:
        raise NotAnAnswer(str(error)) from None


def pairs(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Lines of ``KEY<tab>VALUE``."""
    for line in lines:
        key, _, value = line.partition("\t")
        yield key, value


def file_texts(lines: list[str]) -> dict[str, str]:
    """Contents of files, by path; each line of a file has a bar before it."""
    found: dict[str, list[str]] = {}
    path = ""
    for line in lines:
        if line.startswith("file "):
            path = match(r"/[A-Za-z0-9._/-]{1,120}", line[5:])
            found[path] = []
        elif line.startswith("|"):
            found[path].append(line[1:])
    return {path: "\n".join(text) for path, text in found.items()}


def words(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Lines of ``WORD REST``."""
    for line in lines:
        word, _, rest = line.partition(" ")
        yield word, rest
