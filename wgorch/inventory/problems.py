"""Problems of a file, with place, excerpt, caret and fix; secrets are never shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from wgorch.base.text import visible, without_keys
from wgorch.inventory.nodes import Node

MAX_PROBLEMS = 1000


SHOWN = 120
"""Characters of a line that are shown with a trouble."""


BREAKS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What ends a line for YAML."""


SECRET = re.compile(r"private|preshared|secret|pass|pwd|psk|token|credential|^key$", re.I)
"""Names of fields whose values are never shown."""


_MAY_BE_SECRET = re.compile(SECRET.pattern.replace("^key$", r"\bkey\b|BEGIN"), re.I)


@dataclass(order=True, slots=True)
class Problem:
    """One thing wrong at one place of the file."""

    line: int
    column: int
    path: str
    message: str
    fix: str = ""
    warning: bool = False


@dataclass
class Problems:
    """All that is wrong with one file, so that everything can be told at once."""

    name: str
    text: str = ""
    found: list[Problem] = field(default_factory=list)
    _forbidden: set[tuple[int, int, str]] = field(default_factory=set, repr=False)
    _touched: set[str] = field(default_factory=set, repr=False)

    def add(self, node: Node | None, path: str, message: str, fix: str = "", *, warning: bool = False) -> None:
        """Note a trouble at a node (or at the start of the file)."""
        line, column = (node.line, node.column) if node else (1, 1)
        if len(self.found) < MAX_PROBLEMS and (line, column, path) not in self._forbidden:
            self.found.append(Problem(line, column, path, message, fix, warning))
        while path:
            self._touched.add(path)
            path = path[: max(path.rfind("."), path.rfind("["), 0)]

    def refuse(self, node: Node, path: str, message: str, fix: str) -> None:
        """Note what is not even looked at; nothing more is said of it."""
        self.add(node, path, message, fix)
        self._forbidden.add((node.line, node.column, path))

    def about(self, path: str) -> bool:
        """True where a field, or something in it, is wrong already."""
        return path in self._touched

    @property
    def errors(self) -> list[Problem]:
        return [t for t in self.found if not t.warning]

    def lines(self, limit: int = 50) -> list[str]:
        """The troubles as text: place, field, what, the line with a caret, how to fix it."""
        source = BREAKS.split(self.text)
        if _MAY_BE_SECRET.search(self.text):
            source = list(_without_secrets(source))
        told = [self._tell(t, source) for t in sorted(self.found)[:limit]]
        if len(self.found) > limit:
            told.append(f"{self.name}: … and {len(self.found) - limit} more")
        return told

    def _tell(self, t: Problem, source: list[str]) -> str:
        kind = "warning" if t.warning else "error"
        path = f"{visible(_clip(t.path))}: " if t.path else ""
        told = f"{self.name}:{t.line}:{t.column}: {kind}: {path}{visible(_clip(t.message))}"
        line = source[t.line - 1] if t.line <= len(source) else ""
        if "value hidden" in t.message:
            line = line[: t.column - 1] + "…"
        if line.strip():
            start = max(0, t.column - SHOWN * 2 // 3)
            before, after = line[start : t.column - 1], line[t.column - 1 : start + SHOWN]
            before, after = (visible(part.replace("\t", "→")) for part in (before, after))
            told += f"\n    {before}{after}\n    {' ' * len(before)}^"
        if t.fix:
            told += f"\n    fix: {visible(_clip(t.fix))}"
        return without_keys(told)


def _clip(text: str, most: int = 500) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _without_secrets(lines: list[str]) -> Iterator[str]:
    """The lines of a file, good YAML or not, each ended where a secret begins; what is indented below it is hidden."""
    within: int | None = None
    for line in lines:
        if within is not None and (indent_of(line) > within or not line.strip()):
            yield "…" if line.strip() else ""
            continue
        within, shown = None, line
        for found in re.finditer(r"(?<![\w-])([\w-]{1,99})[\"']?\s*[:=]|-----BEGIN", line):
            if found[1] is None or SECRET.search(found[1]):
                within, shown = indent_of(line), line[: found.end()] + " …"
                break
        yield shown


def indent_of(line: str) -> int:
    return len(line) - len(line.lstrip())
