"""Where each field of an inventory stands in its file."""

from __future__ import annotations

from wgorch.inventory.nodes import Node


class Locations(dict[str, Node]):
    """Where each field of the file stands."""

    def where(self, path: str) -> str:
        """``line:column`` of a field."""
        node = self.get(path)
        return f"{node.line}:{node.column}" if node else "?"
