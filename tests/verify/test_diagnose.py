"""From what hosts measured to what is wrong, and first on the packet's way."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

from wgorch.gather.gather import NONCE
from wgorch.inventory.load import load, loads
from wgorch.plan.playbook import CHECKS
from wgorch.topology.topology import build
from wgorch.verify.diagnose import Since, diagnose
from wgorch.verify.measure import Measured, Ping, first, parse, targets

TOPOLOGY = build(load(Path(__file__).parents[2] / "inventory" / "home-company.yaml"))
BCC, HOME, COMPANY, TARGET = (ip_address(a) for a in ("192.168.2.1", "192.168.2.2", "192.168.2.3", "10.10.13.61"))
KEYS = {name: letter * 43 + "=" for name, letter in (("bcc", "B"), ("home", "H"), ("company", "C"))}
EVERY = frozenset(CHECKS)


def healthy() -> dict[str, Measured]:
    """What the three hosts measure where everything works."""
    works = Ping(3, 3, 1.0)
    peers = {"bcc": ("home", "company"), "home": ("bcc",), "company": ("bcc",)}
    found = {}
    for host in peers:
        pings = dict.fromkeys(targets(TOPOLOGY, host, EVERY), works)
        full = {TOPOLOGY.hosts[peer].address: works for peer in peers[host]}
        found[host] = Measured(host, pings, full, {KEYS[peer]: 990 for peer in peers[host]})
    return found


def without(seen: Measured, *dead: object, handshakes: bool = True) -> Measured:
    """The same host, to which some addresses do not answer."""
    pings = {a: Ping(3, 0) if a in dead else p for a, p in seen.pings.items()}
    return Measured(seen.host, pings, seen.full_size, seen.handshakes if handshakes else {})


def told(measured: dict[str, Measured], **more: object) -> list[str]:
    return [f"{f.host}: {f.what}" for f in diagnose(TOPOLOGY, measured, KEYS, **more).findings]  # type: ignore[arg-type]


def test_a_healthy_network_has_no_finding() -> None:
    assert told(healthy()) == []


def test_hosts_ping_each_other_and_the_machine_of_a_flow() -> None:
    assert targets(TOPOLOGY, "home", EVERY) == [BCC, COMPANY, TARGET]
    assert targets(TOPOLOGY, "company", EVERY) == [BCC, HOME, TARGET]


def test_a_check_left_out_is_not_measured() -> None:
    assert targets(TOPOLOGY, "home", frozenset({"flows"})) == [TARGET]
    assert targets(TOPOLOGY, "home", frozenset({"full_size"})) == [BCC]
    assert targets(TOPOLOGY, "home", frozenset({"handshakes"})) == []


def test_no_handshake_names_the_relays_port() -> None:
    measured = healthy()
    measured["home"] = without(measured["home"], BCC, COMPANY, TARGET, handshakes=False)
    measured["bcc"] = without(measured["bcc"], HOME, handshakes=False)

    said = told(measured)

    assert "home: no handshake with bcc: its UDP does not get through to 203.0.113.13:38371" in said[0]
    assert any("cannot reach company: there is no session between home and bcc" in line for line in said)


def test_without_the_check_of_handshakes_only_pings_count() -> None:
    measured = healthy()
    measured["home"] = without(measured["home"], handshakes=False)

    assert len(told(measured)) == 1
    assert told(measured, checks=EVERY - {"handshakes"}) == []


def test_a_session_older_than_the_change_proves_nothing() -> None:
    since = {"home": Since(995, frozenset({"bcc"}))}

    assert told(healthy(), since=since) == [
        "home: the session with bcc is older than this change; its new key is not proven"
    ]


def test_the_last_host_that_answers_is_where_to_look() -> None:
    measured = healthy()
    measured["home"] = without(measured["home"], COMPANY, TARGET)

    assert "home: cannot reach company: packets get as far as bcc, but company does not answer" in told(measured)


def test_a_gateway_that_reaches_the_machine_itself_is_where_to_look() -> None:
    measured = healthy()
    measured["home"] = without(measured["home"], TARGET)

    assert told(measured) == ["home: cannot reach 10.10.13.61: packets get as far as company, which reaches it itself"]


def test_a_dead_machine_is_no_fault_of_the_tunnel() -> None:
    measured = healthy()
    measured["home"] = without(measured["home"], TARGET)
    measured["company"] = without(measured["company"], TARGET)

    assert "home: cannot reach 10.10.13.61: company cannot reach it either" in told(measured)
    assert "company: 10.10.13.61 does not answer, although it is in its own LAN" in told(measured)


def test_what_lies_behind_a_host_that_is_left_out_is_not_asked_for() -> None:
    assert targets(TOPOLOGY, "home", EVERY, frozenset({"company"})) == [BCC]
    assert targets(TOPOLOGY, "home", EVERY, frozenset({"bcc"})) == []


def test_what_ping_prints_is_counted() -> None:
    text = (
        "ping 0 3 packets transmitted, 2 received, 33% packet loss, time 402ms rtt min/avg/max/mdev = 0.1/0.25/0.3/0.1 ms\n"
        "ping 1 3 packets transmitted, 0 packets received, 100% packet loss\n"
        "\n@@wgorch latest-handshakes\n@@wgorch end\n"
    )
    seen = parse("home", text.replace("@@wgorch", NONCE), [BCC, COMPANY])

    assert seen.pings == {BCC: Ping(3, 2, 0.1), COMPANY: Ping(3, 0, None)}


# --- a large network is measured from one end of each pair

MANY = 14
MESH = build(
    loads(
        "network: {name: many, subnet: 10.9.0.0/24}\nhosts:\n"
        + "".join(f'  h{i:02}: {{ssh: root@192.0.2.{i + 1}, endpoint: "192.0.2.{i + 1}:51820"}}\n' for i in range(MANY))
    )
)
MANY_KEYS = {name: f"{i:043}=" for i, name in enumerate(MESH.hosts)}


def measured_by(host: str, peers: list[str]) -> Measured:
    pings = {MESH.hosts[peer].address: Ping(3, 3, 1.0) for peer in peers}
    return Measured(host, pings, {}, {MANY_KEYS[peer]: 990 for peer in peers})


def from_one_end(host: str) -> list[str]:
    return [peer for peer in MESH.peers(host) if first(MESH, host, peer)]


def test_each_pair_of_a_large_network_is_measured_once() -> None:
    pairs = [(host, peer) for host in MESH.hosts for peer in from_one_end(host)]

    assert MANY * (MANY - 1) // 2 == len(pairs) == len({frozenset(pair) for pair in pairs})
    for host in MESH.hosts:
        asked = targets(MESH, host, EVERY, from_here=lambda peer, host=host: first(MESH, host, peer))  # type: ignore[misc]
        assert {MESH.hosts[peer].address for peer in from_one_end(host)} <= set(asked)
        assert len(asked) <= len(from_one_end(host)) + 1


def test_the_end_that_sent_nothing_needs_no_session_to_show_yet() -> None:
    measured = {host: measured_by(host, from_one_end(host)) for host in MESH.hosts}

    assert () == diagnose(MESH, measured, MANY_KEYS).findings


def test_a_pair_without_a_session_at_either_end_is_told() -> None:
    measured = {host: measured_by(host, from_one_end(host)) for host in MESH.hosts}
    one, other = sorted(MESH.hosts)[:2]
    measured[one] = measured_by(one, [peer for peer in from_one_end(one) if peer != other])
    findings = diagnose(MESH, measured, MANY_KEYS).findings

    assert {one, other} == {finding.host for finding in findings}
    assert all("no handshake" in finding.what for finding in findings)
