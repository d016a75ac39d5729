"""Several endpoints of a host, for real: by IPv4, by IPv6 alone, in the LAN, and behind a forwarded port."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from wgorch.inventory.load import load
from wgorch.rehearsal.inventory_world import InventoryWorld, world_of

pytestmark = pytest.mark.slow(40)

INVENTORY = """\
network: {name: office, subnet: 10.99.0.0/24}
hosts:
  bcc: {ssh: root@198.51.100.7, relay: true, endpoint: ["198.51.100.7:51820", "[2001:db8::7]:51820"]}
  gw:
    ssh: root@10.1.0.5
    subnets: [10.1.0.0/24]
    endpoint: [{address: "203.0.113.9:443"}, {lan: "10.1.0.5:51820"}]
  berlin: {ssh: root@10.1.0.6, behind: gw}
  home: {ssh: root@192.168.7.9}
  six: {ssh: "root@2001:db8:5::9"}
links:
  - six -x- gw
verify:
  - home -> 10.1.0.9
  - six -> 10.1.0.9
"""

NEIGHBOURS = """\
network: {name: office, subnet: 10.99.0.0/24}
hosts:
  bcc: {ssh: root@198.51.100.7, relay: true, endpoint: "198.51.100.7:51820"}
  gw: {ssh: root@10.1.0.5, subnets: [10.1.0.0/24], endpoint: [{lan: "10.1.0.5:51820"}]}
  berlin: {ssh: root@10.1.0.6, behind: gw}
  paris: {ssh: root@192.168.7.9}
verify:
  - paris -> 10.1.0.9
"""


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[InventoryWorld]:
    path = tmp_path / "inventory.yaml"
    path.write_text(request.param)
    with world_of(load(path), f"endpoints-{os.getpid()}", systemd=False) as world:
        assert isinstance(world, InventoryWorld)
        yield world


def wgorch(world: InventoryWorld, *words: str) -> str:
    done = subprocess.run(world.wgorch(*words), capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ends(world: InventoryWorld, host: str) -> dict[str, str]:
    """The endpoint of each peer, by the peer's tunnel address."""
    lines = {
        what: dict(line.split("\t") for line in world.sh(host, f"wg show wg0 {what}").splitlines())
        for what in ("endpoints", "allowed-ips")
    }
    return {
        next(net for net in nets.split(" ") if net.startswith("10.99.0.")): lines["endpoints"][key]
        for key, nets in lines["allowed-ips"].items()
    }


@pytest.mark.parametrize("world", [INVENTORY], indirect=True)
def test_each_pair_takes_the_endpoint_that_both_have(world: InventoryWorld) -> None:
    wgorch(world, "up", "inventory.yaml", "--yes")
    assert ends(world, "berlin")["10.99.0.2/32"] == "10.1.0.5:51820"
    assert ends(world, "home")["10.99.0.2/32"] == "203.0.113.9:443"
    assert ends(world, "six") == {"10.99.0.0/24": "[2001:db8::7]:51820"}
    assert ends(world, "home")["10.99.0.0/24"] == "198.51.100.7:51820"
    assert "No changes." in wgorch(world, "up", "inventory.yaml", "--yes")
    wgorch(world, "status", "inventory.yaml")

    wgorch(world, "teardown", "inventory.yaml", "--yes")


@pytest.mark.parametrize("world", [NEIGHBOURS], indirect=True)
def test_neighbours_behind_one_nat_need_no_relay(world: InventoryWorld) -> None:
    wgorch(world, "up", "inventory.yaml", "--yes")
    assert ends(world, "berlin")["10.99.0.2/32"] == "10.1.0.5:51820"
    world.sh("internet", "ip route add blackhole 198.51.100.7")  # the relay is gone
    assert world.run("berlin", "ping", "-c1", "-W3", "10.99.0.2", check=False).returncode == 0
    world.sh("internet", "ip route delete blackhole 198.51.100.7")
    assert "No changes." in wgorch(world, "up", "inventory.yaml", "--yes")
