"""Everything of a machine that a change could leave a trace in, as text that can be compared."""

from __future__ import annotations

import difflib

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
    return Snapshot(machine, world.sh(machine, uploaded("snapshot.sh"), check=False))


KEYS_STAY = ("/var/lib/wgorch",)
"""What may differ after teardown without --purge: the directory that holds the private key."""
