"""Journals: every deletion, edit, move and cut is found where another host keeps the head; without, those in the middle."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from wgorch.plan.journals import CONTROLLER, WITNESSES, Head, HostJournal, check, head_words, parse_heads, parse_journal

EVENTS = ["lock who=anna@laptop", "arm seconds=60", "applied", "confirm who=anna@laptop", "roll-back why=failed"]


def written(events: list[str], before: str = "") -> str:
    """A journal as the referee writes it."""
    text = before
    for number, event in enumerate(events):
        total = hashlib.sha256(text.encode()).hexdigest()
        text += f"time={1795360000 + number} run=abc{number // 4} sum={total} event={event}\n"
    return text


def head_of(text: str, when: int = 1795370000) -> Head:
    return Head(when, hashlib.sha256(text.encode()).hexdigest())


def faults(text: str, witness: Head | None = None) -> list[str]:
    journals = {"home": HostJournal(text, {}, is_member=True)}
    if witness:
        journals["bcc"] = HostJournal(written(EVENTS), {"home": witness}, is_member=True)
    return list(check(journals, {}).faults.get("home", ()))


def notes(text: str, known: Mapping[str, Head]) -> list[str]:
    return list(check({"home": HostJournal(text, {}, is_member=True)}, known).notes.get("home", ()))


journals = st.lists(st.sampled_from(EVENTS), min_size=2, max_size=20).map(written)


@st.composite
def tampered(draw: st.DrawFn) -> tuple[str, str]:
    """A journal, and the same with a line deleted, edited, added or moved, or lines cut off."""
    text = draw(journals)
    lines = text.splitlines(keepends=True)
    at = draw(st.integers(0, len(lines) - 1))
    kind = draw(st.sampled_from(["delete", "edit", "move", "cut", "add", "behead"]))
    if kind == "delete":
        del lines[at]
    elif kind == "edit":
        where = draw(st.integers(0, len(lines[at]) - 2))
        letter = draw(st.sampled_from("abcdef0123456789 ="))
        lines[at] = lines[at][:where] + letter + lines[at][where + 1 :]
    elif kind == "move":
        line = lines.pop(at)
        lines.insert(draw(st.integers(0, len(lines))), line)
    elif kind == "cut":
        del lines[at:]
    elif kind == "behead":
        del lines[: at + 1]
    else:
        lines.insert(at, draw(st.sampled_from(lines)))
    changed = "".join(lines)
    assume(changed != text)
    return text, changed


@given(tampered())
def test_what_was_changed_is_found_where_another_host_keeps_the_head(both: tuple[str, str]) -> None:
    text, changed = both

    assert [] == faults(text, head_of(text))
    assert [] != faults(changed, head_of(text))


@given(tampered())
def test_without_a_head_all_but_the_end_is_found(both: tuple[str, str]) -> None:
    text, changed = both
    is_end = text.startswith(changed) or text.splitlines()[:-1] == changed.splitlines()[:-1]

    assert [] == faults(text)
    assert [] != faults(changed) or is_end


@given(journals, st.lists(st.sampled_from(EVENTS), max_size=9))
def test_a_journal_that_went_on_is_fine(text: str, more: list[str]) -> None:
    longer = written(more, text)

    assert [] == faults(longer, head_of(text))


def test_processes_may_write_at_once() -> None:
    text = written(EVENTS)
    total = hashlib.sha256(text.encode()).hexdigest()
    line = f"time=1795361000 run=abc sum={total} event="
    for events in (["applied", "roll-back"], ["applied", "roll-back", "killed"]):
        at_once = "".join(f"{line}{event}\n" for event in events)
        assert [] == faults(written(EVENTS, text + at_once))
        assert [] != faults(text + at_once + f"{line}{events[-1]}\n"), "the same line twice"
    assert [] != faults(text + at_once + f"{line}fourth\n")


def test_lines_of_an_older_version_come_first_or_are_named() -> None:
    old = "time=1795350000 run=old event=lock who=me\ntime=1795350001 run=old event=confirm\n"

    assert [] == faults(old)
    assert [] == faults(written(EVENTS, old))
    assert [] != faults(written(EVENTS, old).replace("who=me", "who=you"))
    assert ["line 6 has no sum of the lines before it"] == [
        each.partition(":")[0] for each in faults(written(EVENTS) + old.splitlines(keepends=True)[0])
    ]


def test_a_line_that_a_power_failure_cut_is_no_edit() -> None:
    torn = written(EVENTS)[:-20] + "\n"

    assert [] == faults(written(EVENTS, torn))


@pytest.mark.parametrize("text", ["", "\n", "nonsense\n", "time=1 run=a sum=b event=c\n"])
def test_what_is_no_journal_is_no_crash(text: str) -> None:
    assert isinstance(faults(text, head_of("x")), list)


def test_a_journal_that_is_gone_is_a_fault_of_a_member() -> None:
    assert ["its journal is gone"] == faults("")
    assert {} == check({"home": HostJournal()}, {}).faults


def test_an_earlier_journal_is_a_note_only_where_another_host_saw_the_present_one() -> None:
    text = written(EVENTS)
    early = head_of("another journal", when=1795350000)
    what = "saw an earlier journal: it was torn down since, or its journal was replaced"

    assert [f"bcc {what}"] == faults(text, early)
    journals = {"home": HostJournal(text, {}, is_member=True), "bcc": HostJournal("", {"home": early})}
    found = check(journals, {"home": head_of(text)})
    assert ({}, [f"bcc {what}"]) == (found.faults, list(found.notes["home"]))
    assert [f"{CONTROLLER} {what}"] == list(check({"home": journals["home"]}, {"home": early}).faults["home"])
    rewritten = written([event.replace("anna", "ben") for event in EVENTS]).replace("time=17953", "time=17954")
    assert [] != faults(rewritten, head_of(text))


def test_a_host_that_was_torn_down_has_no_journal_and_no_fault() -> None:
    found = check({"home": HostJournal(), "bcc": HostJournal("", {"home": head_of("x")})}, {})

    assert ({}, ["it has no journal, as after a teardown"]) == (found.faults, list(found.notes["home"]))


def test_a_host_without_sha256sum_is_named() -> None:
    text = "".join(f"time=1795360000 run=a sum=- event={event}\n" for event in EVENTS)

    assert [] == faults(text)
    assert "the host has no sha256sum: edits cannot be found" in notes(text, {})


def test_each_host_keeps_the_heads_of_those_that_come_next() -> None:
    heads = {name: head_of(name) for name in "abcdef"}

    assert ["f", "a", "b"] == [word.split()[0] for word in head_words("e", heads)]
    kept = [word.split()[0] for name in heads for word in head_words(name, heads)]
    assert dict.fromkeys(heads, WITNESSES) == {name: kept.count(name) for name in heads}
    assert [] == head_words("a", {"a": heads["a"]})
    assert {"b": heads["b"]} == parse_heads(head_words("a", {"b": heads["b"]})[0] + "\nno head\n")


def test_an_answer_is_read_between_its_marks() -> None:
    head = head_of("x")
    answer = f"m journal\n{written(EVENTS)}m heads\nbcc {head.when} {head.total}\nm end\nmember\n"

    assert HostJournal(written(EVENTS), {"bcc": head}, is_member=True) == parse_journal(answer, "m")
    assert HostJournal() == parse_journal("", "m")
