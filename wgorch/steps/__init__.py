"""Nouns and steps: one file per noun, with its slice of State, its target, its differences, its probe.

A new file with a NOUN is found by itself; `playbooks/` says when its steps run.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from wgorch.facts.facts import Facts
from wgorch.facts.part import Answers
from wgorch.inventory.model import Network
from wgorch.state.state import State
from wgorch.steps.noun import Noun, Step
from wgorch.steps.target import Target


@cache
def nouns() -> dict[str, Noun]:
    """Every noun by the name of its file."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
    modules = {name: import_module(f"{__name__}.{name}") for name in names}
    return {name: module.NOUN for name, module in modules.items() if hasattr(module, "NOUN")}


@cache
def all_steps() -> dict[str, Step]:
    """Every step by name."""
    return {step.name: step for noun in nouns().values() for step in noun.steps}


def read_slices(answers: Answers) -> dict[str, Any]:
    """Fields of State that only their own noun reads. Raises NotAnAnswer, ValueError or LookupError."""
    found: dict[str, Any] = {}
    for noun in nouns().values():
        if noun.read:
            found |= noun.read(answers)
    return found


def observed_state(facts: Facts, slices: Mapping[str, Any], network: Network) -> State:
    """The State of a network on a host, as it was read."""
    found = dict(slices)
    for noun in nouns().values():
        if noun.have:
            found |= noun.have(facts, network)
    return State(network.mark, network.directory, **found)


def target_state(target: Target, slices: Mapping[str, Any]) -> State:
    """The State a host should be in; a field that its noun leaves open stays as it is in `slices`. Raises Unfit."""
    found: dict[str, Any] = {}
    for noun in nouns().values():
        wanted = noun.target(target)
        found |= {name: wanted[name] if name in wanted else slices[name] for name in noun.state}
    return State(target.network.mark, target.network.directory, **found)
