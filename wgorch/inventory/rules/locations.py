"""Locations of the fields in an inventory's file."""

from __future__ import annotations

from wgorch.inventory.nodes import Node


class Locations(dict[str, Node]):
    """The node of each field, by path."""

    def where(self, path: str) -> str:
        """Return ``line:column`` of a field, or ``?``."""
        node = self.get(path)
        return f"{node.line}:{node.column}" if node else "?"
