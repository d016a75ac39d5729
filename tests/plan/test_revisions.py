"""Revisions as hosts tell of them."""

from __future__ import annotations

from tests.inventory.mistyped import BASE
from wgorch.inventory.load import loads
from wgorch.plan.members import Record, compose, record_of
from wgorch.plan.revisions import changes, inventory_of, merged, records_in, unified

ONE = loads(BASE)
OTHER = loads(BASE.replace("38371", "38372"))


def record(number: int, text: str, when: int = 1) -> Record:
    return Record(number, when, "me@here", text, "bcc")


def text_of(inventory: object) -> str:
    return compose(inventory, dict.fromkeys(inventory.hosts, "k"), {})  # type: ignore[attr-defined, arg-type]


FIRST, SECOND = record(7, text_of(ONE)), record(8, text_of(OTHER))


def test_records_are_found_between_their_marks() -> None:
    answer = f"\nm\n7 1 me@here\n{FIRST.text}\n\nm\n8 1 me@here\n{SECOND.text}\n\nm end\n"

    assert {7: FIRST, 8: SECOND} == records_in("bcc", answer, "m")


def test_what_is_no_record_is_left_out() -> None:
    assert {} == records_in("bcc", "\nm\nnothing\n\nm\n\nm end\n", "m")
    assert {} == records_in("bcc", "", "m")


def test_of_two_with_one_number_the_later_one_counts() -> None:
    late = record(7, SECOND.text, when=2)

    assert {7: late, 8: SECOND} == merged({"a": {8: SECOND, 7: FIRST}, "b": {7: late}})


def test_changes_are_named() -> None:
    assert ["the first that is kept"] == changes(None, FIRST)
    assert ["~ bcc (endpoint)"] == changes(FIRST, SECOND)
    assert ["keys, or what follows from other changes"] == changes(FIRST, record(9, FIRST.text))
    assert ["it cannot be read by this version"] == changes(FIRST, record(9, "{"))


def test_the_difference_is_that_of_the_inventories() -> None:
    lines = list(unified(FIRST, SECOND))

    assert ["--- revision 7", "+++ revision 8"] == lines[:2]
    assert {"-", "+"} == {line[0] for line in lines[2:] if "3837" in line}
    assert [] == list(unified(FIRST, FIRST))


def test_the_inventory_of_a_record_is_the_one_it_was_made_of() -> None:
    found = inventory_of(record_of("bcc", "7 1 me@here", FIRST.text), "inventory.yaml")

    assert found
    assert ("inventory.yaml", ONE.network) == (found.path, found.network)
    assert list(ONE.hosts) == list(found.hosts)
