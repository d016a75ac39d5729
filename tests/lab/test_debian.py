"""Hosts of other Debian releases: their own iproute2, iptables, nftables, procps, systemd and OpenSSH."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.conftest import draw
from tests.lab.conftest import HOSTS, INVENTORY, Lab
from tests.lab.faults import FAULTS, Fault
from tests.lab.remedies import the_fix_works
from tests.lab.userland import userland
from wgorch.rehearsal.reference import ReferenceWorld
from wgorch.rehearsal.snapshot import snapshot

pytestmark = pytest.mark.slow(150)

VERSIONS = {"bullseye": "11.", "trixie": "13."}
TARGET = "10.10.13.61"


@pytest.fixture(scope="module", params=draw(list(VERSIONS), 1, salt="release"))
def debian(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    suite: str = request.param
    with ReferenceWorld(f"{suite}-{os.getpid()}", userland=userland(suite)) as world:
        directory = tmp_path_factory.mktemp(suite)
        directory.chmod(0o755)
        assert world.sh("home", "cat /etc/debian_version").startswith(VERSIONS[suite])
        yield Lab(world, directory, {name: snapshot(world, name) for name in HOSTS})


@pytest.fixture
def up(debian: Lab) -> Iterator[Lab]:
    debian.up()
    yield debian
    debian.wgorch("teardown", INVENTORY, "--yes", "--purge")


@pytest.mark.kind("Debian 11, 12 and 13, each with its own iproute2, iptables, nftables, systemd and OpenSSH", "works")
def test_the_main_job_status_drift_keys_and_teardown(debian: Lab) -> None:
    lab, world = debian, debian.world
    done = lab.up()
    assert "✓ 9/9 paths OK" in done.stdout
    assert world.ping("home", TARGET)
    for kind in ("tcp", "udp"):
        say = f"exec 3<>/dev/{kind}/{TARGET}/7777; echo hello >&3; head -n 1 <&3"
        assert "said hello" in world.sh("home", f"timeout 5 bash -c '{say}'")
    assert "3 hosts in sync" in lab.wgorch("status", INVENTORY).stdout
    assert "No changes." in lab.wgorch("plan", INVENTORY).stdout

    world.sh("company", "iptables -D FORWARD 1; ip link set wg0 mtu 1300")
    plan = lab.wgorch("plan", INVENTORY, code=2).stdout
    assert "jump to wgorch-office-fwd" in plan
    assert "MTU 1300 -> 1440" in plan
    lab.up()
    lab.wgorch("rotate-key", "home", "-i", INVENTORY, "--yes")
    assert world.ping("home", TARGET)

    world.reboot("company")
    lab.wait(lambda: world.ping("home", TARGET), 40, "the network is up again after a start")
    assert "No changes." in lab.wgorch("plan", INVENTORY).stdout
    lab.wgorch("teardown", INVENTORY, "--yes", "--purge")
    assert {} == lab.differences(ignore=())


def test_a_change_that_fails_takes_itself_back(debian: Lab) -> None:
    lab = debian
    lab.wgorch("up", INVENTORY, "--yes", "--playbooks", lab.with_run("false", "company"), code=5)
    assert {} == lab.differences()
    lab.wgorch("teardown", INVENTORY, "--yes", "--purge")


@pytest.mark.parametrize("fault", draw(list(FAULTS), 1, salt="debian"), ids=lambda f: f.name)
def test_a_fault_is_named_and_its_fix_works(up: Lab, fault: Fault) -> None:
    the_fix_works(up, fault)
