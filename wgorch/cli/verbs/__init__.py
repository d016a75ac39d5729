"""The verbs: one file holds the help, the options and the code of one verb."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any, Protocol, cast

GROUPS = {
    "Setup": ("init", "add", "check", "adopt", "rehearse", "demo", "trust", "completion"),
    "Change": (
        "plan",
        "show",
        "approve",
        "apply",
        "up",
        "confirm",
        "rollback",
        "teardown",
        "rotate-key",
        "drain",
        "undrain",
        "forget",
        "export",
    ),
    "Inspect": ("status", "map", "verify", "ask", "facts", "history", "diff", "ssh"),
    "Troubleshoot": ("trace", "doctor"),
}
"""The verbs by purpose, in the order of the help."""


NAMES = tuple(name for names in GROUPS.values() for name in names)


class Verb(Protocol):
    """A file of this folder; at its top it imports nothing slow, since the help loads them all."""

    SUMMARY: str
    """One line, without a full stop."""

    EXAMPLES: tuple[str, ...]
    """Command lines, the most usual first."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the verb's arguments."""

    def run(self, options: Any) -> int:
        """Run the verb; the exit code. Raises WgorchError."""


def verb(name: str) -> Verb:
    """The verb of a name in NAMES."""
    return cast("Verb", import_module(f"{__name__}.{name.replace('-', '_')}"))
