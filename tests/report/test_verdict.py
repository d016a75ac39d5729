"""Outcomes, verification results, findings and traces on a terminal."""

from __future__ import annotations

import re

import pytest

from tests.report.samples import TOPOLOGY, rendered, verdict_of
from tests.trace.recordings import explained
from wgorch.errors import MIXED, Unreachable
from wgorch.outcome import HostOutcome, HostState, Outcome
from wgorch.report.trace import render_trace
from wgorch.report.verdict import LABELS, render_findings, render_outcome, render_verdict
from wgorch.verify.finding import Finding


def test_a_verdict_is_a_matrix_the_flows_the_findings_and_a_count() -> None:
    finding = Finding("home", "cannot reach company", "look there")
    text = rendered(lambda out: render_verdict(out, TOPOLOGY, verdict_of(finding)))

    assert "RTT (ms)" in text
    assert re.search(r"^home +· +1\.2", text, re.M)
    assert re.search(r"^bcc +OK +·", text, re.M)
    assert "home -> 10.10.13.61  -" in text
    assert "✗ home: cannot reach company" in text
    assert "✗ 2/3 paths OK" in text


def test_a_failed_change_names_the_state_of_every_host() -> None:
    standing = {state.name.lower(): HostOutcome(state, "because") for state in HostState}
    outcome = Outcome(MIXED, standing=standing, failed=(Unreachable("home", "connect", "no route"),))
    text = rendered(lambda out: render_outcome(out, outcome))

    for state, label in LABELS.items():
        assert re.search(rf"{state.name.lower()} +{label} +because", text)
    assert "error: home: " in text
    assert set(HostState) == set(LABELS)


def test_findings_and_their_absence() -> None:
    found = {"home": (), "bcc": (Finding("bcc", "UDP blocked", "open it"),)}
    text = rendered(lambda out: render_findings(out, found))

    assert "✓ home: no problems found" in text
    assert "• bcc: UDP blocked" in text


@pytest.mark.parametrize(
    ("fault", "blind", "line"),
    [
        ("healthy", False, "✓ 10.10.13.61 reachable: seen on every interface of the path"),
        ("no route", False, "✗ "),
        ("healthy", True, "· bcc: not observed: nft and tcpdump are not installed, or failed"),
        ("healthy", True, "✓ 10.10.13.61 reachable: the reply arrived"),
    ],
)
def test_a_trace_ends_with_its_result(fault: str, blind: bool, line: str) -> None:
    text = rendered(lambda out: render_trace(out, explained(fault, blind=blind)))

    assert text.startswith("request\n")
    assert re.search(r"^  [✓✗·] home\.wg0 +-> ", text, re.M)
    assert line in text
