"""Hosts that are off do not stop the others; when they return, they are brought level."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import LONG, SEED, draw
from tests.lab.conftest import INVENTORY, Lab
from tests.lab.test_ways import Ways
from wgorch.inventory.load import load
from wgorch.rehearsal.inventory_world import WHERE, world_of

pytestmark = pytest.mark.slow(170)


@contextmanager
def off(lab: Lab, *names: str) -> Iterator[None]:
    """Hosts that SSH does not reach; what they run goes on."""
    for name in names:
        lab.world.stop_sshd(name)
    try:
        yield
    finally:
        for name in names:
            lab.world.start_sshd(name)


def peers_of(lab: Lab, host: str) -> dict[str, str]:
    """Allowed-ips by public key, as wg prints them."""
    lines = lab.world.sh(host, "wg show wg0 allowed-ips").split("\n")
    return dict(line.split("\t") for line in lines if line)


@pytest.mark.parametrize("name", draw(["company", "home", "bcc"], 1, salt="off"))
def test_a_change_goes_on_without_a_host_that_is_off(network: Lab, name: str) -> None:
    inventory = network.edited(("  persistent_keepalive: 15 ", "  persistent_keepalive: 20 \n  mtu: 1340 "))
    others = [host for host in ("bcc", "home", "company") if host != name]
    key = network.world.sh(name, "wg show wg0 public-key").strip()
    before = {host: peers_of(network, host).get(key) for host in others}

    with off(network, name):
        plan = network.wgorch("plan", inventory, code=2)
        done = network.wgorch("up", inventory, "--yes", code=7)
        status = network.wgorch("status", inventory, code=7)
        state = json.loads(network.wgorch("status", inventory, "--json", code=7).stdout)
        verify = network.wgorch("verify", inventory, code=7)
        again = network.wgorch("up", inventory, "--yes", code=7)
        strict = network.wgorch("up", inventory, "--yes", "--strict", code=4)
        network.wgorch("status", inventory, "--strict", code=4)

    for text in (plan.stdout, done.stdout, status.stdout, verify.stdout, again.stdout):
        assert text.count(f"absent: {name}: ") == 1, text
    assert f"{name}: cannot connect" in strict.stderr
    assert "drift" not in status.stdout
    assert "No changes." in again.stdout
    for host in others:
        assert network.world.sh(host, "cat /sys/class/net/wg0/mtu").strip() == "1340"
        assert before[host] == peers_of(network, host).get(key)
    assert state["hosts"][name]["reached"] is False
    assert {peer["name"] for host in others for peer in state["hosts"][host]["peers"]} <= {"bcc", "home", "company"}

    network.wgorch("up", inventory, "--yes")
    assert network.world.sh(name, "cat /sys/class/net/wg0/mtu").strip() == "1340"
    assert network.world.ping("home", "10.10.13.61")
    assert "No changes." in network.wgorch("plan", inventory).stdout


@pytest.mark.parametrize("name", draw(["company", "bcc"], 1, salt="begun"))
def test_a_network_is_begun_without_a_host_that_is_off(lab: Lab, name: str) -> None:
    with off(lab, name):
        done = lab.wgorch("up", INVENTORY, "--yes", code=7)
    assert "its key is not known" in done.stdout

    lab.up()
    assert lab.world.ping("home", "10.10.13.61")
    assert "No changes." in lab.wgorch("plan", INVENTORY).stdout


def test_a_network_is_built_site_by_site(lab: Lab) -> None:
    first = lab.wgorch("up", INVENTORY, "--yes", "--limit", "bcc,home")
    assert lab.world.ping("home", "192.168.2.1")
    assert "company" not in lab.world.sh("company", "ip -br link; cat /var/lib/wgorch/office/boot 2>/dev/null || true")
    assert "✗" not in first.stdout

    lab.wgorch("up", INVENTORY, "--yes", "--limit", "company")
    assert lab.world.ping("home", "10.10.13.61")
    assert "No changes." in lab.wgorch("plan", INVENTORY).stdout


def test_a_limited_verify_tests_the_paths_among_the_named_hosts(network: Lab) -> None:
    found = json.loads(network.wgorch("verify", INVENTORY, "--limit", "home,bcc", "--json").stdout)
    assert {"home": ["192.168.2.1"], "bcc": ["192.168.2.2"]} == {
        host: list(its) for host, its in found["pings"].items()
    }
    assert "no path to test" in network.wgorch("verify", INVENTORY, "--limit", "home").stdout


def test_a_file_that_lacks_the_key_of_an_absent_host_says_so(lab: Lab) -> None:
    with off(lab, "company"):
        lab.wgorch("up", INVENTORY, "--yes", code=7)
        done = lab.wgorch("export", "bcc", INVENTORY, code=7)
        hosts_only = lab.wgorch("export", "bcc", INVENTORY, "--qr", code=3)
    assert "PublicKey = <company>" in done.stdout
    assert "bcc.conf: not complete: replace <company> by the public key of that host" in done.stderr
    assert "only a device has a QR code" in hosts_only.stderr
    lab.wgorch("teardown", INVENTORY, "--yes", "--purge")


def test_a_key_is_rotated_while_another_host_is_off(network: Lab) -> None:
    with off(network, "company"):
        old = network.world.sh("bcc", "wg show wg0 public-key").strip()
        network.wgorch("rotate-key", "bcc", "--yes", "-i", INVENTORY, code=7)
        assert old != network.world.sh("bcc", "wg show wg0 public-key").strip()
        assert network.world.ping("home", "192.168.2.1")

    network.wgorch("up", INVENTORY, "--yes")
    assert network.world.ping("home", "10.10.13.61")


def test_a_relays_key_stays_while_a_host_behind_its_tunnel_is_off(network: Lab) -> None:
    ssh = "ssh: {host: 10.10.13.62, user: root, via: root@198.51.100.66}"
    inventory = network.edited((ssh, "ssh: {host: 192.168.2.3, user: root, via: root@203.0.113.13}"))
    before = network.world.sh("bcc", "wg show wg0 public-key")

    with off(network, "company"):
        done = network.wgorch("rotate-key", "bcc", "--yes", "-i", inventory, code=4)

    assert "company is absent, and SSH reaches it by the tunnel only" in done.stderr
    assert before == network.world.sh("bcc", "wg show wg0 public-key")


def test_teardown_goes_on_and_names_what_is_left(network: Lab) -> None:
    with off(network, "company"):
        done = network.wgorch("teardown", INVENTORY, "--yes", code=7)
    assert "absent: company: " in done.stdout
    assert "still has what wgorch set up" in done.stdout
    assert set(network.differences()) == {"company"}

    network.wgorch("teardown", INVENTORY, "--yes")
    assert {} == network.differences()


def test_a_path_that_was_broken_before_is_not_held_against_a_change(network: Lab) -> None:
    drop = "nft add table inet off; nft add chain inet off in '{ type filter hook input priority 0; policy drop; }'"
    network.world.sh("target", drop)
    try:
        done = network.wgorch(
            "up", network.edited(("  persistent_keepalive: 15", "  mtu: 1340\n  persistent_keepalive: 15")), "--yes"
        )
    finally:
        network.world.sh("target", "nft delete table inet off")
    assert "broken before this change, too" in done.stdout
    assert network.world.sh("home", "cat /sys/class/net/wg0/mtu").strip() == "1340"


def test_a_trace_names_the_host_that_was_not_asked(network: Lab) -> None:
    with off(network, "bcc"):
        done = network.wgorch("trace", "home", "10.10.13.61", INVENTORY, code=None)
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 7)
    assert "not observed" in done.stdout
    assert re.search(r"bcc.*(absent|not observed)", done.stdout)


def test_a_trace_does_not_blame_what_lies_behind_an_absent_gateway(network: Lab) -> None:
    drop = "nft add table inet off; nft add chain inet off in '{ type filter hook input priority 0; policy drop; }'"
    network.world.sh("target", drop)
    try:
        with off(network, "company"):
            done = network.wgorch("trace", "home", "10.10.13.61", INVENTORY, code=1)
    finally:
        network.world.sh("target", "nft delete table inet off")
    assert "company was not reached, so it is unknown how far the packet got" in done.stdout
    assert "check on 10.10.13.61" not in done.stdout


# --- eight sites

SITES = ["hub", *(f"s{number}" for number in range(1, 8))]


def eight(mtu: int, keepalive: int, lans: dict[str, int], port: int) -> str:
    """An inventory of a hub and seven sites behind NAT, each with a LAN."""
    lines = [f"network: {{name: eight, subnet: 10.88.0.0/24, mtu: {mtu}, persistent_keepalive: {keepalive}}}", "hosts:"]
    lines += ["  hub:", "    ssh: root@203.0.113.10", f'    endpoint: "203.0.113.10:{port}"', "    relay: true"]
    lines += ["    address: 10.88.0.1"]
    for number, site in enumerate(SITES[1:], 1):
        lines += [f"  {site}:", f"    ssh: root@172.30.{number}.2", f"    address: 10.88.0.{number + 1}"]
        lines += [f"    subnets: [172.30.{number}.0/24]"] if lans[site] else []
    return "\n".join(lines) + "\n"


ROUNDS = 50 if LONG else 3


@pytest.mark.parametrize("seed", draw([SEED % 1000 + n for n in range(2)], 1))
def test_sites_that_come_and_go_lose_no_edit(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    state = {"mtu": 1380, "keepalive": 20, "port": 51820}
    lans = dict.fromkeys(SITES, 1)
    path = tmp_path / "inventory.yaml"

    def text() -> str:
        return eight(state["mtu"], state["keepalive"], lans, state["port"])

    path.write_text(text())
    world = world_of(load(path), f"eight-{seed}-{os.getpid()}", systemd=False)
    with world:
        ways = Ways(world)
        ways.up()
        gone: list[str] = []
        for number in range(ROUNDS):
            for site in gone:
                world.start_sshd(site)
            gone = chance.sample(SITES[1:], 3)
            for site in gone:
                world.stop_sshd(site)
            edit = chance.choice(("mtu", "keepalive", "lan"))
            if edit == "lan":
                site = chance.choice(SITES[1:])
                lans[site] = 1 - lans[site]
            else:
                state[edit] = {"mtu": chance.randint(1300, 1400), "keepalive": chance.randint(10, 60)}[edit]
            world.write(world.layout.controller, f"{WHERE}/inventory.yaml", text())
            ways.up(code=7)
            said = ways.wgorch("status", "inventory.yaml", code=7)
            for site in SITES:
                assert_level(world, site, state, lans, gone, f"round {number} of seed {seed}: {edit}\n{said}")
            assert "drift" not in said, said
            assert sorted(gone) == sorted(re.findall(r"^absent: (\S+):", said, re.M))
        for site in gone:
            world.start_sshd(site)
        ways.up()
        for site in SITES:
            assert_level(world, site, state, lans, [], f"at the end of seed {seed}")
        assert "No changes." in ways.wgorch("plan", "inventory.yaml")


def assert_level(world, site: str, state: dict[str, int], lans: dict[str, int], gone: list[str], when: str) -> None:  # type: ignore[no-untyped-def]
    """A reached host is as the inventory says, by readings that share no code with the program."""
    if site in gone:
        return
    assert world.sh(site, "cat /sys/class/net/wg0/mtu").strip() == str(state["mtu"]), (site, when)
    reached = [f"172.30.{n}.0/24" for n, other in enumerate(SITES[1:], 1) if lans[other] and other != site]
    routes = re.findall(r"^(172\.30\.\d+\.0/24) dev wg0", world.sh(site, "ip route"), re.M)
    assert sorted(reached) == sorted(routes), (site, when)
    peers = world.sh(site, "wg show wg0 allowed-ips").strip().split("\n")
    assert len(peers) == (7 if site == "hub" else 1), (site, when, peers)
    if site != "hub":
        allowed = set(peers[0].split("\t")[1].split(" "))
        assert allowed == {"10.88.0.0/24", *reached}, (site, when)
    keepalives = set(re.findall(r"\t(\S+)$", world.sh(site, "wg show wg0 persistent-keepalive"), re.M))
    assert keepalives == ({"off"} if site == "hub" else {str(state["keepalive"])}), (site, when)
