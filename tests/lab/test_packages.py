"""Missing packages come by the host's own manager: real ones, each against a small repository that the host has on its disk."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.conftest import draw
from tests.lab import repositories
from tests.lab.conftest import INVENTORY, Lab, own_lab

pytestmark = [pytest.mark.drawn(2)]

SYSTEMS = {
    "apt": ("ID=ubuntu\nID_LIKE=debian\n", "dpkg-query -W -f '${db:Status-Abbrev}' wireguard-tools"),
    "dnf": ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "rpm -q wireguard-tools"),
    "zypper": ('ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', "rpm -q wireguard-tools"),
    "pacman": ("ID=arch\n", "pacman -Qq wireguard-tools"),
}
BUSY = {
    "apt": "apt-get update -qq && apt-get install -qq -y slow",
    "dnf": "dnf -q -y install slow",
    "zypper": "zypper -n -q install slow",
    "pacman": "pacman -Sy --noconfirm slow",
}
LOCKED = {
    "apt": "/var/lib/dpkg/lock-frontend",
    "dnf": "/var/lib/dnf/rpmdb_lock.pid",
    "zypper": "/run/zypp.pid",
    "pacman": "/var/lib/pacman/db.lck",
}


@pytest.fixture
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A world for each: what is taken off a machine does not come back."""
    with own_lab("packages", tmp_path_factory, systemd=False) as lab:
        yield lab


@pytest.mark.parametrize("manager", draw(list(SYSTEMS), 1, salt="packages come"))
@pytest.mark.kind(
    "packages by apt, dnf, zypper, pacman",
    "works",
    "recorded: each installs, waits for a lock, and removes where asked",
)
def test_a_missing_package_comes_by_the_hosts_own_manager(lab: Lab, manager: str) -> None:
    world = lab.world
    system, query = SYSTEMS[manager]
    getattr(repositories, manager)(world, "home", slow=4)
    world.sh("home", "rm -f /etc/os-release")
    world.write("home", "/etc/os-release", system)
    told = lab.wgorch("plan", INVENTORY, code=2).stdout
    assert f"+ packages wireguard-tools  — not installed; by {manager}" in told
    assert "" == world.sh("home", "command -v wg", check=False)

    holder = world.spawn("home", "sh", "-c", BUSY[manager])
    lab.wait(lambda: world.sh("home", f"[ -e {LOCKED[manager]} ] && pgrep -x sleep", check=False), 20, "it is busy")
    up = lab.up()
    assert holder.wait(30) == 0, holder.stdout and holder.stdout.read()
    name = {"apt": "apt-get"}.get(manager, manager)
    assert f"waiting: for {manager}, which {name} (pid " in up.stdout, up.stdout
    assert world.ping("home", "10.10.13.61")
    world.sh("home", query)
    assert "No changes." in lab.wgorch("up", INVENTORY).stdout

    lab.wgorch("teardown", INVENTORY, "--yes")
    world.sh("home", query)
    assert "- packages" not in lab.up().stdout


@pytest.mark.parametrize("manager", draw(list(SYSTEMS), 1, salt="packages go"))
def test_packages_go_again_where_that_is_asked(lab: Lab, manager: str) -> None:
    world = lab.world
    system, query = SYSTEMS[manager]
    getattr(repositories, manager)(world, "home")
    if manager in ("apt", "pacman"):
        world.sh("home", {"apt": "apt-get update -qq", "pacman": "pacman -Sy"}[manager])
    world.sh("home", "rm -f /etc/os-release")
    world.write("home", "/etc/os-release", system)
    # What was fetched is out of date: the second try asks for new lists (but not with pacman, which would upgrade by halves).
    if manager != "pacman":
        repositories.publish(world, "home", manager)
    lab.up()
    down = lab.wgorch("teardown", INVENTORY, "--yes", "--packages")
    assert "- packages wireguard-tools  — installed by wgorch" in down.stdout
    assert "installed packages" not in down.stdout
    assert world.run("home", "sh", "-c", query, check=False).returncode != 0
    assert "" == world.sh("home", "command -v wg", check=False)


STAND_IN = """#!/bin/sh
# Constructed: answers as {manager} did in a log that somebody published, and puts the file there.
printf '%s\\n' "$*" >>/run/asked
case " $* " in
*' add '*' {package} '* | *' install'*' {package} '*) cp /root/wg /usr/bin/wg; cat <<'END'
{said}
END
;;
esac
"""
APK = """(1/1) Installing wireguard-tools-wg (1.0.20210223-r0)
Executing busybox-1.31.1-r21.trigger
OK: 14 MiB in 34 packages"""
OPKG = """Installing wireguard-tools (1.0.20210914-2) to root...
Downloading https://downloads.openwrt.org/releases/23.05.5/packages/mipsel_24kc/base/wireguard-tools_1.0.20210914-2_mipsel_24kc.ipk
Configuring kmod-wireguard.
Configuring wireguard-tools."""


@pytest.mark.parametrize(
    ("manager", "system", "package", "said", "asked"),
    [
        ("apk", "alpine", "wireguard-tools-wg", APK, "add -q --wait 300 wireguard-tools-wg"),
        ("opkg", "openwrt", "wireguard-tools", OPKG, "install wireguard-tools"),
    ],
)
@pytest.mark.kind("packages by apk and opkg", "works with a limit", "constructed: not tried on a real one")
def test_apk_and_opkg_are_asked_in_their_own_words(
    lab: Lab, manager: str, system: str, package: str, said: str, asked: str
) -> None:
    world = lab.world
    world.sh("home", "cp /usr/bin/wg /root/wg; rm /usr/bin/wg /etc/os-release")
    world.write("home", "/etc/os-release", f"ID={system}\n")
    world.write(
        "home", f"/usr/local/bin/{manager}", STAND_IN.format(manager=manager, package=package, said=said), "755"
    )
    plan = json.loads(lab.wgorch("plan", INVENTORY, "--json", code=2).stdout)
    assert f"packages {package}" in [c["object"] for c in plan["hosts"]["home"]["changes"]]
    lab.up()
    assert asked in world.sh("home", "cat /run/asked").split("\n")
    assert world.ping("home", "10.10.13.61")


@pytest.mark.kind(
    "no package manager that wgorch knows", "refused", "no package manager that wgorch knows; please install: …"
)
def test_without_a_manager_a_person_is_told_what_to_install(lab: Lab) -> None:
    world = lab.world
    world.sh("home", "cd /usr/bin && rm -f wg apt-get dnf yum zypper pacman dnf-3")
    began = time.monotonic()
    refused = lab.wgorch("up", INVENTORY, "--yes", code=4)
    assert time.monotonic() - began < 20
    assert "no package manager that wgorch knows; please install: wg" in refused.stderr
