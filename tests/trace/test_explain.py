"""From recorded observations to the finding, without a host."""

from __future__ import annotations

import pytest

from tests.lab.faults import FAULTS, Fault
from tests.trace.recordings import explained

SHOWN_BY_FACTS = {
    *("allowed-ips missing at the sender", "allowed-ips missing at the receiver", "no route", "forwarding off"),
    *("FORWARD policy DROP, and the jump missing", "strict rp_filter", "a wrong public key"),
    *("a wrong endpoint port", "interface down"),
}
"""Faults that are named although no tool saw the packet."""


def test_a_healthy_path_has_no_finding() -> None:
    trace = explained("healthy")

    assert trace.finding is None
    assert [hop.seen for hop in trace.hops] == [True] * 20
    assert ("10.10.13.62", "10.10.13.61") in {(h.source, h.destination) for h in trace.hops if h.interface == "ens192"}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_the_fault_is_named(fault: Fault) -> None:
    finding = explained(fault.name).finding

    assert finding is not None
    assert (finding.host, fault.says in finding.what) == (fault.host, True), finding
    assert finding.hint


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_what_was_not_observed_is_never_guessed(fault: Fault) -> None:
    """Without nft and tcpdump: the right cause where facts show it, else a sentence that says what was not observed."""
    trace = explained(fault.name, blind=True)

    assert trace.finding is not None
    assert sorted(trace.unobserved) == ["bcc", "company", "home"]
    if fault.name in SHOWN_BY_FACTS:
        assert (trace.finding.host, fault.says in trace.finding.what) == (fault.host, True), trace.finding
    else:
        what = trace.finding.what
        assert "observed" in what or "no current session" in what or "MTU" in what, trace.finding


def test_hops_behind_the_fault_are_left_out() -> None:
    trace = explained("forwarding off")

    assert [(h.host, h.seen) for h in trace.hops] == [("home", True), ("bcc", True), ("bcc", False)]
