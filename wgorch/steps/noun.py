"""Declaration of a noun: all that one part of State is, from the host's answer to the commands that change it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import Any

from wgorch.base.sh import Sh
from wgorch.base.value import value
from wgorch.facts.facts import Facts
from wgorch.facts.part import Answers, Part
from wgorch.inventory.model import Network
from wgorch.state.change import Change
from wgorch.state.state import State
from wgorch.steps.target import Target

StepFunction = Callable[[State, State], Iterator[Change]]
Slice = Mapping[str, Any]
"""Values of some fields of State, by name."""


@value
class Step:
    """A named step: yields the Changes from one State (the second argument) to another (the first).

    A step never asks in which direction it runs: do is (wanted, seen), undo is (seen, wanted), boot is (wanted, nothing)
    and teardown is (baseline, seen).
    """

    name: str
    run: StepFunction
    doc: str

    def __call__(self, want: State, have: State) -> Iterator[Change]:
        return self.run(want, have)


def step(function: StepFunction) -> Step:
    """A Step with the name of its function and the first line of its docstring."""
    return Step(function.__name__, function, (function.__doc__ or "").split("\n")[0])


@value
class Noun:
    """One part of State and everything about it. It has `have` or `read` or both, and a probe or a reason for none."""

    state: tuple[str, ...]
    """Fields of State that it owns."""
    steps: tuple[Step, ...]
    target: Callable[[Target], Slice]
    """The fields as they should be. Raises Unfit."""
    have: Callable[[Facts, Network], Slice] | None = None
    """The fields as they are, from facts that others need, too."""
    read: Callable[[Answers], Slice] | None = None
    """The fields as they are, from sections of the answer that only this noun needs. Raises NotAnAnswer."""
    part: Part = field(default_factory=lambda: Part({}))
    """Those sections, when they are read again, and which of the fields preparing a change may move."""
    functions: tuple[str, ...] = ()
    """Functions of host/lib that its steps call."""
    probe: Callable[[State, State], Iterator[Sh]] | None = None
    """Lines of sh that print what runs of it, between (wanted, seen); compared before a change and after its rollback."""
    probe_interface: Callable[[Sh], Iterator[Sh]] | None = None
    """The same of one interface, by its name quoted for sh; run only where the interface exists."""
    unprobed: str = ""
    """Why no rollback can leave it different."""
