"""Networks of several relays as they are changed, and others than the usual one: each in a world of its own."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from tests.conftest import draw
from tests.lab.test_failover import HOSTS, QUICK, ROOT, TARGET, all_of, built, quick
from wgorch.rehearsal.snapshot import KEYS_STAY, snapshot

pytestmark = pytest.mark.slow(60)


def test_relays_come_and_go(tmp_path: Path) -> None:
    """From one relay to two, in another order, and back: `up` converges each time, and teardown restores all hosts."""
    dual = quick().replace("subnet: 192.168.2.0/24", 'subnet: [192.168.2.0/24, "fd00:2::/64"]')
    one = dual.replace("    relay: true\n\n  home", "\n  home").replace("home -- [bcc, bcc2]", "home -- bcc")
    one = one.replace(f"  {QUICK}\n", "")
    other = dual.replace("home -- [bcc, bcc2]", "home -- [bcc2, bcc]")
    with built(dual, tmp_path, "relays") as network:
        before = {host: snapshot(network.world, host) for host in HOSTS}
        for text in (one, dual, other, one, other):
            network.edit(text)
            said = network.wgorch("up", "inventory.yaml", "--yes")
            if text == dual:  # relays that begin a handshake with each other in one moment both fail, again and again
                assert re.search(r"s  bcc +applied.*s  bcc2 +[+] interface", said, re.S)
                assert not re.search(r"s  bcc2 +[+] interface.*s  bcc +applied", said, re.S)
            assert "No changes." in network.wgorch("up", "inventory.yaml", "--yes")
            network.wgorch("verify", "inventory.yaml")
        network.wait("bcc2", "home")
        network.wgorch("teardown", "inventory.yaml", "--yes")
        time.sleep(1)
        for host in HOSTS:
            assert [] == before[host].difference(snapshot(network.world, host), ignore=KEYS_STAY)


def test_a_change_of_the_number_of_relays_that_fails_is_undone(tmp_path: Path) -> None:
    one = quick().replace("    relay: true\n\n  home", "\n  home").replace("home -- [bcc, bcc2]", "home -- bcc")
    one = one.replace(f"  {QUICK}\n", "")
    fault = "exit_routes, {run: fault, command: 'exit 3', undo: 'true', on: [company]}]"
    with built(quick(), tmp_path, "undone") as network:
        up = (ROOT / "playbooks" / "up.yaml").read_text().replace("exit_routes]", fault)
        network.world.write("controller", "/root/faulty/up.yaml", up)
        teardown = (ROOT / "playbooks" / "teardown.yaml").read_text()
        network.world.write("controller", "/root/faulty/teardown.yaml", teardown)
        for before, after in ((one, quick()), (quick(), one)):
            network.edit(before)
            network.wgorch("up", "inventory.yaml", "--yes")
            network.edit(after)
            said = network.wgorch("up", "inventory.yaml", "--yes", "--playbooks", "/root/faulty", code=5)
            assert said.count("as before the change") == len(HOSTS), said
            network.edit(before)
            assert "No changes." in network.wgorch("up", "inventory.yaml", "--yes")
            network.wgorch("verify", "inventory.yaml")


VARIANTS = {
    "dual stack": (("subnet: 192.168.2.0/24", 'subnet: [192.168.2.0/24, "fd00:2::/64"]'), ""),
    "no nexthop objects": (
        ("", ""),
        "mv /usr/sbin/ip /usr/sbin/ip.real; ln -sf /usr/sbin/ip.real /usr/sbin/ip-real; "
        'printf \'#!/bin/sh\\nfor w; do [ "$w" != nexthop ] || exit 1; done\\nexec /usr/sbin/ip-real "$@"\\n\' >/usr/sbin/ip; '
        "chmod 755 /usr/sbin/ip",
    ),
    "busybox's ping": (("", ""), "ln -sf $(command -v busybox) /usr/local/sbin/ping"),
    "a policy": (("links:\n  -", "policy:\n  - home -> company.lan: ping, udp, tcp\n\nlinks:\n  -"), ""),
    "an exit node": (("    ssh: root@192.168.0.103\n", "    ssh: root@192.168.0.103\n    exit: bcc\n"), ""),
    "three relays": (
        (
            "  home:\n",
            "  bcc3:\n    ssh: root@198.51.100.99\n    endpoint: 198.51.100.99:51820\n    relay: true\n\n  home:\n",
        ),
        "",
    ),
}


@pytest.mark.parametrize("kind", draw(list(VARIANTS), 1, salt="variants"))
def test_other_networks_fail_over_too(tmp_path: Path, kind: str) -> None:
    (old, new), command = VARIANTS[kind]
    with built(quick().replace(old, new), tmp_path, "variants") as network:
        world = network.world
        if command:
            for host in ("home", "company"):
                world.sh(host, command)
        before = {host: snapshot(world, host) for host in HOSTS}
        network.wgorch("up", "inventory.yaml", "--yes")
        assert "No changes." in network.wgorch("up", "inventory.yaml", "--yes")
        time.sleep(5)
        network.wait("bcc", "home", "company")
        with network.cut(*(("bcc", rule) for rule in all_of())):
            network.wait("bcc2", "home", "company", within=15)
            time.sleep(3)
            assert world.run("home", "ping", "-c", "3", "-W", "2", TARGET, check=False).returncode == 0
            if kind == "dual stack":
                shown = json.loads(world.sh("company", "ip -j -6 address show dev wg0b scope global"))
                address = shown[0]["addr_info"][0]["local"]
                assert world.run("home", "ping", "-c", "3", "-W", "2", address, check=False).returncode == 0
        network.wait("bcc", "home", "company", within=60)
        network.wgorch("teardown", "inventory.yaml", "--yes")
        time.sleep(1)
        for host in HOSTS:
            assert [] == before[host].difference(snapshot(world, host), ignore=KEYS_STAY)
