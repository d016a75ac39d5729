"""Members: the record of the network that its relays keep, so that any controller knows who belongs to it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wgorch.facts.grammar import words
from wgorch.facts.part import Answers, Part, Reread
from wgorch.state.change import Change, change, command
from wgorch.state.state import State
from wgorch.steps.noun import Noun, Slice, step
from wgorch.steps.target import Target

STEP = "members"
"""Name of the step: what it changes follows from other changes."""


def members(want: State, have: State) -> Iterator[Change]:
    """Keep the record of the network's members on its relays."""
    file = f"{want.directory}/members"
    if want.members and want.members != have.members:
        text = f"{want.revision}\n{want.members}"
        sign, why = ("~", "outdated") if have.members else ("+", "missing")
        yield change(
            sign,
            "record of the members",
            why,
            command("keep_revision", file),
            command("write_file", file, "600", stdin=text),
        )
    elif have.members and not want.members:
        yield change("-", "record of the members", "not kept here", command("rm", "-f", file))


_NUMBER = re.compile(r"[0-9]{7}").fullmatch


def _read(answers: Answers) -> Slice:
    lines = [rest for word, rest in words(answers.get("files", [])) if word == "members"]
    if not lines:
        # The number of the last revision, which a teardown left: the next one comes behind it.
        lines = [
            f"{int(rest)} 0 " for word, rest in words(answers.get("files", [])) if word == "kept" and _NUMBER(rest)
        ]
    return {"revision": lines[0][:200] if lines else "", "members": "\n".join(lines[1:])}


def _target(target: Target) -> Slice:
    return {"members": target.members, "revision": target.revision}


NOUN = Noun(
    state=("members", "revision"),
    steps=(step(members),),
    read=_read,
    part=Part({"files": Reread.ALWAYS}, labels={"members": "the record of the members"}),
    target=_target,
    functions=("keep_revision", "write_file"),
    unprobed="written only after the change is confirmed",
)
