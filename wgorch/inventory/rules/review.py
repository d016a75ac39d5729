"""Review: an inventory while its rules are checked."""

from __future__ import annotations

from typing import NamedTuple

from wgorch.inventory.locations import Locations
from wgorch.inventory.model import Inventory
from wgorch.inventory.problems import Problems


class Review(NamedTuple):
    """An inventory whose fields are valid one by one, where each stands, and the problems so far."""

    inventory: Inventory
    locations: Locations
    problems: Problems

    def add(self, path: str, message: str, fix: str, *, at: str = "", warning: bool = False) -> None:
        """Add a problem of a field, shown at the field, or at the field `at`."""
        self.problems.add(self.locations.get(at or path), path, message, fix, warning=warning)

    def where(self, path: str) -> str:
        """Return ``line:column`` of a field, or ``?``."""
        return self.locations.where(path)

    def path_of(self, member: str) -> str:
        """Return the path of a host or device: ``hosts.home``."""
        return f"{'devices' if member in self.inventory.devices else 'hosts'}.{member}"
