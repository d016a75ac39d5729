"""Locations of the fields in an inventory's file."""

from __future__ import annotations

from wgorch.inventory.nodes import Node, place


class Locations(dict[str, Node]):
    """The node of each field, by path."""

    def copy_field(self, path: str, to: str) -> None:
        """Let a field, and the items of a list, stand where another one stands."""
        self[to] = self[path]
        number = 0
        while (item := self.get(f"{path}[{number}]")) is not None:
            self[f"{to}[{number}]"] = item
            number += 1

    def file_of(self, path: str) -> str:
        """The included file that a field stands in; empty for the inventory itself."""
        node = self.get(path)
        return node.file if node else ""

    def where(self, path: str) -> str:
        """Return ``line:column`` of a field, behind the name of an included file; or ``?``."""
        node = self.get(path)
        return place(node) if node else "?"
