"""YAML nodes with line and column."""

from __future__ import annotations

from typing import NamedTuple


class Scalar(NamedTuple):
    """A single value."""

    line: int
    column: int
    text: str
    plain: bool
    """True if it is written without quotes."""
    file: str = ""
    """The included file that it stands in; empty for the inventory itself."""


class Sequence(NamedTuple):
    """A list."""

    line: int
    column: int
    items: list[Node]
    file: str = ""


class Mapping(NamedTuple):
    """Keys and values, in the order of the file."""

    line: int
    column: int
    items: list[tuple[Scalar, Node]]
    file: str = ""

    def get(self, key: str) -> Node | None:
        """Return the value of a key, or None."""
        return next((value for name, value in self.items if name.text == key), None)


Node = Scalar | Sequence | Mapping


def place(node: Node) -> str:
    """``line:column``, behind the name of an included file."""
    return f"{f'{node.file}:' if node.file else ''}{node.line}:{node.column}"


def is_empty(node: Node | None) -> bool:
    """True for a key without a value."""
    return isinstance(node, Scalar) and not node.text
