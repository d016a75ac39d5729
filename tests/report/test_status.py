"""The state of a network on a terminal."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.report.samples import (
    SEEN,
    TOPOLOGY,
    change_of,
    drifted,
    healthy,
    lost,
    plan_of,
    rendered,
    rendered_on_terminal,
)
from wgorch.outcome import Status
from wgorch.report.sessions import SessionState, session_state, sessions, size
from wgorch.report.status import MAX_DRIFT_LINES, render_status, summary
from wgorch.report.watch import _rates, watch

STRANGER = change_of("-", "peer c2VjcmV0…", "not a peer of this host", disruptive=True)


def text_of(status: Status) -> str:
    return rendered(lambda out: render_status(out, TOPOLOGY, status))


def test_no_meaning_is_in_colour_alone() -> None:
    text = rendered_on_terminal(lambda out: render_status(out, TOPOLOGY, lost()), no_color=True)

    assert "\x1b[3" not in text.replace("\x1b[0m", "")
    assert "absent: office: it is off" in text
    assert text.index("bcc") < text.index("company"), "in the order of the file"


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (healthy(), "✓ 3 hosts in sync with the inventory: configuration; traffic was not measured"),
        (lost(), "✓ 3 hosts in sync with the inventory: configuration; traffic was not measured; 1 absent"),
        (drifted(plan_of("bcc", STRANGER)), "✗ drift detected; run `wgorch plan` (1 change)"),
    ],
)
def test_the_last_line_is_the_state_of_the_network(status: Status, line: str) -> None:
    assert line == summary(status).plain
    assert line == text_of(status).rstrip().split("\n")[-1]


def test_drift_is_named_by_host_and_object_and_long_lists_are_cut() -> None:
    text = text_of(drifted(plan_of("bcc", *[STRANGER] * (MAX_DRIFT_LINES + 2))))

    assert MAX_DRIFT_LINES == text.count("drift: bcc: - peer c2VjcmV0…: not a peer of this host")
    assert "drift: 2 more" in text


def test_a_path_over_a_relay_has_its_row() -> None:
    assert re.search(r"^home +bcc .*direct *\n +company +via bcc", text_of(healthy()), re.M)


@pytest.mark.parametrize(
    ("age", "state"),
    [(None, SessionState.DOWN), (0, SessionState.UP), (180, SessionState.UP), (181, SessionState.STALE)],
)
def test_a_session_is_stale_when_wireguard_rejects_it(age: int | None, state: SessionState) -> None:
    assert state == session_state(age)


def test_an_unknown_peer_is_named_by_its_key() -> None:
    found = sessions(TOPOLOGY, replace(healthy(), keys={}))

    assert {True} == {session.name is None and session.label.endswith("…") for its in found.values() for session in its}
    assert set(SEEN) == set(found)


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 20, "5.0 MiB"), (3 << 30, "3.0 GiB")]
)
def test_sizes_are_read_by_people(count: int, text: str) -> None:
    assert text == size(count)


def test_watch_shows_rates_between_two_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (0.0, 0.0) == _rates(None, (1.0, 5, 5))
    assert (50.0, 20.0) == _rates((1.0, 100, 200), (3.0, 200, 240))

    monkeypatch.setattr("wgorch.report.watch._sleep", lambda _seconds: True)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    text = rendered(lambda out: watch(out, lambda: (TOPOLOGY, healthy()), 0))
    assert "✓ 3 hosts in sync with the inventory" in text
    assert re.search(r"home +bcc .* 0 B +0 B", text)
