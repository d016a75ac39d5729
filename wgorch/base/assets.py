"""The files of other languages that come with wgorch, as text."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def asset(package: str, name: str) -> str:
    """One of the files beside the code."""
    return (Path(__file__).parents[1] / package / name).read_text(encoding="utf-8")
