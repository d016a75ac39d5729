"""Addresses that each host pings."""

from __future__ import annotations

from dataclasses import replace

from tests.verify.networks import BCC, COMPANY, EVERY, HOME, MANY, MESH, TARGET, TOPOLOGY, from_one_end
from wgorch.inventory.flow import Flow
from wgorch.inventory.policy import PINGS, PolicyRule, Service
from wgorch.topology.topology import build
from wgorch.verify.targets import Skipped, flows, measures_pair, targets


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


def test_a_ping_that_the_policy_refuses_is_not_sent_but_to_peers() -> None:
    inventory = replace(TOPOLOGY.inventory, policy=(PolicyRule("company", "home", (PINGS,)),))
    topology = build(inventory)

    assert targets(topology, "home", EVERY) == [BCC]
    assert targets(topology, "company", EVERY) == [BCC, HOME, TARGET]
    assert targets(topology, "bcc", EVERY) == [HOME, COMPANY]


def test_lines_that_are_no_pings_are_tried_by_their_own_host() -> None:
    tcp = Flow("home", "company", COMPANY, Service("tcp", ((22, 22),)))
    refused = Flow("home", "company", COMPANY, refused=True)
    topology = build(replace(TOPOLOGY.inventory, verify=(tcp, refused, Flow("home", "company", COMPANY))))

    assert flows(topology, "home") == [tcp, refused]
    assert flows(topology, "company") == []
    assert flows(topology, "home", Skipped(frozenset({"company"}))) == []


def test_each_pair_of_a_large_network_is_measured_once() -> None:
    pairs = [(host, peer) for host in MESH.hosts for peer in from_one_end(host)]

    assert MANY * (MANY - 1) // 2 == len(pairs) == len({frozenset(pair) for pair in pairs})
    for host in MESH.hosts:
        asked = targets(MESH, host, EVERY, measures=lambda peer, host=host: measures_pair(MESH, host, peer))  # type: ignore[misc]
        assert {MESH.hosts[peer].address for peer in from_one_end(host)} <= set(asked)
        assert len(asked) <= len(from_one_end(host)) + 1
