"""Every end of a run is a known one: an error at any event, a signal, a reader that leaves."""

from __future__ import annotations

import json
import sys
import time

import pytest

from tests.conftest import draw
from tests.lab.conftest import HOSTS, INVENTORY, ROOT, Lab

pytestmark = pytest.mark.slow(50)

FAILS = """
import sys
from wgorch.cli import main
from wgorch.report import progress

event, left = progress.Progress.event, int(sys.argv.pop(1))

def failing(self, *args, **more):
    global left
    left -= 1
    if left == 0:
        raise RuntimeError("a bug")
    event(self, *args, **more)

progress.Progress.event = failing
main.run()
"""
"""wgorch whose display raises at its so many-th event, in whatever thread and phase that is."""

EVENTS = 60
"""More than one `up` of the reference network has."""


def locks(lab: Lab) -> list[str]:
    """The hosts that are locked, or in the middle of a change."""
    ask = "cat /var/lib/wgorch/office/lock /var/lib/wgorch/office/pending 2>/dev/null || :"
    return [host for host in HOSTS if lab.world.sh(host, ask)]


def is_new(lab: Lab) -> bool:
    return all("wg0" in lab.world.sh(host, "ip link") for host in HOSTS)


@pytest.mark.parametrize("number", draw(list(range(1, EVENTS)), 4, salt="events"))
def test_an_error_at_any_event_leaves_no_host_between(lab: Lab, number: int) -> None:
    argv = (sys.executable, "-c", FAILS, str(number), "up", str(INVENTORY), "--yes")
    done = lab.world.run("controller", *argv, check=False, timeout=120, env={"PYTHONPATH": str(ROOT)})

    assert locks(lab) == []
    assert "Traceback" not in done.stdout + done.stderr
    if done.returncode in (0, 6):
        assert is_new(lab)
        assert done.returncode == 0 or "a bug" in done.stderr + done.stdout
    else:
        assert lab.differences() == {}, done.stdout + done.stderr
    assert done.returncode in (0, 5, 6, 70)


def test_sigterm_rolls_back(lab: Lab) -> None:
    process = lab.spawn("up", INVENTORY, "--yes")
    end = time.monotonic() + 30
    while not lab.world.sh("home", "cat /var/lib/wgorch/office/lock 2>/dev/null || :") and time.monotonic() < end:
        pass  # the whole run takes less than a second
    lab.world.sh("controller", "pkill -TERM -f '[m] wgorch up'")

    assert process.wait(60) in (130, 143)
    assert (locks(lab), lab.differences()) == ([], {})


def test_a_reader_that_leaves_does_not_stop_a_change(lab: Lab) -> None:
    words = f"PYTHONPATH={ROOT} {sys.executable} -m wgorch up {INVENTORY} --yes"
    done = lab.world.run("controller", "bash", "-c", f"set -o pipefail; {words} | head -3", check=False, timeout=120)

    assert done.returncode == 0, done.stderr
    assert "standard output: Broken pipe" in done.stderr
    assert (locks(lab), is_new(lab)) == ([], True)
    assert "No changes." in lab.wgorch("up", INVENTORY).stdout


# --- settings of other distributions


@pytest.mark.parametrize("promote", ["0", "1"])
def test_an_address_changes_whatever_promote_secondaries_is(lab: Lab, promote: str) -> None:
    world = lab.world
    before = {
        name: world.sh("home", f"cat /proc/sys/net/ipv4/conf/{name}/promote_secondaries") for name in ("all", "default")
    }
    for name in before:
        world.sh("home", f"echo {promote} >/proc/sys/net/ipv4/conf/{name}/promote_secondaries")
    try:
        lab.up()
        moved = lab.edited(("address: 192.168.2.2", "address: 192.168.2.22"))
        lab.up(moved)
        assert "No changes." in lab.wgorch("up", moved).stdout
        addresses = json.loads(world.sh("home", "ip -j -4 address show dev wg0"))[0]["addr_info"]
        assert [(a["local"], a["prefixlen"]) for a in addresses] == [("192.168.2.22", 24)]
        assert world.ping("home", "10.10.13.61", count=3)
        lab.wgorch("teardown", moved, "--yes", "--purge")
    finally:
        for name, value in before.items():
            world.sh("home", f"echo {value.strip()} >/proc/sys/net/ipv4/conf/{name}/promote_secondaries")
    assert lab.differences(ignore=()) == {}
