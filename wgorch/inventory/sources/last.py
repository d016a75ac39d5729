"""How many members each source gave last time, on this controller."""

from __future__ import annotations

import os

from wgorch.base.directories import state_directory, store, stored


class Last:
    """The numbers of one inventory's sources, by name."""

    def __init__(self, inventory: str) -> None:
        self._inventory = os.path.realpath(inventory)
        self.path = state_directory() / "sources.json"
        self._before = _numbers(stored(self.path).get(self._inventory))
        self._now: dict[str, int] = {}

    def count(self, source: str) -> int:
        """The members that a source gave; 0 where that is not known."""
        return self._before.get(source, 0)

    def set(self, source: str, count: int) -> None:
        """Note what it gives now."""
        self._now[source] = count

    def keep(self) -> None:
        """Store the numbers as they are now; never fails."""
        if self._now == self._before:
            return
        store(self.path, stored(self.path) | {self._inventory: self._now})


def _numbers(given: object) -> dict[str, int]:
    pairs = given.items() if isinstance(given, dict) else ()
    return {str(name): count for name, count in pairs if isinstance(count, int)}
