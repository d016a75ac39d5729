"""Parts of a host's answers: which sections each is read from, and when those are read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum

from wgorch.base.value import value

Answers = Mapping[str, list[str]]
"""Lines of a host's answer, by section."""


class Reread(Enum):
    """When a section is read again after the first reading of a run."""

    NEVER = "never"
    """No change of wgorch touches it."""
    UNDER_LOCK = "under the lock"
    """Another run of wgorch may have touched it."""
    AFTER_CHANGE = "after a change"
    """A change of wgorch may have touched it."""
    ALWAYS = "always"


@value
class Part:
    """A noun of the facts: its sections, and its fields that preparing a change may move.

    `labels`: what to call a field that changed between plan and lock; others are called by their own names.
    """

    sections: Mapping[str, Reread]
    moves_in_prepare: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
