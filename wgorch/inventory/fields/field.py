"""Field: how one value is read from a node, and its JSON Schema."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any, NamedTuple

from wgorch.inventory.nodes import Node, Scalar, Sequence
from wgorch.inventory.problems import Problems

Schema = dict[str, Any]


class InvalidValue(Exception):
    """Raised by a parser for a text that is no valid value."""

    def __init__(self, message: str, fix: str = "", *, secret: bool = False) -> None:
        """Take the problem, its fix, and whether the value is a secret, which must not be shown."""
        super().__init__(message)
        self.message, self.fix, self.secret = message, fix, secret


class Field(NamedTuple):
    """A single value."""

    kind: str
    """What it is, for people: ``an endpoint``."""
    parse: Callable[[str], Any]
    """Text to value. Raises InvalidValue."""
    schema: Schema
    """JSON Schema of the value."""
    trap: Callable[[Scalar], None] | None = None
    """Check for unquoted text that YAML 1.1 reads as another type. Raises InvalidValue."""
    bracketed: bool = False
    """True if a valid value may begin with a bracket, which YAML reads as a list."""

    def read(self, node: Node, path: str, problems: Problems) -> Any:
        """Return the value of a node; None if a problem was added."""
        try:
            return self._value(node)
        except InvalidValue as invalid:
            problems.add(node, path, invalid.message, invalid.fix, secret=invalid.secret)
            return None

    def _value(self, node: Node) -> Any:
        if isinstance(node, Sequence) and self.bracketed:
            raise InvalidValue("YAML reads [..] as a list", "put the endpoint in quotes")
        if not isinstance(node, Scalar):
            got = "a list" if isinstance(node, Sequence) else "a mapping"
            raise InvalidValue(
                f"expected {self.kind}, got {got}", "write one value, without brackets or fields below it"
            )
        if not node.text.strip() or (node.plain and node.text in ("null", "~", "Null", "NULL")):
            raise InvalidValue("empty", "give a value or delete the line")
        refuse_controls(node.text)
        if node.plain and self.trap:
            self.trap(node)
        return self.parse(node.text)


def refuse_controls(text: str) -> None:
    """Refuse invisible and misleading characters: controls, zero-width, direction marks, typographic quotes.

    Raises InvalidValue.
    """
    if text.isascii() and text.isprintable():
        return
    for position, c in enumerate(text, 1):
        category = unicodedata.category(c)
        if c == "\n":
            raise InvalidValue("several lines where one value belongs", "write the value on one line")
        if category == "Cc":
            raise InvalidValue(f"control character \\x{ord(c):02x} at position {position}", "delete it")
        if category in ("Cf", "Zl", "Zp", "Zs", "Cs", "Co") and c != " ":
            before = text[: position - 1]
            where = f'after "{before}"' if before else "at the start"
            raise InvalidValue(f"invisible character U+{ord(c):04X} {where}", "delete it and type the value again")
        if category in ("Pi", "Pf") or c == "„":
            raise InvalidValue(f"typographic quote {c} at position {position}", 'use " or no quotes at all')
