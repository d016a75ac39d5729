"""A host as it was read: its facts, and the slices of State that only their own nouns read."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import field, fields
from typing import Any

from wgorch.base.value import value
from wgorch.facts import facts as facts_of
from wgorch.facts import files, keys
from wgorch.facts.facts import PARTS, Facts
from wgorch.facts.grammar import read_answers
from wgorch.facts.part import Answers, Part, Reread
from wgorch.inventory.model import Network
from wgorch.state.state import State
from wgorch.steps import nouns, observed_state, read_slices


@value
class Observed(Facts):
    """One reading of a host."""

    slices: Mapping[str, Any] = field(default_factory=dict)
    """Fields of State that only their own noun reads."""
    answers: Answers = field(default_factory=dict, compare=False, repr=False)
    """The text that all of it was read from, by section."""
    read_at: float = field(default=0, compare=False)
    """Monotonic time of the controller at which all of it was read."""

    def state(self, network: Network) -> State:
        """The State of a network on the host."""
        return observed_state(self, self.slices, network)


def observed(host: str, text: str, nonce: str, known: Answers | None = None) -> Observed:
    """A whole reading; `known`: answers of before that still hold. Raises Garbled with the line that does not fit."""
    return read_answers(host, text, nonce, "read facts", lambda found: read_all(host, {**(known or {}), **found}))


def read_all(host: str, answers: Answers) -> Observed:
    """A reading from a host's answers. Raises NotAnAnswer, ValueError, LookupError or TypeError."""
    facts = facts_of.read(host, answers)
    own = {f.name: getattr(facts, f.name) for f in fields(facts)}
    return Observed(**own, slices=read_slices(answers), answers=answers, read_at=time.monotonic())


def observed_again(known: Observed, text: str, nonce: str) -> Observed:
    """A reading with wgorch's own files, keys and the clock read anew. Raises Garbled."""

    def read(found: Answers) -> Observed:
        answers = {**known.answers, **found}
        anew = {
            name: slice_
            for n in nouns().values()
            if n.read and _is_own(n.part)
            for name, slice_ in n.read(answers).items()
        }
        return Observed(
            **{f.name: getattr(known, f.name) for f in fields(known)}
            | {
                "keys": keys.read(answers),
                "files": files.read(answers),
                "clock": facts_of.read_clock(answers),
                "slices": {**known.slices, **anew},
                "answers": answers,
            }
        )

    return read_answers(known.host, text, nonce, "read facts", read)


def _is_own(part: Part) -> bool:
    return any(reread in (Reread.ALWAYS, Reread.UNDER_LOCK) for reread in part.sections.values())


def reused_sections() -> frozenset[str]:
    """Sections that are not read again after a change."""
    parts = [*PARTS.values(), *(noun.part for noun in nouns().values())]
    kept = (Reread.NEVER, Reread.UNDER_LOCK)
    return frozenset(name for part in parts for name, reread in part.sections.items() if reread in kept)


def differences(before: Observed, after: Observed) -> Iterator[str]:
    """What changed on a host between two readings, apart from what preparing a change does: names for people."""
    for name, part in PARTS.items():
        one, other = getattr(before, name), getattr(after, name)
        if not Facts.__dataclass_fields__[name].compare or one == other:
            continue
        if isinstance(one, Mapping):
            yield part.labels.get(name, name)
            continue
        for f in fields(one):
            moves = not f.compare or f.name in part.moves_in_prepare
            if not moves and getattr(one, f.name) != getattr(other, f.name):
                yield part.labels.get(f.name, f.name.replace("_", " "))
    for noun in nouns().values():
        for name in noun.state:
            moves = name in noun.part.moves_in_prepare or name not in before.slices
            if not moves and before.slices[name] != after.slices.get(name):
                yield noun.part.labels.get(name, name.replace("_", " "))
