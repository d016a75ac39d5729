"""A plan as text, and back; what departs from it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.anything import JSON
from wgorch.errors import UsageError
from wgorch.plan.file import PlanFile, departures, digest_of, from_text, planned, rests_on, shown, to_text
from wgorch.plan.host import HostPlan
from wgorch.plan.notes import Note
from wgorch.plan.script import Script, script
from wgorch.report.plan_file import markdown
from wgorch.state.change import Change, attributes, command
from wgorch.state.state import State

CHANGE = Change(
    "+", "peer home", "missing on wg0", (command("true"),), True, "peers", lambda: attributes(("MTU", 1, 2))
)


STATE = State("wgorch:office", "/var/lib/wgorch/office")


def plan_of(*changes: Change) -> HostPlan:
    """The plan of bcc with some changes."""

    def boot() -> Script:
        return script("at every start", STATE, ())

    return HostPlan("bcc", STATE, STATE, (), changes, (), tuple, boot, str)


def file(*changes: Change, **fields: Any) -> PlanFile:
    """A plan of one host."""
    plan = replace(plan_of(*changes), notes=(Note("bcc", "`x` <b>"),))
    made = PlanFile(
        network="office",
        path="/x/inventory.yaml",
        inventory="network: {}\n",
        playbooks={"up.yaml": "stages: []\n"},
        options={"limit": ["bcc"], "accept_new_keys": [], "rotate_keys": ["home"], "redo_mtu": False, "adopt": False},
        removed={},
        hosts={"bcc": planned(plan)},
        undone="",
        made=1_795_000_000,
        by="me@here",
        version="0.2",
    )
    return replace(made, **fields)


def test_a_plan_is_read_as_it_was_written() -> None:
    text = to_text(file(CHANGE))

    assert text == to_text(from_text(text, "change.plan"))
    change = from_text(text, "change.plan").hosts["bcc"].changes[0]
    assert (change.sign, change.what, change.disruptive, [str(v) for v in change.values]) == (
        "+",
        "peer home",
        True,
        ["MTU 1 -> 2"],
    )


def test_the_same_plan_departs_in_nothing() -> None:
    assert [] == list(departures(file(CHANGE), {"bcc": plan_of(CHANGE)}, {}))


@pytest.mark.parametrize(
    ("then", "now", "removed", "said"),
    [
        (file(CHANGE), {}, {}, "it is part of the plan, and is not reached"),
        (file(CHANGE, hosts={}), {"bcc": plan_of(CHANGE)}, {}, "it was not reached when the plan was made"),
        (file(CHANGE, hosts={}), {"bcc": plan_of()}, {}, ""),
        (file(CHANGE), {"bcc": plan_of(CHANGE)}, {"old": "x"}, "it left the network since the plan was made"),
        (file(CHANGE, removed={"old": "x"}), {"bcc": plan_of(CHANGE)}, {}, "the plan takes it down, and it is gone"),
        (file(CHANGE), {"bcc": plan_of(CHANGE, replace(CHANGE, what="peer x"))}, {}, "another change would be made: + peer x"),
        (file(CHANGE), {"bcc": plan_of(replace(CHANGE, commands=(command("false"),)))}, {}, "another change would be made: do"),
    ],
)  # fmt: skip
def test_what_departs_is_named(then: PlanFile, now: dict[str, Any], removed: dict[str, Any], said: str) -> None:
    assert ([said] if said else []) == [error.problem for error in departures(then, now, removed)]


def test_what_a_plan_rests_on_is_named_by_object() -> None:
    one = State("wgorch:office", "/x", sysctls={"net/ipv4/ip_forward": "1"}, policy_rules=frozenset({"-4 1 from all"}))
    other = replace(one, sysctls={"net/ipv4/ip_forward": "0"}, policy_rules=frozenset())
    moved = {key for key, _ in {*rests_on(one).items()} ^ {*rests_on(other).items()}}

    assert {"sysctls net/ipv4/ip_forward", "policy_rules -4 1 from all"} == moved


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_file_ends_in_a_traceback(data: st.DataObject) -> None:
    """Fields replaced by anything, with a digest that fits: read, or refused in words."""
    content = json.loads(to_text(file(CHANGE)))
    path = data.draw(
        st.sampled_from(
            [(k,) for k in content] + [("hosts", "bcc"), *(("hosts", "bcc", k) for k in content["hosts"]["bcc"])]
        )
    )
    where = content
    for key in path[:-1]:
        where = where[key]
    where[path[-1]] = data.draw(JSON)
    content["digest"] = digest_of(content)
    try:
        read = from_text(json.dumps(content), "change.plan")
    except UsageError:
        return
    shown(read)
    markdown(read)


def test_markdown_takes_nothing_for_markup() -> None:
    evil = replace(CHANGE, what="`](x) <script> ``", why="**b** | `")
    text = markdown(file(evil))

    assert "``` `](x) <script> `` ```" in text
    assert "`` **b** | ` ``" in text
    assert "- note: `` `x` <b> ``" in text
