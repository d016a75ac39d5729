"""Load bundled non-Python assets (sh, css, html)."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path


@cache
def asset(package: str, name: str) -> str:
    """Return the text of a file that lies in a folder of the package."""
    return (Path(__file__).parents[1] / package / name).read_text(encoding="utf-8")


@cache
def minified(package: str, name: str) -> str:
    """Return an asset without indentation, comment lines and empty lines, to be sent over a connection.

    The file must have neither inside a here-document or a quoted text.
    """
    lines = (line.lstrip() for line in asset(package, name).split("\n"))
    return re.sub(r"\n{2,}", "\n", "\n".join(line for line in lines if not line.startswith("#")))
