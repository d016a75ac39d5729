"""The record of the members is written where it is kept, when it differs, and removed where it is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.steps.table import BASE, UP, Row, make, rows
from wgorch.state.state import State

FILE = "/var/lib/wgorch/office/members"
NEW = replace(UP, members='{"hosts":{}}', revision="7 1795360000 anna@laptop")
WRITTEN = [f"keep_revision {FILE}", f"write_file {FILE} 600\n7 1795360000 anna@laptop\n{NEW.members}"]

TABLE: Mapping[str, list[Row]] = {
    "members": [
        ("none yet", NEW, UP, [("+", WRITTEN)]),
        ("another one", NEW, replace(NEW, members="{}"), [("~", WRITTEN)]),
        ("the same one in another revision", NEW, replace(NEW, revision="6 1 x@y"), []),
        ("not kept here any more", UP, NEW, [("-", [f"rm -f {FILE}"])]),
        ("after teardown", BASE, NEW, [("-", [f"rm -f {FILE}"])]),
    ]
}


@pytest.mark.parametrize(("step", "want", "have", "changes"), rows(TABLE))
def test_a_step_finds_exactly_the_difference(
    step: str, want: State, have: State, changes: list[tuple[str, list[str]]]
) -> None:
    assert changes == make(step, want, have)
