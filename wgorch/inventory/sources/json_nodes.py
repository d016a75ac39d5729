"""Read JSON as nodes with line and column."""

from __future__ import annotations

import json
import re
from json.decoder import JSONDecodeError
from json.decoder import scanstring as scan_string  # type: ignore[attr-defined]
from typing import Any

from wgorch.inventory.nodes import Mapping, Node, Scalar, Sequence

MAX_DEPTH = 20

_BLANK = re.compile(r"[ \t\r\n]*")
_OTHER = re.compile(r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")


def read_json(text: str, file: str) -> Node:
    """The nodes of a JSON text; strings count as quoted. Raises JSONDecodeError, with a position."""
    reader = _Reader(text, file)
    node, end = reader.value(reader.skip(0), 0)
    end = reader.skip(end)
    if end != len(text):
        raise JSONDecodeError("more behind the end of the value", text, end)
    return node


def from_value(value: Any, at: Scalar, depth: int = 0) -> Node:
    """The nodes of a value that is read already, each at one place; what is too deep is empty."""
    if isinstance(value, dict | list | tuple) and depth > MAX_DEPTH:
        return at._replace(text="")
    if isinstance(value, dict):
        items = [(at._replace(text=str(key)), from_value(each, at, depth + 1)) for key, each in value.items()]
        return Mapping(at.line, at.column, items, at.file)
    if isinstance(value, list | tuple):
        return Sequence(at.line, at.column, [from_value(each, at, depth + 1) for each in value], at.file)
    if isinstance(value, str):
        return at._replace(text=value, plain=False)
    return at._replace(text="" if value is None else json.dumps(value, default=str), plain=True)


class _Reader:
    """A JSON text while it is read."""

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self._line, self._start = 1, 0
        """The line of the last place asked for, and where it begins."""

    def skip(self, at: int) -> int:
        hit = _BLANK.match(self.text, at)
        return hit.end() if hit else at

    def place(self, at: int) -> tuple[int, int]:
        """Line and column; places are asked for in the order of the text."""
        lines = self.text.count("\n", self._start, at)
        if lines:
            self._line, self._start = self._line + lines, self.text.rindex("\n", 0, at) + 1
        return self._line, at - self._start + 1

    def value(self, at: int, depth: int) -> tuple[Node, int]:
        """The value that begins at a position, and the position behind it."""
        line, column = self.place(at)
        first = self.text[at : at + 1]
        if depth > MAX_DEPTH:
            raise JSONDecodeError(f"nested deeper than {MAX_DEPTH} levels", self.text, at)
        if first == '"':
            text, end = scan_string(self.text, at + 1)
            return Scalar(line, column, text, False, self.file), end
        if first == "[":
            sequence = Sequence(line, column, [], self.file)
            return sequence, self._items(at, "]", depth, sequence.items)
        if first == "{":
            mapping = Mapping(line, column, [], self.file)
            return mapping, self._pairs(at, depth, mapping.items)
        hit = _OTHER.match(self.text, at)
        if not hit:
            raise JSONDecodeError("expected a value", self.text, at)
        return Scalar(line, column, "" if hit[0] == "null" else hit[0], True, self.file), hit.end()

    def _items(self, at: int, close: str, depth: int, into: list[Node]) -> int:
        at = self.skip(at + 1)
        while self.text[at : at + 1] != close:
            node, at = self.value(at, depth + 1)
            into.append(node)
            at = self._next(at, close)
        return at + 1

    def _pairs(self, at: int, depth: int, into: list[tuple[Scalar, Node]]) -> int:
        seen: set[str] = set()
        at = self.skip(at + 1)
        while self.text[at : at + 1] != "}":
            key, end = self.value(at, depth + 1)
            if not isinstance(key, Scalar) or key.plain:
                raise JSONDecodeError("expected a name in quotes", self.text, at)
            if key.text in seen:
                raise JSONDecodeError("the name is given twice", self.text, at)
            seen.add(key.text)
            at = self.skip(end)
            if self.text[at : at + 1] != ":":
                raise JSONDecodeError('expected ":"', self.text, at)
            value, at = self.value(self.skip(at + 1), depth + 1)
            into.append((key, value))
            at = self._next(at, "}")
        return at + 1

    def _next(self, at: int, close: str) -> int:
        """The position of the next value, or of the end, behind a value."""
        at = self.skip(at)
        if self.text[at : at + 1] == ",":
            after = self.skip(at + 1)
            if self.text[after : after + 1] != close:
                return after
        elif self.text[at : at + 1] == close:
            return at
        raise JSONDecodeError(f'expected "," or "{close}"', self.text, at)
