"""Revisions of a network: the records that its relays keep of every confirmed change, and what differs between two."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import replace

from wgorch.inventory.dump import dump_text
from wgorch.inventory.model import Inventory
from wgorch.plan.members import Record, differences, parse, record_of

MOST = 64
"""Records that are read of one host; it keeps fewer."""
LONGEST = 1 << 20
"""Characters of a record."""


def records_in(keeper: str, text: str, mark: str) -> dict[int, Record]:
    """The records in a host's answer, by number; those that are no records are left out."""
    found = {}
    parts = text.split(f"\n{mark}\n")[1:]
    for part in parts[-MOST:]:
        line, _, rest = part.partition(f"\n{mark} end")[0].strip("\n").partition("\n")
        record = record_of(keeper, line, rest)
        if record.number and len(rest) < LONGEST:
            found[record.number] = record
    return found


def merged(by_keeper: Mapping[str, Mapping[int, Record]]) -> dict[int, Record]:
    """The records of several hosts; of two with one number the later one, as when the record is read."""
    found: dict[int, Record] = {}
    for its in by_keeper.values():
        for number, record in its.items():
            if number not in found or record.when > found[number].when:
                found[number] = record
    return dict(sorted(found.items()))


def inventory_of(record: Record, name: str = "") -> Inventory | None:
    """The inventory in a record; None where it does not parse. `name`: of its file."""
    members = parse(record)
    return replace(members.inventory, path=name) if members else None


def changes(before: Record | None, after: Record) -> list[str]:
    """What one revision changed of the one before, by name."""
    old, new = inventory_of(before) if before else None, inventory_of(after)
    if new is None:
        return ["it cannot be read by this version"]
    if old is None:
        return ["the first that is kept"]
    return list(differences(old, new)) or ["keys, or what follows from other changes"]


def unified(before: Record, after: Record) -> Iterator[str]:
    """The lines in which the inventories of two revisions differ, as ``diff -u`` prints them."""
    old, new = (inventory_of(record) for record in (before, after))
    one, other = (dump_text(each).splitlines() if each else [] for each in (old, new))
    names = (f"revision {before.number}", f"revision {after.number}")
    yield from difflib.unified_diff(one, other, names[0], names[1], lineterm="")
