"""Consent: which plans need it, how it is asked for, and how it is refused."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from wgorch.cli.consent import consent_to_teardown, consent_to_up
from wgorch.cli.context import Context
from wgorch.cli.options import ChangeOptions
from wgorch.errors import BAD_INPUT
from wgorch.inventory.load import load
from wgorch.outcome import Declined

HOSTS = load(Path(__file__).parents[2] / "inventory" / "home-company.yaml").hosts
SAME = SimpleNamespace(changes=(), disruptive=False, is_first=False, notes=())
GENTLE = SimpleNamespace(changes=(SimpleNamespace(disruptive=False),), disruptive=False, is_first=False, notes=())
FIRST = SimpleNamespace(changes=(SimpleNamespace(disruptive=False),), disruptive=False, is_first=True, notes=())
DISRUPTIVE = SimpleNamespace(changes=(SimpleNamespace(disruptive=True),) * 2, disruptive=True, is_first=True, notes=())


class Progress:
    """A progress display that counts."""

    def __init__(self) -> None:
        self.stopped = self.resumed = 0

    def stop(self) -> None:
        self.stopped += 1

    def resume(self) -> None:
        self.resumed += 1


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def prompts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The prompts that were shown; each is answered by y."""
    shown: list[str] = []

    def answer(prompt: str) -> str:
        shown.append(prompt)
        return "y"

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("builtins.input", answer)
    return shown


def context(removed: Mapping[str, Any] | None = None, undone: tuple[str, ...] = ()) -> Any:
    run = SimpleNamespace(removed=removed or {}, undone=undone)
    return Context(run, None, Progress(), None)  # type: ignore[arg-type]


def options(**given: bool) -> ChangeOptions:
    return ChangeOptions(**{"json": False, "quiet": True, "yes": False, **given})


@pytest.mark.parametrize(
    ("plan", "removed", "yes", "asked"),
    [
        (SAME, {}, False, ""),
        (GENTLE, {}, False, ""),
        (FIRST, {}, False, "set up bcc"),
        (DISRUPTIVE, {}, False, "make 2 disruptive changes on bcc"),
        (SAME, {"home": HOSTS["home"]}, False, "take down home"),
        (DISRUPTIVE, {"home": HOSTS["home"]}, False, "make 2 disruptive changes on bcc and take down home"),
        (DISRUPTIVE, {"home": HOSTS["home"]}, True, ""),
    ],
)
def test_up_asks_before_it_disrupts_or_takes_down_a_host(
    plan: Any, removed: Mapping[str, Any], yes: bool, asked: str, prompts: list[str]
) -> None:
    on = context(removed)

    assert bool(asked) is consent_to_up(options(yes=yes), on)({"bcc": plan})
    assert ([f"wgorch: {asked}? [y/N] "] if asked else []) == prompts
    assert (1, 1) == (on.progress.stopped, on.progress.resumed)


def test_up_asks_before_it_undoes_what_another_controller_changed(prompts: list[str]) -> None:
    assert consent_to_up(options(), context(undone=("- phone",)))({"bcc": GENTLE})
    assert prompts == ["wgorch: undo changes made from elsewhere? [y/N] "]


@pytest.mark.parametrize(
    ("plan", "yes", "asked"), [(SAME, False, False), (GENTLE, False, True), (DISRUPTIVE, True, False)]
)
def test_teardown_asks_before_any_change(plan: Any, yes: bool, asked: bool, prompts: list[str]) -> None:
    assert asked is consent_to_teardown(options(yes=yes), context())({"bcc": plan})
    assert (["wgorch: tear down the network on bcc (1 change)? [y/N] "] if asked else []) == prompts


def test_without_a_terminal_it_is_refused_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    on = context()
    with pytest.raises(Declined) as raised:
        consent_to_teardown(options(), on)({"bcc": GENTLE})

    text = "refusing to tear down the network on bcc (1 change): no terminal to confirm on\n    hint: review the plan, then re-run with --yes"
    assert text == str(raised.value)
    assert BAD_INPUT == raised.value.exit_code
    assert 0 == on.progress.resumed


@pytest.mark.parametrize("answer", ["", "n", "no", "yess", "maybe", "Y E S"])
def test_anything_but_yes_aborts(answer: str, prompts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda _prompt: answer)
    with pytest.raises(Declined, match=r"^aborted$"):
        consent_to_up(options(), context())({"bcc": DISRUPTIVE})
