"""Addresses that each host pings."""

from __future__ import annotations

from tests.verify.networks import BCC, COMPANY, EVERY, HOME, MANY, MESH, TARGET, TOPOLOGY, from_one_end
from wgorch.verify.targets import Skipped, measures_pair, targets


def test_hosts_ping_each_other_and_the_machine_of_a_flow() -> None:
    assert targets(TOPOLOGY, "home", EVERY) == [BCC, COMPANY, TARGET]
    assert targets(TOPOLOGY, "company", EVERY) == [BCC, HOME, TARGET]


def test_a_check_left_out_is_not_measured() -> None:
    assert targets(TOPOLOGY, "home", frozenset({"flows"})) == [TARGET]
    assert targets(TOPOLOGY, "home", frozenset({"full_size"})) == [BCC]
    assert targets(TOPOLOGY, "home", frozenset({"handshakes"})) == []


def test_what_lies_behind_a_skipped_host_is_not_measured() -> None:
    company, bcc = frozenset({"company"}), frozenset({"bcc"})

    assert targets(TOPOLOGY, "home", EVERY, Skipped(company)) == [BCC]
    assert targets(TOPOLOGY, "home", EVERY, Skipped(bcc)) == [COMPANY, TARGET]
    assert targets(TOPOLOGY, "home", EVERY, Skipped(bcc, bcc)) == []
    assert targets(TOPOLOGY, "company", EVERY, Skipped(company)) == [BCC, HOME, TARGET]


def test_each_pair_of_a_large_network_is_measured_once() -> None:
    pairs = [(host, peer) for host in MESH.hosts for peer in from_one_end(host)]

    assert MANY * (MANY - 1) // 2 == len(pairs) == len({frozenset(pair) for pair in pairs})
    for host in MESH.hosts:
        asked = targets(MESH, host, EVERY, measures=lambda peer, host=host: measures_pair(MESH, host, peer))  # type: ignore[misc]
        assert {MESH.hosts[peer].address for peer in from_one_end(host)} <= set(asked)
        assert len(asked) <= len(from_one_end(host)) + 1
