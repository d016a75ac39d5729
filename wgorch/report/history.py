"""Render the revisions of a network."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from wgorch.base.text import visible
from wgorch.inventory.dump import dump_text
from wgorch.plan.journals import Check
from wgorch.plan.members import Record
from wgorch.plan.revisions import changes, inventory_of, unified
from wgorch.report.as_json import VERSION
from wgorch.report.console import safe_text


def render(out: Console, known: Mapping[int, Record]) -> None:
    """Print the revisions, the latest last, with what each changed."""
    table = Table(box=None, pad_edge=False)
    table.add_column("revision", justify="right")
    for title in ("time", "by", "changes"):
        table.add_column(title)
    before: Record | None = None
    for number, record in known.items():
        table.add_row(
            str(number), moment(record.when), safe_text(record.who), safe_text("; ".join(changes(before, record)))
        )
        before = record
    out.print(table)


def moment(when: int) -> str:
    """A time for people."""
    return time.strftime("%Y-%m-%d %H:%M %Z", time.localtime(when))


def inventory_text(record: Record) -> str:
    """The inventory of a revision as a file."""
    inventory = inventory_of(record)
    head = f"# Revision {record.number}, by {visible(record.who)}, {moment(record.when)}, as the relays keep it.\n"
    return head + (dump_text(inventory) if inventory else "# It cannot be read by this version.\n")


def difference(before: Record, after: Record) -> list[str]:
    """The lines in which two revisions differ."""
    return [visible(line) for line in unified(before, after)]


def history_json(known: Mapping[int, Record]) -> dict[str, Any]:
    """The revisions of a network, the latest last."""
    before = [None, *known.values()]
    return {
        "version": VERSION,
        "revisions": [
            {
                "number": record.number,
                "time": record.when,
                "by": visible(record.who),
                "changes": [visible(each) for each in changes(earlier, record)],
            }
            for earlier, record in zip(before, known.values(), strict=False)
        ],
    }


def render_check(out: Console, found: Check) -> None:
    """Print what is wrong with the journals."""
    for name in sorted({*found.checked, *found.faults, *found.notes}):
        for fault in found.faults.get(name, ()):
            out.print(safe_text(f"✗ {name}: {fault}", "red"))
        for note in found.notes.get(name, ()):
            out.print(safe_text(f"! {name}: {note}", "yellow"))
    whole = [name for name in found.checked if name not in found.faults]
    if whole:
        out.print(safe_text(f"✓ as written: the journals of {', '.join(whole)}", "green"))


def check_json(found: Check, absent: Sequence[str]) -> dict[str, Any]:
    """What is wrong with the journals, by host."""
    return {
        "version": VERSION,
        "faults": {name: list(its) for name, its in found.faults.items()},
        "notes": {name: list(its) for name, its in found.notes.items()},
        "absent": sorted(absent),
    }


def diff_json(before: Record, after: Record, lines: Sequence[str]) -> dict[str, Any]:
    """What differs between two revisions."""
    return {"version": VERSION, "before": before.number, "after": after.number, "lines": list(lines)}
