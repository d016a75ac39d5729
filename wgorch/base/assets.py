"""Load bundled files: of other languages (sh, css, html) as text, and the folders that are for users."""

from __future__ import annotations

from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


@cache
def asset(package: str, name: str) -> str:
    """The text of one file beside the code."""
    return (PACKAGE / package / name).read_text(encoding="utf-8")


def shipped(folder: str) -> Path:
    """A folder for users (playbooks, inventory): of the package, or at the top level of a checkout."""
    return next(path for path in (PACKAGE / "share" / folder, PACKAGE.parent / folder) if path.is_dir())


@cache
def names_in(folder: str) -> tuple[str, ...]:
    """The sh files of a folder beside the code, without their ending."""
    return tuple(sorted(path.stem for path in (PACKAGE / folder).glob("*.sh")))
