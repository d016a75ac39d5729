"""Each noun owns all of itself: its fields of State, their reading, scope and probe, and its sh."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import fields, replace

import pytest

from tests.facts.test_parse import RECORDED, read
from wgorch.base.assets import asset, shipped
from wgorch.facts.facts import PARTS, Facts
from wgorch.facts.part import Reread
from wgorch.gather.gather import asking
from wgorch.gather.observed import differences, reused_sections
from wgorch.host.library import library
from wgorch.plan.playbook import load
from wgorch.state.state import State
from wgorch.steps import all_steps, nouns, read_slices
from wgorch.steps.noun import Noun

NOUNS = list(nouns().items())
IDENTITY = {"mark", "directory"}
"""Fields that say which network it is; no step changes them."""


def test_every_field_of_state_has_one_owner() -> None:
    owners = Counter(name for _, noun in NOUNS for name in noun.state)

    assert {f.name for f in fields(State)} - IDENTITY == set(owners)
    assert [] == [name for name, count in owners.items() if count != 1]


@pytest.mark.parametrize(("name", "noun"), NOUNS, ids=[name for name, _ in NOUNS])
def test_a_noun_is_read_and_probed_or_says_why_not(name: str, noun: Noun) -> None:
    assert noun.have or noun.read
    assert bool(noun.unprobed) != bool(noun.probe or noun.probe_interface)
    assert noun.read is None or noun.part.sections
    assert noun.part.moves_in_prepare <= set(noun.state)


@pytest.mark.parametrize(("name", "noun"), NOUNS, ids=[name for name, _ in NOUNS])
def test_a_reading_gives_exactly_the_fields_that_a_noun_owns(name: str, noun: Noun) -> None:
    seen = read(RECORDED)
    found = noun.read(seen.answers) if noun.read else {}

    assert set(found) <= set(noun.state)


def test_every_fact_is_declared() -> None:
    declared = set(PARTS)

    assert declared == {f.name for f in fields(Facts)} - {"host", "adopted"}


def test_a_section_is_declared_with_one_scope() -> None:
    scopes: dict[str, set[Reread]] = {}
    for part in (*PARTS.values(), *(noun.part for _, noun in NOUNS)):
        for section, reread in part.sections.items():
            scopes.setdefault(section, set()).add(reread)

    assert {} == {section: found for section, found in scopes.items() if len(found) != 1}


def printed_sections() -> set[str]:
    """The sections that the fact script prints, those by interface without its name."""
    text = "\n".join(asking().values())
    names = {
        one or two or three for one, two, three in re.findall(r"""section (?:'([^']+)'|"([^"]+)"|([a-z0-9-]+))""", text)
    }
    return {name.removesuffix(" $interface").replace("$family", "-4") for name in names} - {"end"}


def test_the_fact_script_prints_what_is_declared_and_nothing_else() -> None:
    declared = {s for part in (*PARTS.values(), *(noun.part for _, noun in NOUNS)) for s in part.sections}

    assert printed_sections() == {name for name in declared if not name.endswith(" -6")}


def test_what_is_never_read_again_is_reused_after_a_change() -> None:
    assert {
        "host",
        "paths",
        "tools",
        "poor-ip",
        "poor-nft",
        "udp",
        "ufw",
        "managers",
        "foreign-nft",
        "next-start",
        "keys",
    } == reused_sections()


BINARIES = {"ip", "wg", "sh", "chmod", "rm", "nft", "systemctl", "rc-update", "iptables-restore", "ip6tables-restore"}


def test_every_function_of_a_noun_is_in_the_library() -> None:
    declared = {function for _, noun in NOUNS for function in noun.functions}

    assert set() == declared - set(library())


def test_every_command_in_a_step_is_a_binary_or_a_declared_function() -> None:
    for name, noun in NOUNS:
        source = asset("steps", f"{name}.py")
        called = set(re.findall(r"""command\(\s*"([a-z_0-9]+)\"""", source))

        assert called - BINARIES <= set(noun.functions) | {"write_file"}, name
        assert set(noun.functions) <= called | set(re.findall(r'"([a-z_0-9]+)"', source)), name


def test_every_library_function_is_declared_or_called_by_one_that_is() -> None:
    needed = {function for _, noun in NOUNS for function in noun.functions} | {
        "write_file",
        "reset_network",
        "reset_failover",
    }
    needed |= {"wait_for_interface", "set_value"}
    while True:
        more = {word for name in needed if name in library() for word in re.findall(r"[a-z_0-9]+", library()[name])}
        if (more & set(library())) <= needed:
            break
        needed |= more & set(library())

    assert set() == set(library()) - needed - ALWAYS_THERE - OF_THE_WATCH


ALWAYS_THERE = {"prelude", "report_step", "abort", "write_atomic"}
"""What every script begins with."""

OF_THE_WATCH = {"adapt_ping"}
"""What the watch and the programs that measure share."""


def test_every_step_of_the_playbooks_exists() -> None:
    for playbook in ("up.yaml", "teardown.yaml"):
        named = {
            step
            for steps in load(shipped("playbooks") / playbook).stages.values()
            for step in steps
            if isinstance(step, str)
        }

        assert named <= set(all_steps())


def test_two_readings_differ_in_nothing_but_clocks_and_counters() -> None:
    seen = read(RECORDED)
    later = replace(seen, clock=replace(seen.clock, uptime=99, time=99), paths={"192.0.2.1": 1400}, read_at=1.0)

    assert [] == list(differences(seen, later))
    assert seen.slices == read_slices({**seen.answers, "moment": ["uptime 99999.00 1"]})


@pytest.mark.parametrize(
    ("part", "field", "text"),
    [
        ("firewall", "legacy_too", "iptables-legacy rules"),
        ("system", "ports_taken", "the UDP ports"),
        ("files", "boot", "the boot script"),
    ],
)
def test_a_difference_is_named_for_people(part: str, field: str, text: str) -> None:
    seen = read(RECORDED)
    one = getattr(seen, part)
    other = replace(seen, **{part: replace(one, **{field: "x" if part == "files" else not getattr(one, field)})})

    assert [text] == list(differences(seen, other))


def test_what_preparing_moves_is_no_difference() -> None:
    seen = read(RECORDED)
    other = replace(
        seen, system=replace(seen.system, tools=frozenset()), keys=replace(seen.keys, public="", mode="-rw-r--r--")
    )

    assert [] == list(differences(seen, other))
