"""Lists of values."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from wgorch.inventory.fields.field import Field, Schema
from wgorch.inventory.fields.mappings import MappedLan
from wgorch.inventory.nodes import Node, Scalar, Sequence
from wgorch.inventory.problems import Problems


class Listing(NamedTuple):
    """A list of values of one kind."""

    of: Field | MappedLan

    @property
    def kind(self) -> str:
        """What it is, for people."""
        return f"a list: {self.of.kind}"

    @property
    def schema(self) -> Schema:
        """JSON Schema of the list."""
        return {"type": "array", "items": self.of.schema}

    def read(self, node: Node, path: str, problems: Problems) -> list[tuple[Node, Any]]:
        """Return the valid values with their nodes; problems are added for the others."""
        if not isinstance(node, Sequence):
            _add_no_list(node, path, problems)
            return []
        values = [(item, self.of.read(item, f"{path}[{i}]", problems)) for i, item in enumerate(node.items)]
        return [(item, value) for item, value in values if value is not None]


def _add_no_list(node: Node, path: str, problems: Problems) -> None:
    if isinstance(node, Scalar) and node.text and not (node.plain and node.text in ("null", "~")):
        items = ", ".join(part for part in re.split(r"[,\s]+", node.text) if part)
        message = "one string with a comma" if "," in node.text else "expected a list"
        problems.add(node, path, message, f"write [{items}]")
    else:
        message = "empty" if isinstance(node, Scalar) else "expected a list, got a mapping"
        problems.add(node, path, message, "write [value, value], or delete the line")


class OneOrTwo(NamedTuple):
    """A value, or a list of one for IPv4 and one for IPv6."""

    of: Field

    @property
    def kind(self) -> str:
        """What it is, for people."""
        return f"{self.of.kind}, or a list of one for IPv4 and one for IPv6"

    @property
    def schema(self) -> Schema:
        """JSON Schema of both forms."""
        several = {"type": "array", "items": self.of.schema, "minItems": 1, "maxItems": 2}
        return {"anyOf": [self.of.schema, several]}

    def read(self, node: Node, path: str, problems: Problems) -> list[tuple[Node, Any]] | None:
        """Return the values with their nodes, in the order of the file; None if none is valid."""
        if not isinstance(node, Sequence):
            value = self.of.read(node, path, problems)
            return None if value is None else [(node, value)]
        if not node.items:
            problems.add(node, path, "the list is empty", "give a value or delete the line")
        found: list[tuple[Node, Any]] = []
        for i, item in enumerate(node.items):
            value = self.of.read(item, f"{path}[{i}]", problems)
            twin = next((v for _, v in found if value is not None and v.version == value.version), None)
            if twin is not None:
                message = f"{value} and {twin} are both IPv{value.version}; at most one of each version"
                problems.add(item, f"{path}[{i}]", message, "keep one")
            elif value is not None:
                found.append((item, value))
        return found or None
