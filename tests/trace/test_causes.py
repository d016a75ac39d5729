"""Causes that no recorded fault shows."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from tests.trace.recordings import TOPOLOGY, recorded
from wgorch.topology.path import Walk
from wgorch.trace.capture import Capture
from wgorch.trace.causes.firewall import dropped
from wgorch.trace.causes.sessions import no_session, silent_device
from wgorch.trace.causes.target import no_reply
from wgorch.trace.drops import Drop
from wgorch.trace.evidence import Evidence
from wgorch.trace.packet_path import PacketPath, packet_path
from wgorch.trace.probe import Kind

PATH = PacketPath(("home", "bcc", "company"), "wg0", "ens192")


def evidence(name: str = "healthy", **changed: Capture) -> Evidence:
    """A recorded trace; `changed`: other captures by host."""
    facts, captures, probe = recorded(name)
    keys = {host: o.keys.public for host, o in facts.items()}
    return Evidence(TOPOLOGY, facts, keys, captures | changed, probe, PATH)


def capture(host: str, name: str = "healthy", **fields: object) -> Capture:
    return replace(recorded(name)[1][host], **fields)  # type: ignore[arg-type]


def test_the_path_of_a_reply_is_that_of_the_request_backwards() -> None:
    facts, _, probe = recorded("healthy")
    path = packet_path(TOPOLOGY, facts, Walk(PATH.hosts, ()), probe.target, "")

    assert path == PATH
    assert [str(crossing) for crossing in path.crossings(Kind.REQUEST)] == [
        *("out of home.wg0", "into bcc.wg0", "out of bcc.wg0", "into company.wg0", "out of company.ens192"),
    ]
    assert [str(crossing) for crossing in path.crossings(Kind.REPLY)] == [
        *("into company.ens192", "out of company.wg0", "into bcc.wg0", "out of bcc.wg0", "into home.wg0"),
    ]


def test_a_probe_from_outside_comes_in_at_the_first_host() -> None:
    path = PacketPath(("bcc", "home"), "wg0", arrives_by="eth1")

    assert [str(c) for c in path.crossings(Kind.REQUEST)] == ["into bcc.eth1", "out of bcc.wg0", "into home.wg0"]
    assert [str(c) for c in path.crossings(Kind.REPLY)] == ["out of home.wg0", "into bcc.wg0", "out of bcc.eth1"]


def test_a_target_that_answers_no_arp_is_down() -> None:
    silent = capture("company", neighbour="10.10.13.61 dev ens192 FAILED")
    finding = no_reply(evidence(company=silent), Kind.REPLY, "company")

    assert str(finding) == "company: 10.10.13.61 does not answer ARP on ens192\n    fix: check that 10.10.13.61 is up"


def test_without_a_capture_no_reply_is_not_explained() -> None:
    finding = no_reply(evidence(company=capture("company", sightings={})), Kind.REPLY, "company")

    assert finding.what == "no reply from 10.10.13.61; whether the request was sent to it was not observed"


def test_a_drop_without_a_missing_jump_is_the_policys() -> None:
    company = capture("company", drops=(Drop("ip filter FORWARD", ""),))
    finding = dropped(evidence(company=company), "company")

    assert finding
    assert finding.what == "blocked by firewall: ip filter FORWARD policy drop; no rule accepts it"


def test_counters_of_the_hosts_own_packets_prove_nothing() -> None:
    own = capture("company", counted_drops=(Drop("filter INPUT", ""), Drop("filter OUTPUT", "-j DROP")))
    forwarded = replace(own, counted_drops=(*own.counted_drops, Drop("filter FORWARD", "-j DROP")))

    assert dropped(evidence(company=own), "company") is None
    finding = dropped(evidence(company=forwarded), "company")
    assert finding
    assert finding.what == "blocked by firewall: filter FORWARD, rule “-j DROP”"


def test_a_session_is_current_for_180_seconds() -> None:
    key = recorded("healthy")[0]["bcc"].keys.public
    young, old = (capture("home", clock=1180 + late, handshakes={key: 1000}) for late in (0, 1))

    assert no_session(evidence(home=young), "home", "bcc") is None
    finding = no_session(evidence(home=old), "home", "bcc")
    assert finding
    assert (finding.host, finding.what) == ("home", "no current session between home and bcc")


def test_a_device_with_a_session_that_does_not_answer_is_named() -> None:
    finding = silent_device(evidence(), "home", "bcc")
    never = silent_device(evidence(home=capture("home", handshakes={})), "home", "bcc")

    assert finding.what == "bcc has a session but does not answer; its packets cannot be observed"
    assert never.what == "no current session with bcc"
    assert "wgorch export bcc" in never.hint


def test_allowed_ips_choose_the_peer_by_the_longest_prefix() -> None:
    peer = evidence().peer_for("home", ip_address("10.10.13.61"))

    assert peer
    assert evidence().name_of(peer) == "bcc"
    assert evidence().peer_for("home", ip_address("8.8.8.8")) is None
