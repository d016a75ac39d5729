"""Cache the results of a function by the identity of a value that is shared by many and slow to hash."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")

LIMIT = 1 << 13
"""Entries of one cache; a full cache is emptied."""


def cached_by_identity(function: Callable[[K, str], V]) -> Callable[[K, str], V]:
    """Decorate a pure function of a value and a text.

    The cache has one entry per value, of the text it was called with last, and keeps the value alive, so that its `id`
    names no other.
    """
    entries: dict[int, tuple[str, V, K]] = {}

    @wraps(function)
    def cached(value: K, text: str) -> V:
        entry = entries.get(id(value))
        if entry is None or entry[0] != text:
            if len(entries) >= LIMIT:
                entries.clear()
            entry = entries[id(value)] = (text, function(value, text), value)
        return entry[1]

    return cached
