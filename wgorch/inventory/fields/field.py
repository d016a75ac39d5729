"""The grammars of single values: each reads a node, or says what exactly is wrong; each is its own JSON Schema."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

from wgorch.base.value import value
from wgorch.inventory.nodes import Node, Scalar, Sequence
from wgorch.inventory.problems import Problems

Schema = dict[str, Any]


class InvalidValue(Exception):
    """A value that does not fit; carries the sentence and the fix."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message, self.fix = message, fix


@value
class Field:
    """One value: `parse` takes the text, or raises InvalidValue; `plain` gets to see how it was written, for YAML's traps."""

    kind: str
    parse: Callable[[str], Any]
    schema: Schema
    trap: Callable[[Scalar], None] | None = None

    def read(self, node: Node, path: str, problems: Problems) -> Any:
        """The value, or None with the trouble noted."""
        try:
            if not isinstance(node, Scalar):
                what = "a list" if isinstance(node, Sequence) else "a mapping"
                if isinstance(node, Sequence) and self.kind == "an endpoint":
                    raise InvalidValue("YAML reads [..] as a list", "put the endpoint in quotes")
                raise InvalidValue(
                    f"expected {self.kind}, got {what}", "write one value, without brackets or fields below it"
                )
            if not node.text.strip() or (node.plain and node.text in ("null", "~", "Null", "NULL")):
                raise InvalidValue("empty", "give a value or delete the line")
            no_controls(node.text)
            if node.plain and self.trap:
                self.trap(node)
            return self.parse(node.text)
        except InvalidValue as bad:
            problems.add(node, path, bad.message, bad.fix)
            return None


def no_controls(text: str) -> None:
    """Refuse what cannot be seen, or looks like something else: control characters, zero-width and direction marks."""
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
