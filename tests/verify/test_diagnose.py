"""From measurements to findings, the first fault on a path in front."""

from __future__ import annotations

from tests.verify.networks import (
    BCC,
    COMPANY,
    EVERY,
    HOME,
    KEYS,
    MANY_KEYS,
    MESH,
    TARGET,
    TOPOLOGY,
    from_one_end,
)
from wgorch.verify.diagnose import Since, diagnose
from wgorch.verify.measure import Measurement, Ping
from wgorch.verify.targets import targets


def healthy() -> dict[str, Measurement]:
    """What the three hosts measure where everything works."""
    works = Ping(3, 3, 1.0)
    peers = {"bcc": ("home", "company"), "home": ("bcc",), "company": ("bcc",)}
    found = {}
    for host in peers:
        pings = dict.fromkeys(targets(TOPOLOGY, host, EVERY), works)
        full = {TOPOLOGY.hosts[peer].address: works for peer in peers[host]}
        found[host] = Measurement(host, pings, full, {KEYS[peer]: 990 for peer in peers[host]})
    return found


def without(seen: Measurement, *dead: object, handshakes: bool = True) -> Measurement:
    """The same host, to which some addresses do not reply."""
    pings = {a: Ping(3, 0) if a in dead else p for a, p in seen.pings.items()}
    return Measurement(seen.host, pings, seen.full_size, seen.handshakes if handshakes else {})


def findings(measured: dict[str, Measurement], **more: object) -> list[str]:
    return [f"{f.host}: {f.what}" for f in diagnose(TOPOLOGY, measured, KEYS, **more).findings]  # type: ignore[arg-type]


def test_a_healthy_network_has_no_finding() -> None:
    assert findings(healthy()) == []


def test_no_handshake_names_the_relays_port() -> None:
    measured = healthy()
    measured["home"] = without(measured["home"], BCC, COMPANY, TARGET, handshakes=False)
    measured["bcc"] = without(measured["bcc"], HOME, handshakes=False)

    found = findings(measured)

    assert found[0] == "home: no handshake with bcc: UDP to 203.0.113.13:38371 blocked, or replies lost"
    assert any("cannot reach company: no session between home and bcc" in line for line in found)


def test_without_the_check_of_handshakes_only_pings_count() -> None:
    measured = healthy()
    measured["home"] = without(measured["home"], handshakes=False)

    assert len(findings(measured)) == 1
    assert findings(measured, checks=EVERY - {"handshakes"}) == []


def test_a_session_older_than_the_change_proves_nothing() -> None:
    since = {"home": {"bcc": Since(995, 1000)}}

    assert findings(healthy(), since=since) == ["home: session with bcc predates this change: its new key is unproven"]


def test_the_last_host_that_replies_is_where_to_look() -> None:
    measured = healthy()
    measured["home"] = without(measured["home"], COMPANY, TARGET)

    assert "home: cannot reach company: packets reach bcc, but company does not reply" in findings(measured)


def test_a_gateway_that_reaches_the_machine_itself_is_where_to_look() -> None:
    measured = healthy()
    measured["home"] = without(measured["home"], TARGET)

    assert findings(measured) == ["home: cannot reach 10.10.13.61: packets reach company, which can reach it"]


def test_a_dead_machine_is_no_fault_of_the_tunnel() -> None:
    measured = healthy()
    measured["home"] = without(measured["home"], TARGET)
    measured["company"] = without(measured["company"], TARGET)

    assert "home: cannot reach 10.10.13.61: company cannot reach it either" in findings(measured)
    assert "company: no reply from 10.10.13.61 in its own LAN" in findings(measured)


def test_a_full_size_packet_that_is_lost_names_the_mtu_that_fits() -> None:
    measured = healthy()
    home = measured["home"]
    measured["home"] = Measurement("home", home.pings, {BCC: Ping(3, 0)}, home.handshakes, {BCC: 1380})

    (finding,) = diagnose(TOPOLOGY, measured, KEYS).findings
    assert str(finding) == (
        "home: bcc replies to small packets, but to none of full size\n"
        "    fix: mtu: 1380 in the inventory; a link on the path carries less"
    )
    assert finding.fits == 1380


# --- a large network is measured from one end of each pair


def measured_by(host: str, peers: list[str]) -> Measurement:
    pings = {MESH.hosts[peer].address: Ping(3, 3, 1.0) for peer in peers}
    return Measurement(host, pings, {}, {MANY_KEYS[peer]: 990 for peer in peers})


def test_the_end_that_sent_nothing_needs_no_session_to_show_yet() -> None:
    measured = {host: measured_by(host, from_one_end(host)) for host in MESH.hosts}

    assert () == diagnose(MESH, measured, MANY_KEYS).findings


def test_a_pair_without_a_session_at_either_end_is_reported() -> None:
    measured = {host: measured_by(host, from_one_end(host)) for host in MESH.hosts}
    one, other = sorted(MESH.hosts)[:2]
    measured[one] = measured_by(one, [peer for peer in from_one_end(one) if peer != other])
    found = diagnose(MESH, measured, MANY_KEYS).findings

    assert {one, other} == {finding.host for finding in found}
    assert all("no handshake" in finding.what for finding in found)


# --- one cause, and proof by the way back


def test_one_fault_is_one_cause_with_what_needs_it() -> None:
    measured = healthy()
    measured["home"] = without(measured["home"], BCC, COMPANY, TARGET, handshakes=False)
    measured["bcc"] = without(measured["bcc"], HOME, handshakes=False)
    measured["company"] = without(measured["company"], HOME)

    verdict = diagnose(TOPOLOGY, measured, KEYS)
    ((first, others),) = verdict.causes

    assert first.what.startswith("no handshake with bcc")
    assert len(others) == len(verdict.findings) - 1 >= 4


def test_two_faults_are_two_causes() -> None:
    measured = healthy()
    measured["home"] = without(measured["home"], TARGET)
    measured["company"] = without(measured["company"], HOME)
    measured["home"] = without(measured["home"], COMPANY, TARGET)

    faults = {first.fault for first, _ in diagnose(TOPOLOGY, measured, KEYS).causes}
    assert faults == {("hop", "bcc", "company"), ("hop", "bcc", "home")}


def test_the_gateways_own_ping_is_the_cause_of_those_through_it() -> None:
    measured = healthy()
    for host in ("home", "company"):
        measured[host] = without(measured[host], TARGET)

    ((first, others),) = diagnose(TOPOLOGY, measured, KEYS).causes
    assert first.what == "no reply from 10.10.13.61 in its own LAN"
    assert [finding.host for finding in others] == ["home"]


def test_a_host_that_answers_no_pings_is_proven_by_its_own() -> None:
    measured = healthy()
    for host in ("home", "company"):
        measured[host] = without(measured[host], BCC)

    verdict = diagnose(TOPOLOGY, measured, KEYS)
    assert verdict.works
    assert {finding.what for finding in verdict.proven_back} == {
        "bcc does not answer pings in the tunnel; its own to home get through",
        "bcc does not answer pings in the tunnel; its own to company get through",
    }


def test_a_host_that_neither_answers_nor_asks_is_not_proven() -> None:
    measured = healthy()
    measured["home"] = without(measured["home"], BCC)
    measured["bcc"] = without(measured["bcc"], HOME)

    assert not diagnose(TOPOLOGY, measured, KEYS).works


def test_what_was_broken_before_is_not_held_against_a_change() -> None:
    measured = healthy()
    measured["home"] = without(measured["home"], TARGET)
    broken = frozenset({("home", str(TARGET))})

    verdict = diagnose(TOPOLOGY, measured, KEYS, broken_before=broken)
    assert verdict.works
    assert [finding.pair for finding in verdict.broken_before] == [("home", str(TARGET))]
    assert not diagnose(TOPOLOGY, measured, KEYS, broken_before=frozenset({("home", "10.10.13.99")})).works
