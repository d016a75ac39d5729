"""The controller is killed at each line of its journal: every host is as before or as planned, and `up` converges.

The journal has a line for every moment at which anything begins or ends anywhere, so these are the moments there are.
"""

from __future__ import annotations

import sys

import pytest

from tests.conftest import ALL, draw
from tests.lab.conftest import HOSTS, INVENTORY, ROOT, Lab
from wgorch.rehearsal.snapshot import KEYS_STAY, Snapshot, snapshot

LEASE_S = 10

DIES = """
import os, signal, sys
from wgorch.cli import main
from wgorch import journal

write, left = journal.Journal.write, int(sys.argv.pop(1))

def counted(*args, **more):
    global left
    write(*args, **more)
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

journal.Journal.write = counted
main.run()
"""
"""wgorch, which dies right after it wrote the line of its journal with this number."""


def _dies(lab: Lab, line: int) -> int:
    """`up` that is killed; its exit status."""
    client = ("--ssh-client", ("paramiko", "openssh")[line % 2])
    words = ("up", str(INVENTORY), "--yes", "--confirm-timeout", str(LEASE_S), *client)
    argv = (sys.executable, "-c", DIES, str(line), *words)
    return lab.world.run("controller", *argv, check=False, timeout=120, env={"PYTHONPATH": str(ROOT)}).returncode


def _lines(lab: Lab) -> tuple[int, dict[str, Snapshot]]:
    """How many lines the journal of one `up` has, and how every host is after it."""
    path = "/root/.local/state/wgorch/office.jsonl"
    count = f"[ -e {path} ] && wc -l <{path} || echo 0"
    before = int(lab.world.sh("controller", count))
    lab.up()
    lines = int(lab.world.sh("controller", count)) - before
    after = {host: snapshot(lab.world, host) for host in HOSTS}
    lab.wgorch("teardown", INVENTORY, "--yes", "--purge")  # the key is born again, and that has lines of its own
    return lines, after


# What watches a lease ends a moment after it, and start-up is set after a host has confirmed.
IGNORE = (*KEYS_STAY, "referee watch", "/etc/systemd/system")


def _unsettled(lab: Lab, after: dict[str, Snapshot]) -> dict[str, list[str]]:
    """The hosts that are neither as before nor as planned, and how they differ from the nearer of the two."""
    found = {}
    for host in HOSTS:
        now = snapshot(lab.world, host)
        old, new = lab.before[host].difference(now, ignore=IGNORE), after[host].difference(now, ignore=IGNORE)
        if old and new:
            found[host] = min(old, new, key=len)
    return found


# Every eighth line, with another start each; all of them in test-all.
@pytest.mark.parametrize("part", draw(list(range(8)), 1))
def test_killed_at_any_line_of_its_journal(lab: Lab, part: int) -> None:
    lines, after = _lines(lab)
    assert lines > 20, "a journal with a line for each moment"
    moments = list(range(1 + part, lines + 1, 8))

    for line in moments if ALL else draw(moments, 1):
        status = _dies(lab, line)
        assert status in (137, -9), f"line {line} of {lines}: {status}"
        lab.wait(
            lambda: not _unsettled(lab, after),
            LEASE_S + 20,
            lambda: f"every host is as before or as planned after a death at line {line}: {_unsettled(lab, after)}",  # noqa: B023
        )
        lab.wait(lambda: lab.wgorch("up", INVENTORY, "--yes", code=None).returncode == 0, 60, "up converges")
        assert "No changes." in lab.wgorch("up", INVENTORY).stdout
        lab.wgorch("teardown", INVENTORY, "--yes", "--purge")
        assert {} == lab.differences()
