"""Everything of a machine that a change could leave a trace in, as text that can be compared."""

from __future__ import annotations

import contextlib
import difflib
import os
import stat
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from wgorch.base.value import value
from wgorch.host.programs import uploaded
from wgorch.rehearsal.world import World


@value
class Snapshot:
    """One machine at one moment."""

    machine: str
    text: str

    def runs(self, line: str) -> bool:
        """True for a line of a difference that is a new process."""
        return line[:1] == "+" and line[1:] in self.text.partition("\n== processes\n")[2].split("\n")

    def difference(self, later: Snapshot, *, ignore: tuple[str, ...] = ()) -> list[str]:
        """The lines that differ, ``-`` gone and ``+`` new, without those that hold a word of `ignore`."""
        lines = difflib.unified_diff(self.text.split("\n"), later.text.split("\n"), lineterm="", n=0)
        changed = [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]
        return [line for line in changed if not any(word in line for word in ignore)]


def snapshot(world: World, machine: str) -> Snapshot:
    """Take one."""
    disk, userland = world.place / "disks" / machine, world.machines[machine].userland or Path("/")
    files = [line for tree in TREES for line in _changed(disk / f"{tree}.upper", userland / tree, Path("/", tree))]
    return Snapshot(machine, "\n".join(["== files", *files, world.sh(machine, uploaded("snapshot.sh"), check=False)]))


TREES = ("etc", "var/lib")


def _changed(upper: Path, lower: Path, shown: Path) -> Iterator[str]:
    """What a machine itself changed below a directory that it shares with this machine, by name and contents.

    What this machine's own package manager does meanwhile is no difference: it changes `lower` alone.
    """
    for directory, directories, names in os.walk(upper):
        directories.sort()
        place = Path(directory).relative_to(upper)
        if _opaque(upper / place) == b"y" and (lower / place).is_dir():
            yield f"{shown / place} replaced"
        for name in sorted([*directories, *names]):
            with contextlib.suppress(FileNotFoundError):  # a temporary file
                if line := _line(upper / place / name, lower / place / name, shown / place / name):
                    yield line


def _line(own: Path, before: Path, shown: Path) -> str:
    """A file, link or directory that was added, changed or removed; empty for one that is as it was."""
    if "/systemd/timers" in str(shown):
        return ""
    status, there = own.lstat(), os.path.lexists(before)
    if stat.S_ISCHR(status.st_mode):  # what overlayfs has in the place of a file that was removed
        return f"{shown} removed" if there else ""
    if stat.S_ISDIR(status.st_mode):
        return "" if there and before.is_dir() else str(shown)
    if stat.S_ISLNK(status.st_mode):
        same = there and before.is_symlink() and before.readlink() == own.readlink()
        return "" if same else f"{shown} -> {own.readlink()}"
    if not stat.S_ISREG(status.st_mode):
        return ""
    if not shown.is_relative_to("/etc"):
        return "" if there else str(shown)  # databases and caches change by themselves
    text = own.read_bytes()
    same = there and before.is_file() and not before.is_symlink() and before.read_bytes() == text
    return "" if same else f"{shown} {sha256(text).hexdigest()[:16]}"


def _opaque(directory: Path) -> bytes:
    """overlayfs's mark of a directory that hides what was there before it."""
    try:
        return os.getxattr(directory, "trusted.overlay.opaque")
    except OSError:
        return b""


KEYS_STAY = ("/var/lib/wgorch",)
"""What may differ after teardown without --purge: the directory that holds the private key."""
