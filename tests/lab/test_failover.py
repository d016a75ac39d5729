"""Several relays: what happens to packets when one fails, is drained or returns; and what verify says of a broken spare.

home ── NAT ──┬── bcc  ══╗
company ─ NAT ┴── bcc2 ══╝      10.10.13.61 in company's LAN
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import draw
from tests.lab.streams import Counted, counted, talking
from wgorch.inventory.load import load
from wgorch.rehearsal.inventory_world import WHERE, InventoryWorld, world_of

pytestmark = pytest.mark.slow(60)

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = (ROOT / "inventory" / "two-relays.yaml").read_text()
HOSTS = ("bcc", "bcc2", "home", "company")
TARGET, MACHINE = "10.10.13.61", "machine-10-10-13-61"
QUICK = "failover: {interval: 1s, misses: 3, back: 5s}"
BACK_S = 40
"""Seconds within which hosts are back at the preferred relay: 5 s of replies, behind those until no loss is left."""


class Network:
    """A world, with wgorch run on its controller."""

    def __init__(self, world: InventoryWorld) -> None:
        self.world = world

    def wgorch(self, *words: str, code: int | None = 0) -> str:
        done = subprocess.run(self.world.wgorch(*words), capture_output=True, text=True, timeout=300, check=False)
        assert code is None or done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def edit(self, text: str) -> None:
        self.world.write("controller", f"{WHERE}/inventory.yaml", text)

    def relay_of(self, host: str) -> str:
        """The relay whose interface the routes of a host lead into."""
        route = self.world.sh(host, f"ip route get {'192.168.2.99'}")
        return "bcc2" if " dev wg0b " in route else "bcc" if " dev wg0 " in route else route

    def wait(self, relay: str, *hosts: str, within: float = BACK_S) -> None:
        end = time.monotonic() + within
        while any(self.relay_of(host) != relay for host in hosts):
            assert time.monotonic() < end, {host: self.relay_of(host) for host in hosts}
            time.sleep(0.3)

    def settle(self) -> None:
        """Wait until all use the preferred relay, and nothing takes a detour; without what they remember of earlier failures."""
        for host in ("home", "company"):
            self.world.sh(host, "rm -f /run/wgorch-office/active; systemctl restart wgorch-office-failover")
        self.wait("bcc", "home", "company")
        end = time.monotonic() + BACK_S
        while self.world.sh("bcc", "cat /run/wgorch-office/detours") + self.world.sh(
            "bcc2", "cat /run/wgorch-office/detours"
        ):
            assert time.monotonic() < end
            time.sleep(0.3)

    @contextmanager
    def cut(self, *drops: tuple[str, str]) -> Iterator[None]:
        """Drop packets: pairs of a host and of the end of rules of iptables, which both directions of a cut need."""
        for host, rule in drops:
            self.world.sh(host, f"iptables -t raw -I {rule} -j DROP")
        try:
            yield
        finally:
            for host, rule in drops:
                self.world.sh(host, f"iptables -t raw -D {rule} -j DROP")
            for host in {host for host, _ in drops}:
                self.world.sh(host, "nft delete table ip raw")  # it was not there before

    def public(self, host: str) -> str:
        """The address that a relay sees a host under."""
        shown = self.world.sh("bcc", "wg show wg0")
        blocks = shown.split("peer: ")[1:]
        inner = {"home": "192.168.2.3/32", "company": "10.10.13.0/24"}[host]
        return next(b.split("endpoint: ")[1].split(":")[0] for b in blocks if inner in b)


@contextmanager
def built(text: str, place: Path, name: str, **options: bool) -> Iterator[Network]:
    path = place / "inventory.yaml"
    path.write_text(text)
    with world_of(load(path), f"{name}-{os.getpid()}", **options) as world:
        yield Network(world)


def quick(text: str = EXAMPLE) -> str:
    return text.replace("# failover: {interval: 1s, misses: 3, back: 60s}    # the defaults", QUICK)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with built(quick(), tmp_path_factory.mktemp("failover"), "failover") as network:
        network.wgorch("up", "inventory.yaml", "--yes")
        time.sleep(3)
        yield network


@pytest.fixture
def network(office: Network) -> Network:
    office.settle()
    return office


@contextmanager
def streams(network: Network, rate: int) -> Iterator[tuple[Counted, Counted, list[float | None]]]:
    """UDP both ways and a TCP connection between home and a machine in company's LAN, as long as the block runs.

    The way back is what the machine's own packets take: it sends to home's address in the tunnel by company.
    """
    world = network.world
    world.sh(MACHINE, "ip route replace 192.168.2.0/24 via 10.10.13.62")
    with (
        talking(world, "home", MACHINE, TARGET) as gaps,
        counted(world, "home", MACHINE, TARGET, (5001,), rate) as there,
        counted(world, MACHINE, "home", "192.168.2.3", (5004,), rate) as back,
    ):
        yield there, back, gaps


def outage_s(stream: Counted, port: int, rate: int) -> float:
    """The longest time in which nothing arrived."""
    seen = stream.arrived[port]
    ends = [-1, *seen, stream.sent]
    return max(b - a - 1 for a, b in zip(ends, ends[1:], strict=False)) / rate


def all_of(card: str = "eth0") -> list[str]:
    return [f"PREROUTING -i {card}", f"OUTPUT -o {card}"]


Drops = Callable[[Network], list[tuple[str, str]]]

CUTS: dict[str, tuple[Drops, float, float]] = {
    "its uplink": (lambda n: [("bcc", rule) for rule in all_of()], 5.0, 7.5),
    "its UDP": (lambda n: [("bcc", f"{rule} -p udp") for rule in all_of()], 5.0, 7.5),
    "the link to company": (
        lambda n: [("bcc", f"PREROUTING -s {n.public('company')}"), ("bcc", f"OUTPUT -d {n.public('company')}")],
        6.0,
        8.5,
    ),
    "the link to home": (
        lambda n: [("bcc", f"PREROUTING -s {n.public('home')}"), ("bcc", f"OUTPUT -d {n.public('home')}")],
        6.0,
        8.5,
    ),
    "the way to company alone": (lambda n: [("bcc", f"OUTPUT -d {n.public('company')}")], 10.0, 15.0),
    "two links of two relays": (
        lambda n: [
            *(("bcc", rule) for rule in (f"PREROUTING -s {n.public('home')}", f"OUTPUT -d {n.public('home')}")),
            *(("bcc2", rule) for rule in (f"PREROUTING -s {n.public('company')}", f"OUTPUT -d {n.public('company')}")),
        ],
        7.0,
        10.0,
    ),
}
"""What of bcc fails: the drops, and the longest outage of UDP and of TCP, in seconds."""


@pytest.mark.parametrize("kind", draw(list(CUTS), 2))
def test_when_a_relay_or_a_link_fails_traffic_goes_on(network: Network, kind: str) -> None:
    drops, udp, tcp = CUTS[kind]
    cut = drops(network)
    with streams(network, 50) as (there, back, gaps):
        time.sleep(1)
        with network.cut(*cut):
            time.sleep(udp + 6)
    assert None not in gaps, "the TCP connection broke"
    assert max(outage_s(there, 5001, 50), outage_s(back, 5004, 50)) <= udp
    assert max(gap for gap in gaps if gap) <= tcp


def test_a_relay_whose_process_is_killed(network: Network) -> None:
    world = network.world
    with streams(network, 50) as (there, back, gaps):
        time.sleep(1)
        world.sh("bcc", "pkill -9 wireguard-go")
        time.sleep(9)
    assert None not in gaps
    assert max(outage_s(there, 5001, 50), outage_s(back, 5004, 50)) <= 5
    said = network.wgorch("status", "inventory.yaml", code=2)
    assert "home uses bcc2 by wg0b" in said
    network.wgorch("up", "inventory.yaml", "--yes")
    network.settle()


def test_a_drained_relay_is_left_and_taken_again_without_a_lost_packet(network: Network) -> None:
    with streams(network, 200) as (there, back, gaps):
        time.sleep(1)
        said = network.wgorch("drain", "bcc", "-i", "inventory.yaml")
        network.wait("bcc2", "home", "company", within=10)
        assert "bcc forwards nothing" in said
        # It is kept by what comes later.
        assert "No changes." in network.wgorch("up", "inventory.yaml", "--yes")
        assert "bcc is drained, by root@controller" in network.wgorch("status", "inventory.yaml")
        network.wgorch("verify", "inventory.yaml")
        refused = network.wgorch("drain", "bcc2", "-i", "inventory.yaml", code=3)
        assert "bcc2 is the last relay of home, company" in refused
        network.wgorch("undrain", "bcc", "-i", "inventory.yaml", "--yes")
        network.wait("bcc", "home", "company", within=60)
        time.sleep(1)
    assert (there.lost(5001), back.lost(5004)) == (0, 0)
    assert None not in gaps


def _port(network: Network) -> None:
    port, other = "38371", "38399"
    for text in (quick().replace(port, other), quick()):
        network.edit(text)
        network.wgorch("up", "inventory.yaml", "--yes")


def _key(network: Network) -> None:
    network.wgorch("rotate-key", "bcc", "-i", "inventory.yaml", "--yes")


def _reboot(network: Network) -> None:
    network.world.reboot("bcc")
    network.wgorch("verify", "inventory.yaml")


@pytest.mark.parametrize("change", draw([_port, _key, _reboot], 1))
def test_a_drained_relay_changes_without_a_lost_packet(network: Network, change: Callable[[Network], None]) -> None:
    network.wgorch("drain", "bcc", "-i", "inventory.yaml")
    network.wait("bcc2", "home", "company", within=10)
    with streams(network, 200) as (there, back, gaps):
        time.sleep(1)
        change(network)
        network.wgorch("undrain", "bcc", "-i", "inventory.yaml", "--yes")
        network.wait("bcc", "home", "company", within=60)
        time.sleep(1)
    assert (there.lost(5001), back.lost(5004)) == (0, 0)
    assert None not in gaps


def test_one_host_leaves_a_relay(network: Network) -> None:
    with streams(network, 200) as (there, back, gaps):
        network.wgorch("drain", "home", "--from", "bcc", "-i", "inventory.yaml")
        network.wait("bcc2", "home", within=5)
        time.sleep(6)
        assert network.relay_of("company") == "bcc"
        assert "bcc does not hear home" in network.wgorch("status", "inventory.yaml")
        traced = network.wgorch("trace", "home", TARGET)
        assert "home.wg0b" in traced
        assert "reachable" in traced
        network.wgorch("undrain", "home", "--from", "bcc", "-i", "inventory.yaml")
        network.wait("bcc", "home", within=60)
    assert (there.lost(5001), back.lost(5004)) == (0, 0)
    assert None not in gaps


def test_the_failover_script_survives_its_own_end(network: Network) -> None:
    world = network.world
    world.sh("home", "pkill -9 -f '^/bin/sh /var/lib/wgorch/office/failover'")
    world.sh("home", "pkill -9 -f 'ping -n -O'", check=False)
    time.sleep(4)
    with network.cut(*(("bcc", rule) for rule in all_of())):
        network.wait("bcc2", "home", within=15)
        assert world.run("home", "ping", "-c", "3", "-W", "2", TARGET, check=False).returncode == 0
    network.settle()


def test_a_start_with_the_preferred_relay_dead(network: Network) -> None:
    world = network.world
    with network.cut(*(("bcc", rule) for rule in all_of())):
        network.wait("bcc2", "company", within=15)
        world.reboot("home")
        began = time.monotonic()
        while world.run("home", "ping", "-c", "1", "-W", "1", TARGET, check=False).returncode:
            assert time.monotonic() - began < 25
    network.settle()
    assert "No changes." in network.wgorch("up", "inventory.yaml", "--yes")


def test_a_relay_that_is_rebooted_comes_back(network: Network) -> None:
    world = network.world
    with streams(network, 50) as (there, back, gaps):
        time.sleep(1)
        world.reboot("bcc")
        time.sleep(10)
    assert None not in gaps
    assert max(outage_s(there, 5001, 50), outage_s(back, 5004, 50)) <= 6
    network.settle()
    assert "No changes." in network.wgorch("up", "inventory.yaml", "--yes")
    network.wgorch("verify", "inventory.yaml")


SPARES = {
    "rule": "iptables -I INPUT -i wg0b -j DROP",
    "rp_filter": "echo 1 >/proc/sys/net/ipv4/conf/wg0b/rp_filter",
    "address": "ip address delete 192.168.2.3/32 dev wg0b",
    "key": "wg genkey >/run/other && wg set wg0b private-key /run/other",
    "port": "iptables -I OUTPUT -p udp --sport 51821 -j DROP",
    "route": "ip route add blackhole 198.51.100.14/32",
    "allowed-ips": "wg set wg0b peer $(wg show wg0b peers) allowed-ips 192.0.2.1/32",
}
"""How the spare of home breaks, by what is wrong."""


@pytest.mark.parametrize("kind", draw(list(SPARES), 2, salt="spares"))
def test_verify_names_a_broken_spare_before_it_is_needed(network: Network, kind: str) -> None:
    network.world.sh("home", SPARES[kind])
    if kind == "key":
        network.world.sh("home", "ip link set wg0b down; ip link set wg0b up")  # what lives on for minutes ends now
        network.world.sh("home", "ip route replace 192.168.2.0/24 dev wg0b metric 501 proto 119", check=False)
    try:
        said = network.wgorch("verify", "inventory.yaml", code=1)
        assert "relay bcc2 does not reply by wg0b" in said or "no handshake with bcc2" in said
    finally:
        for mending in (
            "iptables -D INPUT -i wg0b -j DROP",
            "iptables -D OUTPUT -p udp --sport 51821 -j DROP",
            "ip route delete blackhole 198.51.100.14/32",
        ):
            network.world.sh("home", mending, check=False)
        network.wgorch("up", "inventory.yaml", "--yes")
    network.wgorch("verify", "inventory.yaml")


def test_a_route_that_was_pinned_by_hand_is_found_and_moves_again(network: Network) -> None:
    pinned = network.world.sh("home", "ip route show | grep -m1 ' nhid '").split()
    network.world.sh("home", f"ip route replace {pinned[0]} dev wg0 proto 119")
    assert f"route {pinned[0]}" in network.wgorch("plan", "inventory.yaml", code=None)
    network.wgorch("up", "inventory.yaml", "--yes")
    assert " nhid " in network.world.sh("home", f"ip route show {pinned[0]}")


def test_a_device_that_disappears_is_replaced_at_once(network: Network) -> None:
    world = network.world
    with streams(network, 50) as (there, _back, gaps):
        time.sleep(1)
        world.sh("home", "ip link delete wg0")
        time.sleep(8)
    assert None not in gaps
    assert outage_s(there, 5001, 50) <= 1
    network.wgorch("up", "inventory.yaml", "--yes")
    network.settle()
