"""The sh files that come with wgorch, as text without the lines that only explain them to us."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def text_of(package: str, name: str) -> str:
    """One of the sh files beside the code."""
    return (resources.files(f"wgorch.{package}") / name).read_text(encoding="utf-8")
