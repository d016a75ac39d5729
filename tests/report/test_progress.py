"""Live progress: who is waited for, when the lease ends, and that many hosts fit on a terminal."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from tests.report.samples import rendered_on_terminal
from wgorch.events import Event
from wgorch.journal import Journal
from wgorch.report.phases import LABELS, MAX_ROWS, Phases
from wgorch.report.progress import Progress


def test_the_display_names_the_stragglers_and_when_the_lease_ends() -> None:
    def render(out: Console) -> None:
        progress = Progress(out, ["bcc", "home", "company"], quiet=True)
        for host in ("bcc", "home", "company"):
            progress.event(host, Event.ARM, "60")
        for host in ("bcc", "home"):
            progress.event(host, Event.APPLIED)
        progress.event("company", Event.CHANGE, "+ chain wgorch-office-fwd")
        out.print(progress.render())

    text = rendered_on_terminal(render, 100)
    assert "waiting for company" in text
    assert re.search(r"rolls back in (59|60) s unless confirmed", text)
    assert "+ chain wgorch-office-fwd" in text


@pytest.mark.parametrize("width", [80, 200])
def test_200_hosts_fit_on_a_terminal(width: int) -> None:
    hosts = [f"branch-{n:03}" for n in range(200)]

    def render(out: Console) -> None:
        progress = Progress(out, hosts, quiet=True)
        for host in hosts:
            progress.event(host, Event.APPLIED)
        progress.event("branch-007", Event.FAILED, "the disk is full")
        out.print(progress.render())

    text = re.sub(r"\x1b\[[0-9;]*m", "", rendered_on_terminal(render, width, no_color=True))
    lines = text.rstrip().split("\n")
    assert len(lines) < 10
    assert all(len(line) <= width for line in lines)
    assert "branch-007" in text
    assert "199 applied, verified on host" in " ".join(text.split())


def test_off_a_terminal_each_event_is_a_line() -> None:
    stream = io.StringIO()
    progress = Progress(Console(file=stream, width=160), ["home"])
    with progress:
        progress.event("home", Event.GATHERED)
        progress.event("home", Event.ARM, "60")
        progress.event("home", Event.CHANGE, "+ interface wg0")
        progress.event("home", Event.APPLIED)
        progress.event("home", Event.ROLL_BACK, "verification failed")
        progress.event("home", Event.ROLLED_BACK, "lease-ended")

    assert [
        "home         applying (lease armed): 60 s",
        "home             + interface wg0",
        "home         applied, verified on host",
        "home         rolling back: verification failed",
        "home         rolled back",
    ] == [re.sub(r"^ *[0-9.]+s  ", "", line.rstrip()) for line in stream.getvalue().rstrip().split("\n")]


def test_the_journal_has_the_events_by_their_own_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    journal = Journal("office", "r1")
    progress = Progress(Console(file=io.StringIO()), ["home"], journal, quiet=True)
    for event in Event:
        progress.event("home", event, "60")
    progress.close()

    assert [event.value for event in Event] == [
        json.loads(line)["event"] for line in journal.path.read_text().rstrip().split("\n")
    ]


def test_every_event_has_a_label_of_its_own() -> None:
    assert set(Event) == set(LABELS)
    assert len(Event) == len(set(LABELS.values()))


def test_stragglers_are_behind_the_phase_that_another_host_has_reached() -> None:
    phases = Phases(["bcc", "home", "company", "idle"])
    assert [] == phases.stragglers()
    for host in ("bcc", "home", "company"):
        phases.record(host, Event.ARM, "60")
    assert [] == phases.stragglers()
    phases.record("bcc", Event.CONFIRMED, "")
    phases.record("home", Event.FAILED, "")

    assert ["company"] == phases.stragglers()


def test_of_many_hosts_only_notable_ones_have_a_row() -> None:
    hosts = [f"h{n}" for n in range(MAX_ROWS + 1)]
    phases = Phases(hosts)
    for host in hosts:
        phases.record(host, Event.APPLIED, "")
    phases.record("h3", Event.WAITING, "dpkg")
    phases.record("h2", Event.LOCK, "")

    assert ["h3", "h2"] == list(phases.notable())
    assert hosts[:MAX_ROWS] == list(Phases(hosts[:MAX_ROWS]).notable())
