"""What else writes the same things at the next start of a host, or at a reload: files of other programs."""

from __future__ import annotations

import re
from typing import NamedTuple

from wgorch.facts.part import Answers, Part, Reread

PART = Part({"next-start": Reread.NEVER})


DIRECTORY = "/var/lib/wgorch"
_MOUNTS = "/proc/mounts"
_MOUNT = re.compile(r"\S+ (/|/var(?:/lib(?:/wgorch(?:/[^ /]+)?)?)?) (\S+) ")


class Writer(NamedTuple):
    """A line of a file of another program."""

    path: str
    line: str


def read(answers: Answers) -> tuple[Writer, ...]:
    """The lines of others that matter, without those of wgorch's own files."""
    found = (re.fullmatch(r"(/[^:\s]{1,200}):(.*)", line) for line in answers.get("next-start", []))
    lines = [Writer(hit[1], hit[2].strip()[:200]) for hit in found if hit and not hit[2].strip().startswith("#")]
    own = [Writer(DIRECTORY, "tmpfs")] if _is_on_tmpfs([each.line for each in lines if each.path == _MOUNTS]) else []
    return (*(each for each in lines if each.path != _MOUNTS and "wgorch-" not in each.path), *own)


def _is_on_tmpfs(mounts: list[str]) -> bool:
    """True if the innermost mount that holds wgorch's directory is a tmpfs; the last of several at one place counts."""
    found = [hit for line in mounts if (hit := _MOUNT.match(line))]
    innermost = max(found, key=lambda hit: (len(hit[1]), found.index(hit)), default=None)
    return innermost is not None and innermost[2] == "tmpfs"
