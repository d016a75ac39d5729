"""No report decides by a message: other texts in the input are the same other texts in the output, and nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from tests.report.samples import ROOT, TOPOLOGY, change_of, drifted, lost, plan_of, rendered_on_terminal, verdict_of
from tests.trace.recordings import explained
from wgorch.errors import MIXED, Unreachable
from wgorch.events import Event
from wgorch.outcome import HostOutcome, HostState, Outcome
from wgorch.plan.host import BOOT
from wgorch.report.plan import render_plan, shell_plan
from wgorch.report.progress import Progress
from wgorch.report.status import render_status
from wgorch.report.trace import render_trace
from wgorch.report.verdict import render_findings, render_outcome, render_verdict
from wgorch.verify.finding import Finding

MESSAGE = "qwertzuiop"
"""Stands for any message; no word of it is English."""

TEMPTING = (
    "error: failed",
    "boot script",
    "not managed by wgorch, kept in chain FORWARD: -j ACCEPT",
    "everything is as before",
    "value hidden",
    "no changes",
    "peer <new>",
    "disruptive",
)
"""Messages that a report could take for a sign."""


def plan(text: str) -> Callable[[Console], None]:
    changes = [change_of(sign, text, text) for sign in "+~-"]
    return lambda out: render_plan(out, {"bcc": plan_of("bcc", *changes, note=text)})


def shell(text: str) -> Callable[[Console], None]:
    return lambda out: out.print(shell_plan({"bcc": plan_of("bcc", change_of("+", text, text))}))


def status(text: str) -> Callable[[Console], None]:
    state = drifted(plan_of("bcc", change_of("-", text, text), note=text), text)
    return lambda out: render_status(out, TOPOLOGY, replace(state, unreachable=lost(text).unreachable))


def verdict(text: str) -> Callable[[Console], None]:
    return lambda out: render_verdict(out, TOPOLOGY, verdict_of(Finding("home", text, text)))


def findings(text: str) -> Callable[[Console], None]:
    return lambda out: render_findings(out, {"home": (Finding("home", text, text),), "bcc": ()})


def outcome(text: str) -> Callable[[Console], None]:
    standing = {"home": HostOutcome(HostState.UNKNOWN, text), "bcc": HostOutcome(HostState.APPLIED, text)}
    made = Outcome(MIXED, standing=standing, failed=(Unreachable("home", text, text, text),))
    return lambda out: render_outcome(out, made)


def trace(text: str) -> Callable[[Console], None]:
    found = replace(explained("no route"), finding=Finding("home", text, text))
    return lambda out: render_trace(out, found)


def progress(text: str) -> Callable[[Console], None]:
    def render(out: Console) -> None:
        for event in Event:
            if event is not Event.ARM:
                shown = Progress(out, ["home"], quiet=True)
                shown._began = float("inf")  # no elapsed time
                shown.event("home", event, text)
                out.print(shown.render())

    return render


@pytest.mark.parametrize("text", TEMPTING)
@pytest.mark.parametrize(
    "report", [plan, shell, status, verdict, findings, outcome, trace, progress], ids=lambda report: report.__name__
)
def test_another_message_changes_nothing_but_itself(
    report: Callable[[str], Callable[[Console], None]], text: str
) -> None:
    one, other = (
        re.sub(r"\s+", " ", rendered_on_terminal(report(message), 4000, color_system="truecolor"))
        for message in (MESSAGE, text)
    )

    assert MESSAGE in one
    assert one.replace(MESSAGE, text) == other


def test_the_boot_script_is_known_by_its_step() -> None:
    made = replace(change_of("+", MESSAGE, MESSAGE), step=BOOT)

    assert MESSAGE in shell_plan({"bcc": plan_of("bcc", made)})


FILES = sorted((ROOT / "wgorch" / "report").rglob("*.py"))

COMPARED = {
    "plan.py": {"up"},
    "progress.py": {"sent"},
    "sessions.py": {"B"},
    "status.py": {"handshake"},
    "timings.py": {"controller"},
    "trace.py": {"out"},
    "watch.py": {"q", "Q", "\x1b"},
}
"""All texts that reports compare with: a verb, directions, a unit, a column, the host of own spans, keys."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_is_compared_with_a_message(path: Path) -> None:
    compared = {
        node.value
        for comparison in ast.walk(ast.parse(path.read_text()))
        if isinstance(comparison, ast.Compare)
        for node in ast.walk(comparison)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    methods = re.findall(r"\.(?:startswith|endswith|find|index|search|match|fullmatch)\(", path.read_text())

    assert compared <= COMPARED.get(path.name, set())
    assert [] == methods
