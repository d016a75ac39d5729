"""Reading: the fields of a mapping as values, with the problems found and the location of each field."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping as Entries
from typing import Any, NamedTuple

from wgorch.inventory import fields as f
from wgorch.inventory.locations import Locations
from wgorch.inventory.nodes import Mapping, Node, Sequence, is_empty
from wgorch.inventory.problems import Problems
from wgorch.inventory.schema import Entry


class Reading(NamedTuple):
    """A file while it is read."""

    problems: Problems
    """Problems so far."""
    locations: Locations
    """Where each field stands that was read."""

    def mapping(self, node: Node | None, path: str) -> Mapping | None:
        """Return a node that must be a mapping; None if there is none, or a problem was added."""
        if node is None or isinstance(node, Mapping):
            return node
        if is_empty(node):
            self.problems.add(node, path, "empty", "give a value or delete the line")
            return None
        got = "a list" if isinstance(node, Sequence) else "a value"
        fix = f"write the fields of {path} below it, each indented, as name: value"
        self.problems.add(node, path, f"expected a mapping, got {got}", fix)
        return None

    def record(
        self, node: Mapping, entries: Entries[str, Entry], path: str, skip: Collection[str] = ()
    ) -> dict[str, Any]:
        """Return the valid fields of a mapping by name, without `skip`."""
        f.check_keys(node, entries, path, self.problems)
        values = {}
        for key, value_node in node.items:
            entry = entries.get(key.text)
            if entry is None or key.text in skip:
                continue
            value = self._value(value_node, entry, f"{path}.{key.text}")
            if value is not None:
                values[key.text] = value
        for name, entry in entries.items():
            if entry.required and node.get(name) is None:
                fix = f"{name}: {entry.example}" if entry.example else f"add {name}:"
                self.problems.add(node, f"{path}.{name}", "missing", fix)
        return values

    def _value(self, node: Node, entry: Entry, path: str) -> Any:
        """Return the value of one field, lists as tuples; None if a problem was added."""
        value = entry.reader.read(node, path, self.problems)
        if value is None:
            return None
        self.locations[path] = node
        if not isinstance(value, list):
            return value
        if isinstance(node, Sequence):
            self.locations.update({f"{path}[{i}]": item_node for i, (item_node, _) in enumerate(value)})
        return tuple(item for _, item in value)
