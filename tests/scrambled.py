"""wgorch with every message replaced by another word: ``python -m tests.scrambled VERB …``.

Only texts for people are replaced, where they are made: reasons of changes, errors, notes, findings, outcomes, problems of
an inventory. Whatever still decides by such a text decides otherwise here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from wgorch import errors
from wgorch.inventory.fields.field import InvalidValue
from wgorch.inventory.problems import Problems
from wgorch.outcome import HostOutcome
from wgorch.plan.notes import Note
from wgorch.report import phases, verdict
from wgorch.state.change import Change
from wgorch.verify.finding import Finding


def scramble(text: Any) -> Any:
    """The text with every word of letters replaced by one and the same."""
    return re.sub(r"[A-Za-z]{2,}", "quux", text) if isinstance(text, str) else text


def scrambled(made: Callable[..., None], *places: int, names: tuple[str, ...] = ()) -> Callable[..., None]:
    """A constructor or method whose texts, by place (without self) and by name, are scrambled."""

    def instead(self: Any, *args: Any, **options: Any) -> None:
        args = tuple(scramble(arg) if place in places else arg for place, arg in enumerate(args))
        made(self, *args, **{name: scramble(it) if name in names else it for name, it in options.items()})

    return instead


def replace_messages() -> None:
    """Replace the messages of the whole package."""
    patch: Any = setattr
    patch(Change, "__init__", scrambled(Change.__init__, 1, 2, names=("what", "why")))
    patch(errors.HostError, "__init__", scrambled(errors.HostError.__init__, 1, 2, 3, names=("problem", "hint")))
    patch(errors.UsageError, "__init__", scrambled(errors.UsageError.__init__, 0, 1, names=("hint",)))
    patch(HostOutcome, "__init__", scrambled(HostOutcome.__init__, 1, names=("why",)))
    patch(Finding, "__init__", scrambled(Finding.__init__, 1, 2, names=("what", "hint")))
    patch(InvalidValue, "__init__", scrambled(InvalidValue.__init__, 0, 1, names=("fix",)))
    patch(Problems, "add", scrambled(Problems.add, 2, 3, names=("fix",)))
    new = Note.__new__
    patch(Note, "__new__", lambda cls, host, text, *rest, **more: new(cls, host, scramble(text), *rest, **more))
    for words in (phases.LABELS, verdict.LABELS):
        words.update({key: scramble(word) for key, word in words.items()})  # type: ignore[attr-defined]


if __name__ == "__main__":
    from wgorch.cli.main import run

    replace_messages()
    run()
