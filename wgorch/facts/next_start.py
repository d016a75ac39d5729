"""What else writes the same things at the next start of a host, or at a reload: files of other programs."""

from __future__ import annotations

import re
from typing import NamedTuple

from wgorch.facts.part import Answers, Part, Reread

PART = Part({"next-start": Reread.NEVER})


class Writer(NamedTuple):
    """A line of a file of another program."""

    path: str
    line: str


def read(answers: Answers) -> tuple[Writer, ...]:
    """The lines of others that matter, without those of wgorch's own files."""
    found = (re.fullmatch(r"(/[^:\s]{1,200}):(.*)", line) for line in answers.get("next-start", []))
    writers = (Writer(hit[1], hit[2].strip()[:200]) for hit in found if hit)
    return tuple(writer for writer in writers if "wgorch-" not in writer.path and not writer.line.startswith("#"))
