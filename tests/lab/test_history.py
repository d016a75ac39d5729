"""Revisions on the relays: listed, compared, and brought up again, from any controller."""

from __future__ import annotations

import json
import random
import re

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
    "keepalive": ("    subnets: [10", "    persistent_keepalive: 21\n    subnets: [10"),
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


JOURNAL = "/var/lib/wgorch/office/journal"
TAMPERING = {
    "delete a line": f"sed -i 3d {JOURNAL}",
    "delete the first line": f"sed -i 1d {JOURNAL}",
    "edit a line": f"sed -i '2s/seconds=[0-9]*/seconds=9/' {JOURNAL}",
    "edit the last line": f"sed -i '$s/who=[^ ]*/who=someone@else/' {JOURNAL}",
    "reorder": f"sed -i -n '2{{h;d}};p;3{{g;p}}' {JOURNAL}",
    "cut": f"sed -i '$d' {JOURNAL}",
    "cut to half": f"sed -i '4,$d' {JOURNAL}",
    "add by hand": f"echo 'time=1795360000 run=x event=confirm' >>{JOURNAL}",
    "double the last line": f"tail -n 1 {JOURNAL} >>{JOURNAL}",
    "remove": f"rm {JOURNAL}",
    "empty": f": >{JOURNAL}",
}


def test_tampering_with_a_journal_is_found_from_any_controller(lab: Lab) -> None:
    lab.up()
    lab.up(lab.edited(("38371", "38372")))
    assert "as written: the journals of bcc, home, company" in lab.wgorch("history", INVENTORY, "--check").stdout
    assert "✗" not in lab.wgorch("history", INVENTORY, "--check", **OTHER).stdout

    for n, (kind, command) in enumerate(TAMPERING.items()):
        host, others = HOSTS[n % len(HOSTS)], OTHER if n % 2 else {}
        lab.world.sh(host, f"cp -p {JOURNAL} /root/kept")
        lab.world.sh(host, command)
        found = json.loads(lab.wgorch("history", INVENTORY, "--check", "--json", code=2, **others).stdout)
        assert [host] == list(found["faults"]), (kind, found)
        lab.world.sh(host, f"mv /root/kept {JOURNAL}")
    lab.wgorch("history", INVENTORY, "--check")

    lab.wgorch("teardown", INVENTORY, "--yes")
    lab.up()
    said = lab.wgorch("history", INVENTORY, "--check", **OTHER).stdout
    assert "✗" not in said


def test_journals_say_who_changed_what_and_from_which_inventory(lab: Lab) -> None:
    lab.up()
    lines = {host: lab.world.sh(host, f"cat {JOURNAL}").splitlines() for host in HOSTS}
    mine = lab.world.sh("controller", "cat /root/.local/state/wgorch/office.jsonl").splitlines()
    began = next(its for its in map(json.loads, mine) if its["event"] == "begin" and its["verb"] == "up")

    for its in lines.values():
        assert f" who={began['user']} " in its[0]
        assert " revision=1 " in its[0]
        assert its[0].endswith(f" inventory={began['digest']}")
        assert its[-1].endswith(f"event=confirm who={began['user']}")


def test_changes_are_logged_by_the_hosts_own_journal(lab: Lab) -> None:
    lab.up()
    lab.wgorch("teardown", INVENTORY, "--yes")
    for host in HOSTS:
        said = lab.world.sh(host, "sleep 0.5; journalctl -t wgorch --no-pager -o cat")
        assert ["arm", "confirm", "arm", "confirm", "teardown"] == re.findall(r"event=(\S+)", said)[-5:], said
        assert all(line.startswith("network=office run=") for line in said.splitlines())


def test_a_teardown_may_leave_the_history_and_the_network_comes_back_from_it(lab: Lab) -> None:
    lab.up()
    lab.up(lab.edited(("38371", "38372")))
    said = lab.wgorch("teardown", INVENTORY, "--yes", "--keep-history").stdout
    assert "revisions and journals" in said
    for host in HOSTS:
        left = set(lab.world.sh(host, "ls /var/lib/wgorch/office").split())
        assert {"journal", "heads", "private_key"} <= left <= {"journal", "heads", "private_key", "revisions"}
    assert "revision" not in lab.wgorch("status", INVENTORY, code=None).stdout
    assert [1, 2] == numbers(lab)
    assert "✗" not in lab.wgorch("history", INVENTORY, "--check", **OTHER).stdout

    lab.wgorch("rollback", "1", "-i", INVENTORY, "--yes", **OTHER)
    assert lab.world.ping("home", TARGET)
    assert [1, 2, 3] == numbers(lab)
    assert "✗" not in lab.wgorch("history", INVENTORY, "--check").stdout

    lab.wgorch("teardown", INVENTORY, "--yes", "--keep-history")
    lab.wgorch("teardown", INVENTORY, "--yes", "--keep-history")  # nothing is left to do
    lab.wgorch("teardown", INVENTORY, "--yes", "--purge")
    assert {} == lab.differences()
    assert "" == lab.world.sh("bcc", "ls -A /var/lib/wgorch 2>/dev/null", check=False)
