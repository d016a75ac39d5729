"""Revisions of the record: kept before it is replaced, and never more than there is room for."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.host.room import Room


@pytest.fixture
def place(room: Room) -> Path:
    return room.place / "network"


def keep(room: Room, place: Path, number: object, text: str = "{}") -> None:
    room.write("network/members", f"{number} 1795360000 me@here\n{text}\n")
    room.run(f"directory={place}", f"keep_revision {place}/members || exit 7")
    assert 0 == room.status


def kept(place: Path) -> list[str]:
    return sorted(path.name for path in (place / "revisions").glob("*")) if (place / "revisions").exists() else []


def test_a_record_is_kept_by_its_number(room: Room, place: Path) -> None:
    for number in (8, 9, 10, "0011"):
        keep(room, place, number, f"text of {number}")

    assert [f"{number:07}.gz" for number in (8, 9, 10, 11)] == kept(place)
    assert "text of 9" in gzip.decompress((place / "revisions" / "0000009.gz").read_bytes()).decode()
    assert 0o700 == (place / "revisions").stat().st_mode & 0o777


def test_thirty_are_kept_the_latest(room: Room, place: Path) -> None:
    for number in range(1, 35):
        keep(room, place, number)

    assert [f"{number:07}.gz" for number in range(5, 35)] == kept(place)


def test_large_ones_are_fewer_but_three_at_least(room: Room, place: Path) -> None:
    room.stub("gzip", 'cat "$2"')
    for number in range(1, 6):
        keep(room, place, number, "x" * 200_000)

    assert [f"{number:07}.gz" for number in (3, 4, 5)] == kept(place)


@pytest.mark.parametrize("line", ["", "seven", "-1", "99999999", "../../x", "1;touch y"])
def test_what_has_no_number_is_not_kept_and_no_error(room: Room, place: Path, line: str) -> None:
    keep(room, place, line)

    assert [] == kept(place)


def test_a_disk_that_is_full_is_no_reason_to_fail(room: Room, place: Path) -> None:
    room.stub("gzip", "exit 1")
    keep(room, place, 7)

    assert [] == kept(place)
