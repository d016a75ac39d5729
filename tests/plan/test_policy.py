"""What a plan says of a policy: flows that it opens and closes, lines that end soon, SSH that it would cut."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.inventory.mistyped import BASE
from tests.inventory.sections.test_flows import policy
from tests.trace.recordings import recorded
from wgorch.gather.observed import Observed
from wgorch.inventory.load import loads
from wgorch.plan.members import Record, compose, differences, parse
from wgorch.plan.playbook import load_all
from wgorch.plan.policy import cuts_ssh, policy_notes, unenforced
from wgorch.state.rules import Chain
from wgorch.state.state import State
from wgorch.topology.topology import Topology, build

POLICY = Chain("mangle", "INPUT", "wgorch-office-pin")

DAY = 86400


def of(*lines: str) -> Topology:
    return build(loads(policy(*lines) if lines else BASE))


def record(*lines: str) -> Record:
    topology = of(*lines)
    return Record(1, text=compose(topology.inventory, dict.fromkeys(topology.inventory.hosts, "key"), {}))


def notes(topology: Topology, before: Record, now: int = 0) -> list[str]:
    return [note.text for note in policy_notes(topology, before, "bcc", now)]


def test_a_record_keeps_the_policy_and_its_groups() -> None:
    text = policy("offices -> home: tcp 22", groups="groups:\n  offices: [company.lan]\n")
    members = parse(Record(text=compose(loads(text), dict.fromkeys(("bcc", "home", "company"), "key"), {})))

    assert members
    assert loads(text).policy == members.inventory.policy
    assert ["policy"] == list(differences(members.inventory, loads(BASE)))


def test_a_member_that_a_record_leaves_out_takes_its_lines_along() -> None:
    text = policy("company -> home", "home -> bcc", "offices -> bcc", groups="groups:\n  offices: [company, bcc]\n")
    members = parse(Record(text=compose(loads(text), {"bcc": "key", "home": "key"}, {})))

    assert members
    assert ["home -> bcc", "offices -> bcc"] == list(map(str, members.inventory.policy))
    assert {"offices": ("bcc",)} == members.inventory.groups


def test_a_first_policy_closes_everything_and_the_last_line_opens_it() -> None:
    assert ["the policy closes any -> any"] == notes(of("home -> company"), record())
    assert ["the policy opens any -> any"] == notes(of(), record("home -> company"))
    assert [] == notes(of("home -> company"), Record()), "nothing was there before"


def test_a_change_is_named_by_its_flows() -> None:
    assert ["the policy closes home -> bcc: ping", "the policy opens home -> company: tcp 443"] == notes(
        of("home -> company: tcp 22,443"), record("home -> company: tcp 22", "home -> bcc: ping")
    )
    assert [] == notes(of("home -> company", "home -> bcc"), record("home -> bcc", "home -> company"))


def test_a_line_that_ends_soon_is_named() -> None:
    topology = of("home -> company: tcp 22 until 2100-01-31")
    end = topology.inventory.policy[0].until

    assert [] == notes(topology, Record(), end - 15 * DAY)
    assert ["a line of the policy ends in 13 days: home -> company: tcp 22 until 2100-01-31"] == notes(
        topology, Record(), end - 13 * DAY - 5
    )
    assert ["a line of the policy ends within a day: home -> company: tcp 22 until 2100-01-31"] == notes(
        topology, Record(), end - 60
    )


def seen(client: str, interface: str, server: str = "") -> dict[str, Observed]:
    """Company as it is read by SSH from an address that is routed by an interface."""
    facts = recorded("healthy")[0]["company"]
    route = next(route for route in facts.links.routes if route.device == "wg0")
    links = replace(facts.links, routes=(route._replace(device=interface, subnet=loads(BASE).network.subnet),))
    return {
        "company": replace(
            facts, system=replace(facts.system, ssh_client=client, ssh_server=server, ssh_port=22), links=links
        )
    }


def test_ssh_through_the_tunnel_is_never_cut() -> None:
    cut = [str(error) for error in cuts_ssh(of("home -> company: tcp 443"), seen("192.168.2.2", "wg0"))]

    assert [
        "company: cannot enforce the policy: SSH to the host comes through the tunnel from home, and no line of policy:"
        " allows it\n    hint: add to policy: - home -> company: tcp 22"
    ] == cut
    assert [] == list(cuts_ssh(of("home -> company: tcp 22"), seen("192.168.2.2", "wg0")))
    to_lan = seen("192.168.2.2", "wg0", "10.10.13.62")
    assert [] == list(cuts_ssh(of("home -> company.lan: tcp 22"), to_lan)), "by its address in the LAN"
    assert ["add to policy: - home -> 10.10.13.62: tcp 22"] == [
        error.hint for error in cuts_ssh(of("home -> company: tcp 22"), to_lan)
    ]
    assert [] == list(cuts_ssh(of("home -> company: tcp 443"), seen("192.168.2.2", "ens192")))
    assert [] == list(cuts_ssh(of(), seen("192.168.2.2", "wg0")))


@pytest.mark.parametrize(
    ("lacks", "state", "said"),
    [
        ("nft_table", {"nft": {"policy-input 0123456789ab": "drop"}}, "lacks the step nft_table before interface"),
        ("policy_chains", {"nft": {"policy-input 0123456789ab": "drop"}}, ""),
        ("policy_chains", {"chains": {POLICY: ()}}, "lacks the step policy_chains before interface"),
        ("nft_table", {"chains": {POLICY: ()}}, ""),
        ("nft_table", {"nft": {"forward 0123456789ab": "accept"}}, ""),
        ("", {"nft": {"policy-input 0123456789ab": "drop"}, "chains": {POLICY: ()}}, ""),
    ],
)
def test_a_playbook_that_leaves_a_policy_out_is_refused(lacks: str, state: dict[str, Any], said: str) -> None:
    up = load_all("", None).up
    stages = {stage: tuple(step for step in steps if step != lacks) for stage, steps in up.stages.items()}
    want = State("wgorch:office", "/var/lib/wgorch/office", **state)

    found = [error.problem for error in unenforced("home", want, up._replace(stages=stages))]

    assert ([f"the playbook of up {said}"] if said else []) == found
