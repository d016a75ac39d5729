"""Import libraries that only some verbs need, and that an installation may lack."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from wgorch.errors import UsageError

EXTRAS = {"igraph": "map", "segno": "qr", "distributed": "dask"}
"""The extra of the package that brings a library; pyroute2 comes along on Linux."""


def optional(library: str, needed_for: str) -> Any:
    """Import a library. Raises UsageError, which names the extra that has it."""
    try:
        return import_module(library)
    except ImportError:
        extra = f"; or install wgorch with its extra: wgorch[{EXTRAS[library]}]" if library in EXTRAS else ""
        hint = f"pip install {library}{extra}"
        raise UsageError(f"{needed_for} needs the Python library {library}", hint) from None
