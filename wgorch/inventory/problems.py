"""Problems of a file, each with location, excerpt, caret and fix; secrets are never shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from wgorch.base.text import visible, without_keys
from wgorch.inventory.nodes import Node

MAX_PROBLEMS = 1000
"""Problems kept of one file."""

SHOWN = 120
"""Maximum characters of an excerpt."""

BREAKS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""YAML's line breaks."""

_HIDDEN = r"(?i)private|preshared|secret|pass|pwd|psk|token|credential|^key$"


def is_secret(field: str) -> bool:
    """True for names of fields whose values are never shown."""
    return re.search(_HIDDEN, field) is not None


class Problem(NamedTuple):
    """One error or warning about a place in the file; they sort by that place."""

    line: int
    """From 1."""
    column: int
    """From 1."""
    path: str
    """The field, like ``hosts.home.subnets[1]``; empty for the file."""
    message: str
    """The problem, in one clause."""
    fix: str = ""
    """What to type instead."""
    warning: bool = False
    """True if the file can be used as it is."""
    secret: bool = False
    """True if the value at the place is a secret: the excerpt ends before it."""


class Problems:
    """All problems of one file."""

    def __init__(self, name: str, text: str = "") -> None:
        """Take the file's name, as it is shown, and its content."""
        self.name = name
        self.text = text
        self.found: list[Problem] = []
        self._refused: set[tuple[int, int, str]] = set()
        self._paths: set[str] = set()
        self._files: dict[str, Problems] = {}
        self._sources: set[str] = set()

    def of_file(self, name: str) -> Problems:
        """The problems of an included file, which are reported with these."""
        return self._files.setdefault(name, Problems(name))

    def of_source(self, name: str) -> Problems:
        """The problems of a file or output that is no inventory: no line of it is shown."""
        self._sources.add(name)
        return self.of_file(name)

    @property
    def files(self) -> tuple[str, ...]:
        """The included files."""
        return tuple(name for name in self._files if name not in self._sources)

    @property
    def has_sources(self) -> bool:
        """True if members came from elsewhere."""
        return bool(self._sources)

    @property
    def count(self) -> int:
        """Number of problems, those of included files among them."""
        return len(self.found) + sum(len(its.found) for its in self._files.values())

    def add(
        self,
        node: Node | None,
        path: str,
        message: str,
        fix: str = "",
        *,
        warning: bool = False,
        secret: bool = False,
    ) -> None:
        """Add a problem at a node, or at the start of the file. Pass `secret` if the node holds a secret."""
        line, column = (node.line, node.column) if node else (1, 1)
        own = self._files.get(node.file) if node else None
        if own:
            own.add(node, path, message, fix, warning=warning, secret=secret)
        elif len(self.found) < MAX_PROBLEMS and (line, column, path) not in self._refused:
            self.found.append(Problem(line, column, path, message, fix, warning, secret))
        while path:
            self._paths.add(path)
            path = path[: max(path.rfind("."), path.rfind("["), 0)]

    def refuse(self, node: Node, path: str, message: str, fix: str) -> None:
        """Add a problem that makes every other problem of the same value pointless."""
        self.add(node, path, message, fix)
        (self._files.get(node.file) or self)._refused.add((node.line, node.column, path))

    def about(self, path: str) -> bool:
        """True if a field, or something in it, has a problem already."""
        return path in self._paths

    @property
    def errors(self) -> list[Problem]:
        """The problems that are no warnings."""
        own = [problem for problem in self.found if not problem.warning]
        return [*own, *(problem for its in self._files.values() for problem in its.errors)]

    def lines(self, limit: int = 50) -> list[str]:
        """Return the problems as text, in the order of the file, each with excerpt, caret and fix."""
        source = BREAKS.split(self.text)
        if re.search(_HIDDEN.replace("^key$", r"\bkey\b|BEGIN"), self.text):
            source = list(_without_secrets(source))
        # A secret is cut from its line, whatever else is wrong with it.
        for problem in self.found:
            if problem.secret and 0 < problem.line <= len(source):
                source[problem.line - 1] = source[problem.line - 1][: problem.column - 1] + "…"
        texts = [self._render(problem, source) for problem in sorted(self.found)[:limit]]
        if len(self.found) > limit:
            texts.append(f"{self.name}: … and {len(self.found) - limit} more")
        return [*texts, *(line for its in self._files.values() for line in its.lines(limit))]

    def _render(self, problem: Problem, source: list[str]) -> str:
        kind = "warning" if problem.warning else "error"
        path = f"{visible(_clip(problem.path))}: " if problem.path else ""
        where = f":{problem.line}:{problem.column}" if problem.line else ""  # an object of a database has none
        head = f"{visible(self.name)}{where}: {kind}: {path}{visible(_clip(problem.message))}"
        line = source[problem.line - 1] if 0 < problem.line <= len(source) else ""
        fix = f"\n    fix: {visible(_clip(problem.fix))}" if problem.fix else ""
        return without_keys(head + _excerpt(line, problem.column) + fix)


def _excerpt(line: str, column: int) -> str:
    """A source line around a column, with a caret below it."""
    if not line.strip():
        return ""
    start = max(0, column - SHOWN * 2 // 3)
    before, after = line[start : column - 1], line[column - 1 : start + SHOWN]
    before, after = (visible(part.replace("\t", "→")) for part in (before, after))
    return f"\n    {before}{after}\n    {' ' * len(before)}^"


def _clip(text: str, limit: int = 500) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _without_secrets(lines: list[str]) -> Iterator[str]:
    """Yield the lines of a file, valid YAML or not, each cut where a secret begins, and nothing of a secret block."""
    block: int | None = None
    for line in lines:
        if block is not None and (indent_of(line) > block or not line.strip()):
            yield "…" if line.strip() else ""
            continue
        block, shown = None, line
        for found in re.finditer(r"(?<![\w-])([\w-]{1,99})[\"']?\s*[:=]|-----BEGIN", line):
            if found[1] is None or is_secret(found[1]):
                block, shown = indent_of(line), line[: found.end()] + " …"
                break
        yield shown


def indent_of(line: str) -> int:
    """Return the number of white characters before a line's text."""
    return len(line) - len(line.lstrip())
