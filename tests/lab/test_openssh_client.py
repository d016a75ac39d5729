"""The whole job over children of OpenSSH's client: every verb, a dead controller, an interrupt, many hosts behind a jump."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator

import pytest

from tests.lab.conftest import INVENTORY, ROOT, Lab

pytestmark = pytest.mark.slow(110)

CLIENT = ("--ssh-client", "openssh")


def children(lab: Lab) -> list[str]:
    """The ssh processes and reapers on the controller."""
    pattern = "(^|/)ssh -v|wgorch-[^ ]*/reaper|ssh -F none -S"
    return lab.world.run("controller", "pgrep", "-af", pattern, check=False).stdout.splitlines()


def is_changing(lab: Lab) -> bool:
    """True once a change of wgorch's runs on home, under its lock."""
    return bool(lab.world.sh("home", "cat /var/lib/wgorch/office/lock 2>/dev/null || :"))


@pytest.fixture
def quiet(lab: Lab) -> Iterator[Lab]:
    """The reference world; afterwards no child is left on the controller."""
    yield lab
    lab.wait(lambda: not children(lab), 10, lambda: f"children live on: {children(lab)}")


def test_the_whole_life_of_a_network(quiet: Lab) -> None:
    lab, world = quiet, quiet.world
    lab.up(INVENTORY, *CLIENT)
    assert world.ping("home", "10.10.13.61", count=3)
    assert "No changes." in lab.wgorch("up", INVENTORY, *CLIENT).stdout
    assert "in sync with the inventory" in lab.wgorch("status", INVENTORY, *CLIENT).stdout
    assert lab.wgorch("trace", "home", "10.10.13.61", INVENTORY, *CLIENT).returncode == 0
    before = world.sh("home", "wg show wg0 public-key")
    lab.wgorch("rotate-key", "home", "-i", INVENTORY, "--yes", *CLIENT)
    assert before != world.sh("home", "wg show wg0 public-key")
    assert world.ping("home", "10.10.13.61", count=3)
    assert children(lab) == []
    lab.wgorch("teardown", INVENTORY, "--yes", "--purge", *CLIENT)
    assert lab.differences(ignore=()) == {}


def test_it_takes_one_login_a_host_and_one_a_jump_host(quiet: Lab) -> None:
    since = {name: len(quiet.world.sh(name, "cat /run/sshd.log")) for name in ("company-router", "company", "home")}
    quiet.wgorch("plan", INVENTORY, *CLIENT, code=2)
    for name, at in since.items():
        assert quiet.world.sh(name, "cat /run/sshd.log")[at:].count("Accepted publickey") == 1, name


def test_no_child_outlives_a_killed_controller(quiet: Lab) -> None:
    lab = quiet
    process = lab.spawn("up", INVENTORY, "--yes", *CLIENT, "--confirm-timeout", "10")
    try:
        end = time.monotonic() + 30
        while not is_changing(lab) and time.monotonic() < end:
            pass  # it takes less than a second from there to the end
    finally:
        count = lab.world.sh("controller", "pgrep -c '^ssh$'; pkill -KILL -f '[m] wgorch up' || :")
        process.wait(10)
    assert int(count) > 0
    lab.wait(lambda: not children(lab), 5, lambda: f"children live on: {children(lab)}")
    lab.wait(lambda: lab.differences() == {}, 90, lambda: f"hosts roll back: {lab.differences()}")


def test_an_interrupt_rolls_back_and_leaves_no_child(quiet: Lab) -> None:
    lab = quiet
    process = lab.spawn("up", INVENTORY, "--yes", *CLIENT)
    lab.wait(lambda: is_changing(lab), 30, "a change")
    lab.world.sh("controller", "pkill -INT -f '[m] wgorch up'")
    assert process.wait(60) in (5, 130)
    assert lab.differences() == {}


MANY = """
import sys
from wgorch.inventory.model import Host, SshTarget
from wgorch.remote.fleet import Fleet

gate = (SshTarget("198.51.100.66", "root"),)
client, count = sys.argv[1], int(sys.argv[2])
hosts = {f"h{i}": Host(f"h{i}", SshTarget(f"h{i}", "root", via=gate, client=client), (), 0) for i in range(count)}
fleet = Fleet(hosts)
done, failed = fleet.on_hosts(hosts, lambda name: fleet.open(name).exchange("echo here", "greet it"))
print(len(done), *{str(error) for error in failed.values()}, sep="\\n")
fleet.close()
"""


@pytest.mark.parametrize("client", ["paramiko", "openssh"])
def test_many_hosts_behind_one_jump_host_all_get_in(quiet: Lab, client: str) -> None:
    """sshd drops logins at random while more than ten are not complete (MaxStartups 10:30:100)."""
    at = len(quiet.world.sh("company-router", "cat /run/sshd.log"))
    aliases = "".join(f"Host h{i}\n  HostName 10.10.13.62\n" for i in range(64))
    quiet.world.write("controller", "/root/.ssh/config", aliases, "600")
    argv = [sys.executable, "-c", MANY, client, "64"]
    done = quiet.world.run("controller", *argv, env={"PYTHONPATH": str(ROOT)}, timeout=240)

    assert done.stdout.split("\n") == ["64", ""]
    assert quiet.world.sh("company-router", "cat /run/sshd.log")[at:].count("Accepted publickey") == 1


@pytest.mark.parametrize("client", ["paramiko", "openssh"])
def test_a_dead_peer_is_noticed_in_time(quiet: Lab, client: str) -> None:
    script = (
        MANY.replace('"echo here", "greet it"', '"sleep 61.7", "wait", 90')
        .replace("via=gate, ", "")
        .replace('f"h{i}", "root"', '"192.168.0.9", "root"')
    )
    process = quiet.world.spawn(
        "controller",
        sys.executable,
        "-c",
        script,
        client,
        "1",
        env={"PYTHONPATH": str(ROOT)},
    )
    quiet.wait(lambda: quiet.world.sh("home", "pgrep -f '^sleep 61.7' || :"), 20, "the program runs")
    quiet.world.sh("home", "iptables -I INPUT -s 192.168.0.20 -j DROP; iptables -I OUTPUT -d 192.168.0.20 -j DROP")
    began = time.monotonic()
    try:
        output, _ = process.communicate(timeout=60)
    finally:
        quiet.world.sh("home", "iptables -D INPUT -s 192.168.0.20 -j DROP; iptables -D OUTPUT -d 192.168.0.20 -j DROP")
        quiet.world.sh("home", "pkill -f '^sleep 61.7' || :")
    assert time.monotonic() - began < 35
    assert re.search(r"^h0: cannot (wait|connect): ", output, re.M)


STRICT = ("\nnetwork:\n", "\nnetwork:\n  preshared_keys: {over_classical: false}\n")
OPEN = ("\nnetwork:\n", "\nnetwork:\n  preshared_keys: true\n")


@pytest.mark.parametrize("client", ["paramiko", "openssh"])
def test_preshared_keys_over_a_classical_key_exchange_are_named_or_refused(quiet: Lab, client: str) -> None:
    lab, words = quiet, ("--ssh-client", client)
    lab.world.write("controller", "/root/.ssh/config", "KexAlgorithms curve25519-sha256\n", "600")
    refused = lab.wgorch("up", lab.edited(STRICT), "--yes", *words, code=4).stderr
    for host in ("bcc", "company", "home"):
        assert f"{host}: cannot send a preshared key: its SSH session is by curve25519-sha256" in refused
    assert "the server offers sntrup761" in refused
    assert lab.differences(ignore=()) == {}

    done = lab.up(lab.edited(OPEN), *words)
    assert "are sent over SSH without post-quantum key exchange" in " ".join(done.stdout.split())
    assert lab.world.sh("home", "ls /var/lib/wgorch/office | grep -c 'psk.*classical'").strip() == "1"
    shown = lab.wgorch("status", lab.edited(OPEN), *words).stdout
    assert "preshared keys with bcc were sent over SSH without post-quantum key exchange" in " ".join(shown.split())
    assert "No changes." in lab.wgorch("up", lab.edited(OPEN), *words).stdout


def test_preshared_keys_over_a_post_quantum_key_exchange(quiet: Lab) -> None:
    done = quiet.up(quiet.edited(STRICT), *CLIENT)

    assert "post-quantum" not in done.stdout
    assert quiet.world.sh("home", "ls /var/lib/wgorch/office | grep -c 'psk.*classical' || :").strip() == "0"
    sessions = json.loads(quiet.wgorch("status", quiet.edited(STRICT), "--json", *CLIENT).stdout)["hosts"]
    assert {name: its["ssh"]["post_quantum"] for name, its in sessions.items()} == dict.fromkeys(sessions, True)
    assert sessions["home"]["ssh"]["key_exchange"].startswith("sntrup761")
