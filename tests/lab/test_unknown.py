"""What cannot be read is unknown: not absent, no drift, no success. Each fault on company, with the network up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.conftest import draw
from tests.lab.conftest import INVENTORY, Lab

pytestmark = pytest.mark.slow(70)

SHIM = "mount -t tmpfs -o mode=755 shim /usr/local/sbin"


def shim(tool: str, script: str) -> tuple[str, str]:
    """Commands that put a script in the place of a tool, and take it away; REAL in the script is the tool."""
    real = f"$(PATH=/usr/bin:/usr/sbin:/bin:/sbin command -v {tool})"
    text = script.replace("REAL", f"'\"{real}\"'") if "REAL" in script else script
    put = f"{SHIM} && printf '%s\\n' '#!/bin/sh' '{text}' >/usr/local/sbin/{tool} && chmod 755 /usr/local/sbin/{tool}"
    return put, "umount /usr/local/sbin"


def hidden(path: str) -> tuple[str, str]:
    """Commands that put an empty file or folder over a path."""
    put = f"if [ -d {path} ]; then mount -t tmpfs empty {path}; else : >/run/empty; mount --bind /run/empty {path}; fi"
    return put, f"umount {path}; rm -f /run/empty"


FAULTS = {
    "nft list tables": shim("nft", 'case "$*" in "list tables") exit 1;; esac; exec REAL "$@"'),
    "iptables-save": shim("iptables-save", "exit 3"),
    "iptables-save says nothing": shim("iptables-save", "exit 0"),
    "wg show": shim("wg", 'case "$1" in show) exit 1;; esac; exec REAL "$@"'),
    "wg pubkey": shim("wg", 'case "$1" in pubkey) exit 1;; esac; exec REAL "$@"'),
    "ip": shim("ip", 'case "$*" in -V) exec REAL -V;; esac; exit 1'),
    "ip breaks off": shim("ip", 'case "$*" in *-batch*) REAL "$@" | head -n 2; exit 1;; esac; exec REAL "$@"'),
    "sha256sum": shim("sha256sum", "exit 1"),
    "ls": shim("ls", "exit 1"),
    "date": shim("date", "exit 1"),
    "grep": shim("grep", "exit 127"),
    "sysctl": hidden("/proc/sys/net/ipv4/conf/ens192/forwarding"),
    "all sysctls": hidden("/proc/sys/net/ipv4/conf"),
    "boot id": hidden("/proc/sys/kernel/random/boot_id"),
    "interfaces": hidden("/sys/class/net"),
    "record": (
        "cp -p {0} /run/kept; : >{0}".format("/var/lib/wgorch/office/recorded"),
        "cp -p /run/kept /var/lib/wgorch/office/recorded",
    ),
    "record cut": (
        "cp -p {0} /run/kept; head -c 60 /run/kept >{0}".format("/var/lib/wgorch/office/recorded"),
        "cp -p /run/kept /var/lib/wgorch/office/recorded",
    ),
    "mark": ("ip link set wg0 alias ''", "ip link set wg0 alias wgorch:office"),
}


@contextmanager
def fault(lab: Lab, name: str) -> Iterator[None]:
    put, back = FAULTS[name]
    lab.world.sh("company", put)
    try:
        yield
    finally:
        lab.world.sh("company", back)


@pytest.mark.parametrize("name", draw(list(FAULTS), 5))
def test_nothing_is_claimed_that_rests_on_what_was_not_read(network: Lab, name: str) -> None:
    with fault(network, name):
        plan = network.wgorch("plan", INVENTORY, code=None)
        assert plan.returncode == 4, plan.stdout + plan.stderr
        assert "company: cannot " in plan.stderr
        assert "Traceback" not in plan.stderr
        status = network.wgorch("status", INVENTORY, code=None)
        assert status.returncode != 0, status.stdout
        assert "drift: company" not in status.stdout, status.stdout
        assert "3 hosts in sync" not in status.stdout
        found = json.loads(network.wgorch("status", INVENTORY, "--json", code=None).stdout)
        assert found["hosts"]["company"].get("in_sync") is not True, found["hosts"]["company"]
        down = network.wgorch("teardown", INVENTORY, "--yes", code=None)
        assert down.returncode == 4, down.stdout + down.stderr
        assert "restored" not in down.stdout
    assert "No changes." in network.wgorch("plan", INVENTORY).stdout


@pytest.mark.parametrize("verb", ["up", "teardown"])
def test_a_rule_set_that_gets_unreadable_is_not_as_before(lab: Lab, verb: str) -> None:
    if verb == "teardown":
        lab.up()
    before = lab.world.sh("company", "iptables-save | grep -c -e wgorch || :").strip()
    once = '[ -e /run/read ] && exit 1; : >/run/read; exec REAL "$@"'
    put, back = shim("iptables-save", once)
    lab.world.sh("company", put)
    try:
        done = lab.wgorch(verb, INVENTORY, "--yes", code=None)
    finally:
        lab.world.sh("company", f"{back}; rm -f /run/read")
    said = done.stdout + done.stderr
    after = lab.world.sh("company", "iptables-save | grep -c -e wgorch || :").strip()
    assert done.returncode in (4, 5, 6), said
    assert done.returncode == 6 or after == before, said


def test_a_tool_that_hangs_is_named_and_ends_on_the_host(network: Lab) -> None:
    put, back = shim("wg", 'case "$1" in show) exec sleep 1234;; esac; exec REAL "$@"')
    network.world.sh("company", put)
    try:
        status = network.wgorch("status", INVENTORY, code=None, timeout=60)
        assert "wg show wg0 failed with status 137" in status.stdout + status.stderr
        running = network.world.run("company", "pgrep", "-f", "sleep 1234", check=False).stdout
        assert not running.strip()
    finally:
        network.world.sh("company", back)
    left = network.world.run("company", "pgrep", "-f", "end_hanging|^sleep 24", check=False).stdout
    assert not left.strip()
