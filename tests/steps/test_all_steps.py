"""Every step has a table, a line that says what it is for, and Changes that say why."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from tests.steps.table import Row
from wgorch.steps import all_steps


def tables() -> dict[str, list[Row]]:
    """The rows of every step, from all files beside this one."""
    found: dict[str, list[Row]] = {}
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        table: Mapping[str, list[Row]] = getattr(import_module(f"tests.steps.{path.stem}"), "TABLE", {})
        found |= table
    return found


def test_every_step_but_persist_has_a_table() -> None:
    assert set(all_steps()) - {"persist"} == set(tables())


def test_every_step_says_in_one_line_what_it_is_for() -> None:
    assert [] == [name for name, step in all_steps().items() if not step.doc.endswith((".", ";"))]


def test_every_change_says_why() -> None:
    changes = [
        change
        for step, rows in tables().items()
        for _, want, have, _ in rows
        for change in all_steps()[step](want, have)
    ]

    assert [] == [c for c in changes if not c.why or not c.what or "\n" in c.why + c.what]
