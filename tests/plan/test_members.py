"""The record of the members: who keeps it, what it says, who left, and what another controller changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgorch.inventory.assign import assign
from wgorch.inventory.flow import LinkRule
from wgorch.inventory.load import load, loads
from wgorch.inventory.model import Inventory
from wgorch.plan.members import Record, compose, differences, keepers, left, parse, recorded_with
from wgorch.topology.topology import build

EXAMPLES = sorted((Path(__file__).parents[2] / "inventory").glob("*.yaml"))
WHOLE = assign(load(EXAMPLES[0].with_name("home-company.yaml")))
KEYS = {name: f"{name}-key" for name in WHOLE.hosts}


def without(inventory: Inventory, *names: str) -> Inventory:
    return replace(inventory, hosts={n: h for n, h in inventory.hosts.items() if n not in names}, verify=())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_record_says_what_the_inventory_says(path: Path) -> None:
    inventory = assign(load(path))
    members = parse(Record(text=compose(inventory, dict.fromkeys(inventory.hosts, "key"), {})))

    assert members is not None
    assert {} == left(inventory, members)
    assert [] == list(differences(members.inventory, inventory))
    assert keepers(build(inventory))


def test_the_relays_keep_it_else_a_few_hosts() -> None:
    assert ["bcc"] == keepers(build(WHOLE))
    many = {f"h{n}": replace(WHOLE.hosts["bcc"], name=f"h{n}", relay=False) for n in range(6)}
    assert ["h0", "h1", "h2"] == keepers(build(replace(WHOLE, hosts=many, verify=())))


def test_a_host_that_left_is_known_by_its_place() -> None:
    members = parse(Record(text=compose(WHOLE, KEYS, {})))
    assert members is not None

    assert ["company"] == list(left(without(WHOLE, "company"), members))
    renamed = replace(WHOLE, hosts={("office" if n == "company" else n): h for n, h in WHOLE.hosts.items()})
    assert {} == left(renamed, members)


def test_who_leaves_stays_in_the_record_until_it_is_gone() -> None:
    gone = {"company": WHOLE.hosts["company"]}
    members = parse(Record(text=compose(without(WHOLE, "company"), KEYS, gone)))
    assert members is not None

    assert ["company"] == list(members.leaving)
    assert ["company"] == list(left(without(WHOLE, "company"), members))
    assert WHOLE.hosts["company"].ssh == members.leaving["company"].ssh


def test_a_host_without_a_key_is_no_member_yet() -> None:
    members = parse(Record(text=compose(WHOLE, {"bcc": "key"}, {})))
    assert members is not None
    assert ["bcc"] == list(members.inventory.hosts)


def test_differences_are_named() -> None:
    other = replace(without(WHOLE, "home"), network=replace(WHOLE.network, mtu=1300))
    wider = replace(WHOLE, hosts={**WHOLE.hosts, "home": replace(WHOLE.hosts["home"], mtu=1300, listen_port=7)})

    assert ["network settings", "- home"] == list(differences(WHOLE, other))
    assert ["~ home (listen_port, mtu)"] == list(differences(WHOLE, wider))


@given(
    st.text(max_size=200)
    | st.sampled_from(["{}", "[]", "null", '{"network":1}', '{"network":{},"leaving":3}', "9" * 6000])
)
def test_a_record_that_does_not_parse_is_none(text: str) -> None:
    assert parse(Record(text=text)) is None


def test_a_hostile_record_reaches_no_option_of_ssh() -> None:
    text = compose(WHOLE, KEYS, {}).replace("10.10.13.62", "-oProxyCommand=id")
    assert parse(Record(text=text)) is None


def test_a_record_has_a_line_for_each_member() -> None:
    lines = compose(WHOLE, KEYS, {}).split("\n")
    assert 1 == sum('"company":{' in line for line in lines)
    assert loads("network: {name: x, subnet: 10.0.0.0/24}\nhosts: {a: {ssh: root@b}}").hosts


def test_a_record_of_some_members_need_not_be_a_network() -> None:
    """Two spokes that left cannot reach each other; a link may name a host that has no key yet."""
    spokes = {name: WHOLE.hosts[name] for name in ("home", "company")}
    members = parse(Record(text=compose(without(WHOLE, *spokes), KEYS, spokes)))
    assert members is not None
    assert {"home", "company"} == members.leaving.keys()
    linked = replace(WHOLE, links=(LinkRule("home", "bcc", True), LinkRule("company", "bcc", True)), verify=())
    some = parse(Record(text=compose(linked, {"bcc": "k", "home": "k2"}, {})))
    assert some is not None
    assert ["home", "bcc"] == [name for rule in some.inventory.links for name in (rule.one, rule.other)]


def test_a_limited_change_keeps_the_recorded_members() -> None:
    recorded = parse(Record(text=compose(WHOLE, KEYS, {})))
    moved = replace(WHOLE.hosts["home"], listen_port=51999)
    edited = replace(without(WHOLE, "company"), hosts={"bcc": WHOLE.hosts["bcc"], "home": moved})

    kept, leaving = recorded_with(recorded, edited, frozenset({"home"}))
    assert ({"bcc", "home", "company"}, {}) == (kept.hosts.keys(), leaving)
    assert 51999 == kept.hosts["home"].listen_port
    assert 51999 != recorded_with(recorded, edited, frozenset({"bcc"}))[0].hosts["home"].listen_port

    # Its address is another host's by now.
    branch = replace(WHOLE.hosts["company"], name="branch", ssh=replace(WHOLE.hosts["home"].ssh, host="192.0.2.7"))
    grown = replace(edited, hosts={**edited.hosts, "branch": branch})
    kept, leaving = recorded_with(recorded, grown, frozenset({"branch"}))
    assert ({"bcc", "home", "branch"}, {"company"}) == (kept.hosts.keys(), leaving.keys())
    assert parse(Record(text=compose(kept, {**KEYS, "branch": "k"}, leaving)))

    # A new host beyond the limit is no member yet; the same machine under another name is the same member.
    assert "branch" not in recorded_with(recorded, grown, frozenset({"home"}))[0].hosts
    renamed = replace(WHOLE, hosts={("office" if n == "company" else n): h for n, h in WHOLE.hosts.items()}, verify=())
    kept, leaving = recorded_with(recorded, renamed, frozenset({"office"}))
    assert ({"bcc", "home", "office"}, {}) == (kept.hosts.keys(), leaving)
    assert ({"bcc"}, {}) == (recorded_with(None, edited, frozenset({"bcc"}))[0].hosts.keys(), {})
