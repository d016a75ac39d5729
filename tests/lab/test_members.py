"""The hosts are the record: any controller knows who belongs to a network, and who changed it last."""

from __future__ import annotations

import json
import random
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import LONG, SEED
from tests.lab.conftest import INVENTORY, Lab
from tests.lab.terminal import on_terminal
from tests.lab.test_absent import off
from wgorch.inventory.load import load

pytestmark = pytest.mark.slow(110)

COMPANY = INVENTORY.read_text().partition("  company:")[2].partition("\n\nverify")[0]


def without_company(lab: Lab, name: str = "smaller.yaml") -> Path:
    text = INVENTORY.read_text().partition("  company:")[0].rstrip() + "\n"
    return lab.inventory(text, name)


def elsewhere(lab: Lab, *words: str | Path, code: int | None = 0) -> subprocess.CompletedProcess[str]:
    """Run wgorch as a person at another laptop, who knows nothing of earlier runs."""
    return lab.wgorch(*words, code=code, env={"XDG_STATE_HOME": "/root/elsewhere"})


def members(lab: Lab) -> dict[str, Any]:
    text = lab.world.sh("bcc", "cat /var/lib/wgorch/office/members")
    found: dict[str, Any] = json.loads(text.partition("\n")[2])
    return found


def test_a_host_that_left_is_taken_down_from_any_laptop(network: Lab) -> None:
    smaller = without_company(network)

    plan = elsewhere(network, "plan", smaller, code=2)
    assert "- host company" in plan.stdout
    refused = elsewhere(network, "up", smaller, code=3)
    assert "take down company" in refused.stderr
    done = elsewhere(network, "up", smaller, "--yes")

    assert "company left the inventory: dropped by its peers and restored" in done.stdout
    assert "wg0" not in network.world.sh("company", "ip -br link")
    assert "company" not in json.dumps(members(network))
    assert "No changes." in elsewhere(network, "plan", smaller).stdout
    # The first laptop's memory does not bring it back.
    assert "No changes." in network.wgorch("plan", smaller).stdout


def test_a_lost_inventory_is_had_back(network: Lab) -> None:
    path = network.directory / "again.yaml"
    path.unlink(missing_ok=True)
    bcc = "root@203.0.113.13"

    inside = elsewhere(network, "init", bcc, "-o", path, "--yes", code=3)
    assert "in network office of wgorch already" in inside.stderr
    elsewhere(network, "adopt", bcc, "-o", path)
    path.chmod(0o644)

    assert load(path).hosts.keys() == load(INVENTORY).hosts.keys()
    elsewhere(network, "check", path)
    assert "No changes." in elsewhere(network, "plan", path).stdout
    no_record = elsewhere(network, "adopt", "root@192.168.0.9", code=3)
    assert "name a relay" in no_record.stderr


def test_hardware_that_is_gone_is_forgotten(network: Lab) -> None:
    smaller = without_company(network)
    with off(network, "company"):
        first = network.wgorch("up", smaller, "--yes", code=7)
        assert "orphan: company" in first.stderr
        assert "- host company" in elsewhere(network, "plan", smaller, code=2).stdout
        wrong = elsewhere(network, "forget", "home", "-i", smaller, code=3)
        assert "home is in" in wrong.stderr
        elsewhere(network, "forget", "company", "-i", smaller, "--yes")
        assert "No changes." in elsewhere(network, "plan", smaller).stdout
        assert "No changes." in network.wgorch("plan", smaller).stdout
    network.up()


def test_forgetting_changes_nothing_but_the_record(network: Lab) -> None:
    smaller = without_company(network)
    with off(network, "company"):
        network.wgorch("up", smaller, "--yes", code=7)
        smaller.write_text(smaller.read_text().replace("keepalive: 15", "keepalive: 44"))
        before = network.world.sh("bcc", "wg show wg0 persistent-keepalive; cat /var/lib/wgorch/office/boot")
        silent = network.wgorch("forget", "company", "-i", smaller, code=3)
        assert "no terminal to confirm on" in silent.stderr
        done = network.wgorch("forget", "company", "-i", smaller, "--yes")

        assert "company is struck from the record of 1 host (bcc)" in done.stdout
        assert before == network.world.sh("bcc", "wg show wg0 persistent-keepalive; cat /var/lib/wgorch/office/boot")
        assert {} == members(network)["leaving"]
        # The edit is still one's own, and waits for `up`.
        plan = network.wgorch("plan", smaller, code=2)
        assert "host company" not in plan.stdout
        assert "not based on" not in plan.stdout
        assert "no host company left" in network.wgorch("forget", "company", "-i", smaller, "--yes", code=3).stderr
    network.up()


def test_an_orphan_outlives_the_record_and_a_torn_down_network_stays_down(network: Lab) -> None:
    smaller = without_company(network)
    with off(network, "company"):
        gone = network.wgorch("teardown", smaller, "--yes", code=7)
        assert "orphan: company" in gone.stderr
        assert "- host company" in network.wgorch("plan", smaller, code=2).stdout
        again = network.wgorch("teardown", smaller, "--yes", "--purge", code=7)
        assert "orphan: company" in again.stderr
        assert "- host company" in network.wgorch("plan", smaller, code=2).stdout
        network.wgorch("forget", "company", "-i", smaller, "--yes")
        assert "host company" not in network.wgorch("plan", smaller, code=2).stdout
        assert "wg0" not in network.world.sh("bcc", "ip -br link")
    network.wgorch("teardown", INVENTORY, "--yes")


def test_a_limited_up_forgets_no_member(network: Lab) -> None:
    smaller = without_company(network)
    elsewhere(network, "up", smaller, "--limit", "bcc,home", "--yes")
    assert {"bcc", "home", "company"} == members(network)["hosts"].keys()
    assert "- host company" in elsewhere(network, "plan", smaller, code=2).stdout
    network.up()


def test_a_key_is_not_deleted_without_a_question(network: Lab) -> None:
    network.wgorch("teardown", INVENTORY, "--yes")
    key = "/var/lib/wgorch/office/private_key"
    for target in (["--host", "root@203.0.113.13"], [str(INVENTORY)]):
        refused = network.wgorch("teardown", *target, "--purge", code=3)
        assert "- private key" in refused.stdout
        assert "no terminal to confirm on" in refused.stderr
        assert network.world.sh("bcc", f"test -s {key} && echo kept").strip() == "kept"
    done = network.wgorch("teardown", INVENTORY, "--purge", "--yes")
    assert "No wgorch resources" not in done.stdout
    assert network.world.sh("bcc", f"test ! -e {key} && echo gone").strip() == "gone"
    assert "No wgorch resources" in network.wgorch("teardown", INVENTORY, "--purge").stdout


def test_an_interrupted_question_ends_at_once(network: Lab) -> None:
    before = network.world.sh("bcc", "ls -la /var/lib/wgorch/office")
    began = time.monotonic()
    code, shown = on_terminal(network, "teardown", INVENTORY, answers={"[y/N]": "\x03"})
    assert (130, True) == (code, time.monotonic() - began < 10), shown
    assert "interrupted; nothing was changed" in shown
    assert "rolling back" not in shown
    assert before == network.world.sh("bcc", "ls -la /var/lib/wgorch/office")


def test_teardown_takes_hosts_along_that_left(network: Lab) -> None:
    elsewhere(network, "teardown", without_company(network), "--yes")
    assert {} == network.differences(ignore=("/var/lib/wgorch", "/root/elsewhere"))


def test_a_stale_inventory_says_whose_change_it_would_undo(network: Lab) -> None:
    key = "Id0bZVRIPHIdOi6ur5ygZ6f4gs0thaLwBRhjeudYxng="
    text = INVENTORY.read_text() + f"\ndevices:\n  phone: {{public_key: '{key}', address: 192.168.2.77}}\n"
    newer = network.inventory(text, "newer.yaml")
    elsewhere(network, "up", newer, "--yes")
    assert key in network.world.sh("bcc", "wg show wg0 peers")

    plan = network.wgorch("plan", INVENTORY, code=2)
    refused = network.wgorch("up", INVENTORY, code=3)

    assert "not based on revision" in plan.stdout
    assert "- phone" in plan.stdout
    assert "undo changes made from elsewhere" in refused.stderr
    assert key in network.world.sh("bcc", "wg show wg0 peers")
    # One's own edit on top of the latest revision is no such thing.
    assert "not based on" not in elsewhere(
        network, "plan", network.edited(("keepalive: 15", "keepalive: 16")), code=2
    ).stdout.replace("- phone", "")


def test_status_says_who_changed_the_network_last(network: Lab) -> None:
    said = network.wgorch("status", INVENTORY).stdout
    state = json.loads(network.wgorch("status", INVENTORY, "--json").stdout)

    assert "revision 1, by root@" in said
    assert state["revision"]["number"] == 1
    network.wgorch("up", network.edited(("keepalive: 15", "keepalive: 16")), "--yes")
    assert "revision 2, by root@" in network.wgorch("status", network.edited(("keepalive: 15", "keepalive: 16"))).stdout


def test_a_device_is_admitted_and_told_when_its_file_is_stale(lab: Lab) -> None:
    path = lab.inventory(INVENTORY.read_text() + "\ndevices:\n  phone: {}   # of anna\n", "devices.yaml")
    first = lab.wgorch("up", path, "--yes")
    assert "note: phone: no peer knows this device yet: wgorch export phone --write" in first.stdout
    assert "no peer knows this device yet" in lab.wgorch("status", path).stdout

    lab.wgorch("export", "phone", path, "--qr", "--write", "-o", lab.directory / "phone.png")
    assert "public_key: " in path.read_text()
    assert "# of anna" in path.read_text()
    again = lab.wgorch("export", "phone", path, "--qr", code=3)
    assert "works on no device" in again.stderr
    lab.wgorch("up", path, "--yes")
    assert "phone" not in lab.wgorch("plan", path).stdout

    path.write_text(path.read_text().replace("203.0.113.13:38371", "203.0.113.13:38372"))
    assert "note: phone: its configuration file is stale after this change" in lab.wgorch("plan", path, code=2).stdout
    lab.wgorch("up", path, "--yes")
    assert "note: phone: has not used its new configuration file yet" in lab.wgorch("status", path).stdout
    lab.wgorch("teardown", path, "--yes", "--purge")


def test_a_machine_is_added_to_the_file(lab: Lab) -> None:
    text = (
        INVENTORY.read_text().partition("  company:")[0].rstrip() + "\n\n# what must work\nverify:\n  - home -> bcc\n"
    )
    path = lab.inventory(text, "grows.yaml")
    lab.wgorch("up", path, "--yes")

    twin = lab.wgorch("add", "root@192.168.0.9", path, code=3)
    assert "is home of" in twin.stderr
    lab.world.sh("controller", "printf 'Host 10.10.13.62\\n  ProxyJump root@198.51.100.66\\n' >/root/.ssh/config")
    lab.wgorch("add", "root@10.10.13.62", path, "--yes")
    assert "# what must work" in path.read_text()
    assert "10.10.13.0/24" in path.read_text()
    lab.wgorch("up", path, "--yes")
    assert lab.world.ping("home", "10.10.13.61")
    lab.wgorch("teardown", path, "--yes", "--purge")


def test_a_shell_on_a_host_takes_the_inventorys_way(lab: Lab) -> None:
    done = lab.wgorch("ssh", "-i", INVENTORY, "company", "--", "hostname; ip -br address show ens192")
    assert "10.10.13.62" in done.stdout
    assert lab.wgorch("ssh", "-i", INVENTORY, "home", "false", code=1).returncode == 1


def test_a_lock_is_waited_for(lab: Lab) -> None:
    first = lab.spawn("up", INVENTORY, "--yes", "--wait", "60")
    second = lab.wgorch("up", INVENTORY, "--yes", "--wait", "60")
    out, _ = first.communicate(timeout=60)
    assert first.returncode == 0, out
    assert "No changes." in lab.wgorch("plan", INVENTORY).stdout
    assert second.returncode == 0


def test_two_controllers_that_take_turns_forget_and_revive_nobody(lab: Lab) -> None:
    chance = random.Random(SEED)
    key = "Id0bZVRIPHIdOi6ur5ygZ6f4gs0thaLwBRhjeudYxng="
    whole = INVENTORY.read_text()
    smaller = whole.partition("  company:")[0].rstrip() + "\n"
    state = {"company": True, "phone": False, "keepalive": 15}
    path = lab.inventory(whole, "shared.yaml")
    lab.wgorch("up", path, "--yes")
    for number in range(100 if LONG else 3):
        what = chance.choice(("company", "phone", "keepalive"))
        state[what] = chance.randint(10, 60) if what == "keepalive" else not state[what]
        text = (whole if state["company"] else smaller).replace("keepalive: 15", f"keepalive: {state['keepalive']}")
        text += f"\ndevices:\n  phone: {{public_key: '{key}', address: 192.168.2.77}}\n" if state["phone"] else ""
        path.write_text(text)
        turn, other = chance.sample((lab.wgorch, partial(elsewhere, lab)), 2)
        when = f"round {number} of seed {SEED}: {what}"
        done = turn("up", path, "--yes")
        assert "orphan" not in done.stderr, when
        record = members(lab)
        hosts = {"bcc", "home"} | ({"company"} if state["company"] else set())
        assert set(record["hosts"]) == hosts, when
        assert record["leaving"] == {}, when
        assert ("phone" in record.get("devices", {})) is state["phone"], when
        assert ("wg0" in lab.world.sh("company", "ip -br link")) is state["company"], when
        assert (key in lab.world.sh("bcc", "wg show wg0 peers")) is state["phone"], when
        assert "No changes." in other("plan", path).stdout, when
    lab.wgorch("teardown", path, "--yes", "--purge")
