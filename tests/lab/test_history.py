"""Revisions on the relays: listed, compared, and brought up again, from any controller."""

from __future__ import annotations

import json
import random

import pytest

from tests.conftest import ALL, SEED
from tests.lab.conftest import HOSTS, INVENTORY, Lab
from wgorch.rehearsal.snapshot import KEYS_STAY, snapshot

pytestmark = pytest.mark.slow(60)

TARGET = "10.10.13.61"
OTHER = {"env": {"XDG_STATE_HOME": "/tmp/another-controller"}}
IGNORED = (*KEYS_STAY, "referee watch", "members", "revisions")


def numbers(lab: Lab) -> list[int]:
    said = json.loads(lab.wgorch("history", INVENTORY, "--json", **OTHER).stdout)
    return [its["number"] for its in said["revisions"]]


def test_a_revision_is_listed_compared_and_brought_up_again(lab: Lab) -> None:
    lab.up()
    before = {host: snapshot(lab.world, host) for host in HOSTS}
    lab.up(lab.edited(("38371", "38372")))
    lab.up(lab.edited(("38371", "38373"), ("address: 192.168.2.2", "address: 192.168.2.9")))

    assert [1, 2, 3] == numbers(lab)
    listed = lab.wgorch("history", INVENTORY, **OTHER).stdout
    assert "~ bcc (endpoint); ~ home (address)" in listed
    compared = lab.wgorch("diff", "1", "3", "-i", INVENTORY, code=2, **OTHER).stdout
    assert any(line.startswith("-") and "38371" in line for line in compared.splitlines())
    assert any(line.startswith("+") and "192.168.2.9" in line for line in compared.splitlines())
    assert "" == lab.wgorch("diff", "3", "-i", INVENTORY, **OTHER).stdout
    assert "revisions 1 to 3 are kept" in lab.wgorch("diff", "9", "-i", INVENTORY, code=3).stderr
    shown = lab.inventory(lab.wgorch("history", INVENTORY, "--show", "1", **OTHER).stdout, "shown.yaml")
    lab.wgorch("check", shown)

    edited = lab.edited(("38371", "38373"), ("address: 192.168.2.2", "address: 192.168.2.9"))
    said = lab.wgorch("rollback", "1", "-i", edited, "--yes", **OTHER)
    assert f"to keep this: wgorch history --show 1 >{edited}" in said.stderr
    assert lab.world.ping("home", TARGET)
    for host in HOSTS:
        found = before[host].difference(snapshot(lab.world, host), ignore=IGNORED)
        assert not [line for line in found if "/var/lib/wgorch" not in line], (host, found)
    assert [1, 2, 3, 4] == numbers(lab)
    assert "No changes." in lab.wgorch("up", INVENTORY, "--yes").stdout

    lab.wgorch("teardown", INVENTORY, "--yes")
    assert {} == lab.differences()


def test_a_host_that_was_removed_comes_back_and_one_that_was_added_goes(lab: Lab) -> None:
    lab.up()
    text = INVENTORY.read_text()
    without = text[: text.index("  home:")] + text[text.index("  company:") :].partition("verify:")[0]
    lab.up(lab.inventory(without))
    assert "wg0" not in lab.world.sh("home", "ls /sys/class/net")

    lab.wgorch("rollback", "1", "-i", lab.inventory(without), "--yes")
    assert lab.world.ping("home", TARGET)
    lab.wgorch("rollback", "2", "-i", INVENTORY, "--yes")
    assert "wg0" not in lab.world.sh("home", "ls /sys/class/net")


EDITS = {
    "port": ("38371", "38399"),
    "address": ("address: 192.168.2.2", "address: 192.168.2.77"),
    "keepalive": ("    address: 192.168.2.2\n", "    address: 192.168.2.2\n    persistent_keepalive: 21\n"),
    "mtu": ("  subnet: 192", "  mtu: 1380\n  subnet: 192"),
}


def test_every_one_of_several_changes_is_had_back(lab: Lab) -> None:
    chance = random.Random(SEED)
    states = []
    for number in range(8 if ALL else 3):
        lab.up(lab.edited(*chance.sample(list(EDITS.values()), number % (len(EDITS) + 1))))
        states.append({host: snapshot(lab.world, host) for host in HOSTS})
    kept = numbers(lab)
    for number in chance.sample(kept, 4 if ALL else 2):
        lab.wgorch("rollback", str(number), "-i", INVENTORY, "--yes", code=None)
        now = {host: snapshot(lab.world, host) for host in HOSTS}
        wrong = {
            host: [line for line in state[host].difference(now[host], ignore=IGNORED) if "/var/lib/wgorch" not in line]
            for state in [states[kept.index(number)]]
            for host in HOSTS
        }
        assert not any(wrong.values()), (number, wrong)
