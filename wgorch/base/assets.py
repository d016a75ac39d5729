"""The files of other languages that come with wgorch, as text."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path


@cache
def asset(package: str, name: str) -> str:
    """One of the files beside the code."""
    return (Path(__file__).parents[1] / package / name).read_text(encoding="utf-8")


@cache
def minified(package: str, name: str) -> str:
    """The same without indentation and lines that are comments, for what no person reads on a host.

    The file must have neither within a here-document or a quoted text.
    """
    lines = (line.lstrip() for line in asset(package, name).split("\n"))
    return re.sub(r"\n{2,}", "\n", "\n".join(line for line in lines if not line.startswith("#")))
