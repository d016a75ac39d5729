"""Staying after a reboot: by systemd, OpenRC, runit or cron, each the real one; and others who manage the network."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import draw
from tests.lab.conftest import INVENTORY, Lab, own_lab
from tests.lab.debs import fetch, unpack
from tests.lab.test_hard_hosts import LEASE_ALONE
from tests.lab.test_names import NAMED
from tests.lab.test_ways import Ways
from wgorch.inventory.load import load
from wgorch.rehearsal.inventory_world import world_of
from wgorch.rehearsal.snapshot import KEYS_STAY, snapshot

pytestmark = [pytest.mark.drawn(2)]


@pytest.mark.kind("plain cron", "works")
def test_cron_starts_the_network_and_looks_after_peers(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text(NAMED)
    world = world_of(load(path), f"cron-{os.getpid()}", systemd=False)
    with world:
        w = Ways(world)
        assert "neither systemd, OpenRC, runit nor cron runs" in w.wgorch("plan", "inventory.yaml", code=2)
        before = {name: snapshot(world, name) for name in ("bcc", "home")}
        for host in ("bcc", "home"):
            world.sh(host, "cron")
        told = w.up()
        assert "+ cron table wgorch-named" in told
        assert "+ watch, by cron" in told
        assert "No changes." in w.wgorch("plan", "inventory.yaml")

        world.reboot("home")
        assert not w.ping("home", "10.99.8.1", wait=1)
        world.sh("home", "cron")
        began = time.monotonic()
        while not w.ping("home", "10.99.8.1", wait=1) and time.monotonic() - began < 20:
            time.sleep(0.5)
        assert w.ping("home", "10.99.8.1")
        assert "No changes." in w.wgorch("plan", "inventory.yaml")

        w.wgorch("teardown", "inventory.yaml", "--yes")
        assert "wgorch" not in world.sh("home", "ls /etc/cron.d")
        for host in ("bcc", "home"):
            world.sh(host, "kill $(cat /run/crond.pid)")
        ignore = (*KEYS_STAY, "/run/crond", "/var/spool/cron")
        left = {n: then.difference(snapshot(world, n), ignore=ignore) for n, then in before.items()}
        assert not any(left.values()), left


# A start as each of them makes it, after the machine's power was cut; `--quiet` lines of OpenRC need its state first.
OPENRC = "mkdir -p /run/openrc && openrc sysinit >/run/rc.log 2>&1; openrc boot >>/run/rc.log 2>&1; openrc default >>/run/rc.log 2>&1"
RUNIT = "cd /etc/runit/runsvdir && ln -sfn default current; setsid runsvdir -P /etc/service >/run/runit.log 2>&1 </dev/null &"


@pytest.mark.parametrize(
    ("starter", "packages", "start"),
    draw(
        [
            pytest.param(
                "OpenRC",
                ("openrc", "libeinfo1", "librc1"),
                OPENRC,
                marks=pytest.mark.kind(
                    "OpenRC",
                    "works with a limit",
                    "an endpoint's name is not followed: it runs nothing from time to time",
                ),
            ),
            pytest.param("runit", ("runit",), RUNIT, marks=pytest.mark.kind("runit", "works")),
        ],
        1,
        salt="starters",
    ),
)
def test_other_starters_start_the_network(tmp_path: Path, starter: str, packages: tuple[str, ...], start: str) -> None:
    (tmp_path / "debs").mkdir()
    debs = fetch(tmp_path / "debs", *packages)
    path = tmp_path / "inventory.yaml"
    path.write_text(NAMED)
    world = world_of(load(path), f"{starter.lower()}-{os.getpid()}", systemd=False)
    with world:
        w = Ways(world)
        unpack(world, "home", debs)
        world.sh("home", start, timeout=60)
        if starter == "runit":
            time.sleep(1)
        before = snapshot(world, "home")
        told = w.up()
        assert f"+ {starter} service wgorch-named" in told
        assert ("no timer: changed addresses" in told) == (starter == "OpenRC")
        assert "No changes." in w.wgorch("plan", "inventory.yaml")
        if starter == "runit":
            time.sleep(6)  # it starts at once what it is given; once more the same is the same
            assert "No changes." in w.wgorch("plan", "inventory.yaml")

        world.reboot("home")
        assert not w.ping("home", "10.99.8.1", wait=1)
        world.sh("home", start, timeout=60)
        began = time.monotonic()
        while not w.ping("home", "10.99.8.1", wait=1) and time.monotonic() - began < 30:
            time.sleep(0.5)
        assert w.ping("home", "10.99.8.1"), world.sh("home", "cat /run/rc.log /run/runit.log", check=False)
        assert "No changes." in w.wgorch("plan", "inventory.yaml")

        w.wgorch("teardown", "inventory.yaml", "--yes")
        assert "wgorch" not in world.sh(
            "home", "ls /etc/init.d /etc/sv /etc/service /etc/runlevels/default 2>/dev/null", check=False
        )
        ignore = (*KEYS_STAY, "/run/", "/var/log", "/etc/service", "/etc/sv")
        left = before.difference(snapshot(world, "home"), ignore=ignore)
        assert not [line for line in left if "wgorch" in line or "wg0" in line], left


@pytest.fixture
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with own_lab("staying", tmp_path_factory) as lab:
        yield lab


@pytest.mark.kind("systemd", "works", "ordered after network and firewall")
def test_the_unit_of_systemd_is_a_good_one_and_the_host_starts_with_it(lab: Lab) -> None:
    world = lab.world
    lab.up()
    said = world.run("company", "systemd-analyze", "verify", "/etc/systemd/system/wgorch-office.service", check=False)
    assert (said.returncode, said.stderr) == (0, "")
    world.reboot("company")
    lab.wait(lambda: world.ping("home", "10.10.13.61"), 40, "it comes back")
    assert "No changes." in lab.wgorch("plan", INVENTORY).stdout
    assert "active" in world.sh("company", "systemctl is-active wgorch-office.service")


def test_systemd_ends_the_lease_where_our_own_timer_was_killed(lab: Lab) -> None:
    world = lab.world
    lab.up()
    world.sh("home", LEASE_ALONE)
    world.sh("home", "read -r pid _ </var/lib/wgorch/office/watching; kill -9 -$pid 2>/dev/null || kill -9 $pid")
    timers = world.sh("home", "systemctl list-timers --all --no-legend")
    assert "wgorch-lease-office-alone" in timers
    outcome = "cat /var/lib/wgorch/office/outcome"
    lab.wait(lambda: "reverted alone lease-ended" in world.sh("home", outcome, check=False), 40, "systemd ends it")
    assert "No changes." in lab.wgorch("plan", INVENTORY).stdout


NETWORKD = """set -e
mkdir -p /run/systemd/network
printf '[Match]\\nName=wg*\\n\\n[Network]\\nAddress=10.66.66.66/24\\n' >/etc/systemd/network/50-all.network
rm -f /run/systemd/system/systemd-networkd.service /run/systemd/system/systemd-networkd.socket
systemctl daemon-reload
systemctl start systemd-networkd.service
"""


@pytest.mark.kind(
    "systemd-networkd, also with a file for every interface",
    "works",
    "a drop-in makes it leave the tunnel alone; it listens from its next start on",
)
def test_networkd_leaves_the_tunnel_alone(lab: Lab) -> None:
    world = lab.world
    world.sh("company", NETWORKD, timeout=30)
    lab.wait(
        lambda: world.run("company", "test", "-e", "/run/systemd/netif/state", check=False).returncode == 0,
        20,
        "networkd",
    )
    told = lab.up().stdout
    assert "+ drop-in /etc/systemd/network/05-wgorch-office.network  — it would manage the tunnel, too" in told
    world.sh(
        "company",
        "systemctl restart systemd-networkd.service; sleep 2; ip address del 10.66.66.66/24 dev wg0 2>/dev/null; true",
    )
    world.sh("company", "systemctl restart systemd-networkd.service; sleep 2")
    assert "10.66.66.66" not in world.sh("company", "ip address show dev wg0")
    assert world.ping("home", "10.10.13.61")
    assert "No changes." in lab.wgorch("plan", INVENTORY).stdout
    lab.wgorch("teardown", INVENTORY, "--yes")
    assert "wgorch" not in world.sh("company", "ls /etc/systemd/network")


@pytest.mark.kind(
    "NetworkManager",
    "works with a limit",
    "constructed: not tried with a real one; a drop-in makes it leave the tunnel alone",
)
def test_network_manager_leaves_the_tunnel_alone(lab: Lab) -> None:
    world = lab.world
    world.sh("home", "mkdir -p /run/NetworkManager")
    world.write("home", "/usr/local/bin/nmcli", "#!/bin/sh\nprintf '%s\\n' \"$*\" >>/run/nmcli\n", "755")
    lab.up()
    text = world.sh("home", "cat /etc/NetworkManager/conf.d/wgorch-office.conf")
    assert "[keyfile]\nunmanaged-devices+=interface-name:wg0" in text
    assert "No changes." in lab.wgorch("plan", INVENTORY).stdout
    lab.wgorch("teardown", INVENTORY, "--yes")
    assert "" == world.sh("home", "ls /etc/NetworkManager/conf.d | grep wgorch", check=False)
    assert "general reload conf\ngeneral reload conf\n" == world.sh("home", "cat /run/nmcli")
