"""How many members each source gave last time, on this controller."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from wgorch.base.directories import private_directory, state_directory


class Last:
    """The numbers of one inventory's sources, by name."""

    def __init__(self, inventory: str) -> None:
        self._inventory = os.path.realpath(inventory)
        self.path = state_directory() / "sources.json"
        self._before = _numbers(_stored(self.path).get(self._inventory))
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
        try:
            private_directory(self.path.parent)
            temporary = self.path.with_suffix(f".{os.getpid()}")
            stored = _stored(self.path) | {self._inventory: self._now}
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(stored, file, indent=1)
            temporary.replace(self.path)
        except OSError:
            pass


def _stored(path: Path) -> dict[str, Any]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return stored if isinstance(stored, dict) else {}


def _numbers(stored: object) -> dict[str, int]:
    pairs = stored.items() if isinstance(stored, dict) else ()
    return {str(name): count for name, count in pairs if isinstance(count, int)}
