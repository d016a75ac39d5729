"""From recorded observations to the finding, without a host. Recorded by ``python -m tests.lab.record``."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from tests.lab.faults import FAULTS, Fault
from wgorch.errors import Garbled
from wgorch.gather.gather import NONCE
from wgorch.gather.observed import Observed, observed
from wgorch.inventory.load import load
from wgorch.topology.topology import build
from wgorch.trace.explain import Trace, explain
from wgorch.trace.observe import Probe, Seen, parse, program

HERE = Path(__file__).parent
TOPOLOGY = build(load(HERE.parents[1] / "inventory" / "home-company.yaml"))
READ_FROM_WHAT_IS_THERE = {
    *("allowed-ips missing at the sender", "allowed-ips missing at the receiver", "no route", "forwarding off"),
    *("FORWARD policy DROP, and our jump gone", "strict reverse-path filter", "a wrong public key"),
    *("a wrong endpoint port", "interface down"),
}
"""Faults that can be named although no tool saw the packet."""


def recorded(name: str) -> tuple[dict[str, Observed], dict[str, Seen], Probe]:
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    told = json.loads((HERE / "recorded" / f"{slug}.json").read_text())
    assert told["nonce"] == NONCE
    probe = Probe(ip_address("192.168.2.2"), ip_address("10.10.13.61"), size=told["size"], full_size=told["full_size"])
    facts = {
        h: observed(h, f"{NONCE} {text.partition(chr(10) + NONCE + ' ')[2]}", NONCE)
        for h, text in told["facts"].items()
    }
    return facts, {h: parse(h, text, probe) for h, text in told["seen"].items()}, probe


def explained(name: str, *, blind: bool = False) -> Trace:
    facts, seen, probe = recorded(name)
    if blind:
        seen = {
            h: replace(s, by="", sights={}, outer={"in": (), "out": ()}, verdicts=(), counted=())
            for h, s in seen.items()
        }
    keys = {host: o.keys.public for host, o in facts.items()}
    return explain(TOPOLOGY, facts, keys, seen, probe, "home")


def test_a_healthy_way_has_no_finding() -> None:
    trace = explained("healthy")

    assert trace.finding is None
    assert [step.seen for step in trace.steps] == [True] * 20
    assert ("10.10.13.62", "10.10.13.61") in {(s.source, s.destination) for s in trace.steps if s.card == "ens192"}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_the_fault_is_named(fault: Fault) -> None:
    finding = explained(fault.name).finding

    assert finding is not None
    assert (finding.host, fault.says in finding.what) == (fault.host, True), finding


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_what_nobody_saw_is_never_guessed(fault: Fault) -> None:
    """Without nft and tcpdump: the right cause where it can be read, else a sentence that says what is not known."""
    trace = explained(fault.name, blind=True)

    assert trace.finding is not None
    assert sorted(trace.unobserved) == ["bcc", "company", "home"]
    if fault.name in READ_FROM_WHAT_IS_THERE:
        assert (trace.finding.host, fault.says in trace.finding.what) == (fault.host, True), trace.finding
    else:
        assert (
            "observed" in trace.finding.what or "no living session" in trace.finding.what or "MTU" in trace.finding.what
        ), trace.finding


def test_steps_behind_the_fault_are_not_told() -> None:
    trace = explained("forwarding off")

    assert [(s.host, s.seen) for s in trace.steps] == [("home", True), ("bcc", True), ("bcc", False)]


def test_a_host_that_says_nothing_useful_is_garbled() -> None:
    probe = Probe(ip_address("192.168.2.2"), ip_address("10.10.13.61"))
    for text in ("", "no\n", f"\n{NONCE} by\nnft\n\n{NONCE} end\n"):
        with pytest.raises(Garbled):
            parse("home", text, probe)


@pytest.mark.parametrize("target", ["10.10.13.61", "fd10:13::61"])
@pytest.mark.parametrize("protocol", ["icmp", "tcp", "udp"])
def test_the_program_holds_nothing_but_what_it_must(target: str, protocol: str) -> None:
    source = "192.168.2.2" if "." in target else "fd00:2::2"
    probe = Probe(ip_address(source), ip_address(target), protocol, 0 if protocol == "icmp" else 443)
    text = program(probe, "abcd", "wg0", 51820, "")

    assert "wgorch-trace-abcd" in text
    assert f"target={target}" in text
    assert ("ip6 " in text) == (":" in target) or "outer6" in text
