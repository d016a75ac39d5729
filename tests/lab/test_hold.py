"""A change that is held: in force and proven, until it is confirmed, rolled back, or its time is over."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable

import pytest

from tests.conftest import draw
from tests.lab.conftest import HOSTS, INVENTORY, Lab
from wgorch.rehearsal.snapshot import KEYS_STAY, snapshot

pytestmark = pytest.mark.slow(90)

TARGET = "10.10.13.61"
HELD, LOCKED = 8, 75
OTHER = {"env": {"XDG_STATE_HOME": "/tmp/another-controller"}}
"""A controller that knows nothing of what this one did."""
TRACES = (*KEYS_STAY, "referee watch")


def held(lab: Lab, inventory: object = INVENTORY, hold: str = "90s") -> None:
    """Bring the network up and hold it."""
    said = lab.wgorch("up", inventory, "--yes", "--hold", hold, code=HELD).stdout  # type: ignore[arg-type]
    assert "held: the change is in force and proven; every host rolls it back at" in said
    assert lab.world.ping("home", TARGET)


def test_a_held_change_is_seen_everywhere_and_confirmed_from_elsewhere(lab: Lab) -> None:
    held(lab)
    seen = lab.wgorch("status", INVENTORY, **OTHER).stdout
    assert re.search(r"a change by root@controller is held on bcc, company, home, and rolls back in \d+ (s|min)", seen)
    found = json.loads(lab.wgorch("status", INVENTORY, "--json", **OTHER).stdout)
    assert found["in_sync"] is True
    assert (found["held"][0]["hosts"], found["held"][0]["gone"]) == (sorted(HOSTS), [])
    assert 0 < found["held"][0]["left_s"] <= 90

    refused = lab.wgorch("up", lab.edited(("38371", "38372")), "--yes", code=LOCKED, **OTHER).stderr
    assert "bcc: cannot lock the host: a change by root@controller is held since" in refused
    assert "hint: wgorch confirm makes it permanent, or wgorch rollback" in refused

    assert "✓ confirmed on bcc, company, home" in lab.wgorch("confirm", INVENTORY, **OTHER).stdout
    assert "No changes." in lab.wgorch("up", INVENTORY, "--yes").stdout
    assert "no change of network office is held" in lab.wgorch("confirm", INVENTORY, code=3).stderr
    assert "no change of network office is held" in lab.wgorch("rollback", "-i", INVENTORY, code=3).stderr
    for host in HOSTS:
        assert "hold" not in lab.world.sh(host, "ls /var/lib/wgorch/office")
        lab.world.reboot(host)
    lab.wait(lambda: lab.world.ping("home", TARGET), 30, "home reaches target after the reboot")
    lab.wgorch("teardown", INVENTORY, "--yes")
    assert {} == lab.differences()


def _roll_back(lab: Lab) -> None:
    assert "✓ rolled back on bcc, company, home" in lab.wgorch("rollback", "-i", INVENTORY, **OTHER).stdout


def _silence(lab: Lab) -> None:
    time.sleep(32)


def _killed(lab: Lab) -> None:
    """What watches the lease is killed: systemd's timer, or the next change, takes its place."""
    for host in HOSTS:
        lab.world.sh(host, "read -r pid _ </var/lib/wgorch/office/watching && kill -9 $pid")
    time.sleep(32)
    lab.wgorch("rollback", "-i", INVENTORY, code=None)


ENDS: dict[str, Callable[[Lab], None]] = {"rollback": _roll_back, "silence": _silence, "a killed watcher": _killed}


@pytest.mark.parametrize("end", draw(list(ENDS), 2))
@pytest.mark.parametrize("first", draw([True, False], 1))
def test_a_held_change_is_taken_back_whole(lab: Lab, end: str, first: bool) -> None:
    if first:
        before = lab.before
        held(lab, hold="30s")
    else:
        lab.up()
        before = {host: snapshot(lab.world, host) for host in HOSTS}
        held(lab, lab.edited(("38371", "38372")), "30s")
    ENDS[end](lab)

    def differences() -> dict[str, list[str]]:
        found = {host: before[host].difference(snapshot(lab.world, host), ignore=TRACES) for host in HOSTS}
        return {host: lines for host, lines in found.items() if lines}

    lab.wait(lambda: not differences(), 12, lambda: str(differences()))
    assert not json.loads(lab.wgorch("status", INVENTORY, "--json", code=None).stdout)["held"]


@pytest.mark.parametrize("first", draw([True, False], 1, salt="reboot"))
def test_a_host_that_restarts_runs_what_was_confirmed_before(lab: Lab, first: bool) -> None:
    if not first:
        lab.up()
    held(lab, INVENTORY if first else lab.edited(("38371", "38372")), "10m")
    lab.world.reboot("company")
    refused = lab.wgorch("confirm", INVENTORY, code=4).stderr
    why = "it has restarted, and runs what was confirmed before" if first else "it rolled the change back"
    assert f"company: cannot confirm the change: {why}" in refused
    assert "but no more on company" in lab.wgorch("status", INVENTORY, code=None).stdout

    lab.wgorch("rollback", "-i", INVENTORY)
    if first:
        assert {} == lab.differences(ignore=TRACES)
    else:
        lab.wait(lambda: lab.world.ping("home", TARGET), 40, "the old network works")
        assert lab.wgorch("status", INVENTORY).returncode == 0


def test_without_one_of_its_hosts_a_change_is_not_confirmed(lab: Lab) -> None:
    held(lab, hold="40s")
    lab.world.power_off("home")
    refused = lab.wgorch("confirm", INVENTORY, code=4).stderr
    assert "home: cannot confirm the change: it is not reached" in refused
    lab.world.power_on("home")
    lab.wait(lambda: not json.loads(lab.wgorch("status", INVENTORY, "--json", code=None).stdout)["held"], 60, "it ends")
    assert "no change of network office is held" in lab.wgorch("confirm", INVENTORY, code=3).stderr
    lab.wgorch("rollback", "-i", INVENTORY)  # what home was cut off in
    lab.wait(lambda: not lab.differences(ignore=TRACES), 12, lambda: str(lab.differences(ignore=TRACES)))
