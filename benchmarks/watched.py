"""`wgorch up` with the CPU time of a host's control group noted before and after each exchange, in /run/cpu.log.

python -m benchmarks.watched INVENTORY
"""

from __future__ import annotations

import sys
from typing import Any

from benchmarks.up import end, up
from wgorch.base.sh import Sh, sh_lines
from wgorch.remote.fleet import Fleet
from wgorch.remote.shell import Shell
from wgorch.remote.wire_shell import WireShell

NOTE = 'read -r _ used </sys/fs/cgroup/cpu.stat; echo "$used {}" {}/run/cpu.log'
"""sh that notes the microseconds used so far, a label, and whether the log is begun (>) or continued (>>)."""


class WatchedShell(WireShell):
    """A shell whose programs are notes of CPU time around the program."""

    def exchange(self, program: Sh, action: str, *args: Any, **options: Any) -> str:
        """Run a program between two notes, labelled with its action."""
        before, after = (Sh(NOTE.format(f"{word} {action}", ">>")) for word in ("in", "after"))
        return super().exchange(sh_lines([before, program, after]), action, *args, **options)


class WatchedFleet(Fleet):
    """A fleet of watched shells."""

    def open(self, name: str) -> Shell:
        """A root shell on a host: the one that is open, or a new one."""
        shell = self.shells.get(name)
        if shell is None or shell.broken:
            wire, fallback = self._root_shell(name)
            shell = self.shells[name] = WatchedShell(name, wire, fallback=fallback)
        return shell


if __name__ == "__main__":
    end(up(sys.argv[1], fleet_type=WatchedFleet))
