"""A network brought up in batches: each is confirmed before the next begins, and a failure stops the rest."""

from __future__ import annotations

import json
import re

import pytest

from tests.lab.conftest import INVENTORY, Lab

pytestmark = pytest.mark.slow(40)

TARGET = "10.10.13.61"
STOPPED, MIXED = 9, 6


def test_every_batch_is_confirmed_before_the_next_begins(lab: Lab) -> None:
    said = lab.wgorch("up", INVENTORY, "--yes", "--batch", "1,100%").stdout
    assert ["bcc", "home, company"] == re.findall(r"^batch \d of 2, \d hosts?: (.*)$", said, re.M)
    first = said.index("bcc          done")
    assert first < said.index("batch 2 of 2") < said.index("home         applying")
    assert lab.world.ping("home", TARGET)
    assert "No changes." in lab.wgorch("up", INVENTORY, "--yes", "--batch", "1").stdout

    said = lab.wgorch("up", lab.edited(("38371", "38372")), "--yes", "--batch", "1").stdout
    assert "batch 1 of" in said
    assert "paths OK" in said
    assert lab.world.ping("home", TARGET)


def test_it_stops_after_as_many_batches_as_given_and_goes_on_later(lab: Lab) -> None:
    done = lab.wgorch("up", INVENTORY, "--yes", "--batch", "1", "--stop-after", "2", "--json", code=STOPPED)
    states = {name: its["state"] for name, its in json.loads(done.stdout)["host_states"].items()}
    assert {"bcc": "applied", "home": "applied", "company": "not-begun"} == states
    assert lab.world.ping("home", "192.168.2.1")
    assert lab.world.sh("company", "ls /var/lib/wgorch 2>/dev/null || :") == ""

    lab.up()
    assert lab.world.ping("home", TARGET)
    assert "No changes." in lab.wgorch("up", INVENTORY, "--yes").stdout


def test_a_batch_that_fails_rolls_back_and_stops_the_rest(lab: Lab) -> None:
    playbooks = lab.with_run("false", "home")
    done = lab.wgorch("up", INVENTORY, "--yes", "--batch", "1", "--playbooks", playbooks, code=MIXED)
    assert re.search(r"^bcc +applied +confirmed", done.stdout, re.M), done.stdout[-1500:]
    assert re.search(r"^home +rolled back ", done.stdout, re.M)
    assert re.search(r"^company +not begun", done.stdout, re.M)
    assert "wg0" in lab.world.sh("bcc", "ls /sys/class/net")
    for host in ("home", "company"):
        assert "wg0" not in lab.world.sh(host, "ls /sys/class/net")


def test_options_that_do_not_go_together_are_refused(lab: Lab) -> None:
    assert "leave out --hold, or --batch" in lab.wgorch("up", INVENTORY, "--batch", "1", "--hold", "30m", code=3).stderr
    assert '"0" is no size of a batch' in lab.wgorch("up", INVENTORY, "--batch", "0", code=3).stderr
