"""Steps of the user's own playbook: a command, and what undoes it."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.facts.facts import Facts
from wgorch.inventory.model import Network
from wgorch.state.change import Change, change, command
from wgorch.state.state import State
from wgorch.steps.noun import Noun, Slice
from wgorch.steps.target import Target


def run_changes(name: str, want: State, have: State) -> Iterator[Change]:
    """The Change of one step of the user's: its command where wanted, its undo where not."""
    new, old = want.runs.get(name), have.runs.get(name)
    if new == old:
        return
    if new is not None:
        why = "a step of the playbook" if old is None else "the playbook has another command"
        yield change("+", f"run {name}", why, command("sh", "-c", new.command))
    elif old is not None and old.undo:
        yield change("-", f"run {name}", "its undo", command("sh", "-c", old.undo), disruptive=True)


def _have(facts: Facts, _network: Network) -> Slice:
    return {"runs": facts.files.runs}


def _target(target: Target) -> Slice:
    return {"runs": target.runs}


NOUN = Noun(
    state=("runs",),
    steps=(),
    have=_have,
    target=_target,
    unprobed="what a user's command changes is the user's own",
)
