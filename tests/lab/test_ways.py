"""Ways that an inventory may ask for, each in a world of its own and with real packets."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab.conftest import ROOT
from wgorch.inventory.load import load
from wgorch.rehearsal.inventory_world import WHERE, InventoryWorld, world_of
from wgorch.rehearsal.snapshot import KEYS_STAY, snapshot

pytestmark = pytest.mark.slow(90)


class Ways:
    """An inventory's world, with wgorch run in it."""

    def __init__(self, world: InventoryWorld) -> None:
        self.world = world

    def wgorch(self, *words: str, code: int | None = 0) -> str:
        done = subprocess.run(self.world.wgorch(*words), capture_output=True, text=True, timeout=300, check=False)
        if code is not None:
            assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def up(self, *words: str, code: int | None = 0) -> str:
        return self.wgorch("up", "inventory.yaml", "--yes", *words, code=code)

    def edit(self, *replacements: tuple[str, str]) -> None:
        """Replace text in the inventory of the person in the world."""
        path = f"{WHERE}/inventory.yaml"
        text = self.world.run(self.world.layout.controller, "cat", path).stdout
        for old, new in replacements:
            assert old in text, old
            text = text.replace(old, new)
        self.world.write(self.world.layout.controller, path, text)

    def ping(self, machine: str, address: str, *options: str, wait: int = 2) -> bool:
        argv = ("ping", "-n", "-c", "1", "-W", str(wait), *options, address)
        return self.world.run(machine, *argv, check=False).returncode == 0


@contextmanager
def ways(inventory: str | Path, *, hard_nat: bool = False) -> Iterator[Ways]:
    """The world of an example, or of an inventory file."""
    path = ROOT / "inventory" / inventory
    world = world_of(load(path), f"ways-{os.getpid()}", hard_nat=hard_nat)
    with world:
        before = {name: snapshot(world, name) for name in load(path).hosts}
        made = Ways(world)
        yield made
        made.wgorch("teardown", "inventory.yaml", "--yes")
        ignore = (*KEYS_STAY, "/root/rehearsal", "/root/.local", "/etc/key", "/etc/hosts")
        left = {n: then.difference(snapshot(world, n), ignore=ignore) for n, then in before.items()}
        assert not any(left.values()), left


def lost_while(ways: Ways, machine: str, address: str, words: tuple[str, ...]) -> tuple[int, float]:
    """Pings lost (of one every 20 ms) while wgorch does something, and the longest gap in seconds."""
    script = f"echo $$ >/run/pinging; exec ping -n -D -i 0.02 -W 1 {address} >/run/pinged"
    pinging = ways.world.spawn(machine, "sh", "-c", script)
    time.sleep(0.5)
    try:
        ways.wgorch(*words)
        time.sleep(0.5)
    finally:
        out = ways.world.sh(
            machine, "kill -INT $(cat /run/pinging); sleep 0.3; cat /run/pinged; rm /run/pinged /run/pinging"
        )
        pinging.wait(10)
    times = [float(t) for t in re.findall(r"^\[([\d.]+)\]", out, re.M)]
    counts = re.search(r"(\d+) packets transmitted, (\d+) received", out)
    assert counts and len(times) > 20, out
    gap = max(b - a for a, b in zip(times, times[1:], strict=False))
    return int(counts[1]) - int(counts[2]), gap


def test_two_hosts_behind_nat_leave_their_relay_out_and_come_back_to_it_where_that_way_dies() -> None:
    with ways("direct-try.yaml") as w:
        world = w.world
        w.edit(("  direct: try\n", ""))
        assert "without the relay" not in w.up()
        w.edit(("  preshared_keys: true", "  direct: try\n  preshared_keys: true"))
        lost, gap = lost_while(w, "home", "10.20.0.61", ("up", "inventory.yaml", "--yes", "--try-direct"))
        print(f"made direct: {lost} pings of one every 20 ms lost, longest gap {gap:.2f} s")
        assert gap < 2

        relayed = world.sh("bcc", "wg show wg0 transfer")
        assert w.ping("home", "10.20.0.61")
        assert w.ping("company", "10.99.6.2")
        assert not _grew(relayed, world.sh("bcc", "wg show wg0 transfer"), 80)
        assert re.search(r"company\s+198\.51\.100\.32:\d+ .*direct", w.wgorch("status", "inventory.yaml"))
        assert "No changes." in w.wgorch("plan", "inventory.yaml")

        # The boot program knows nothing of it, so after a start it is the relay; the other end notices.
        assert "198.51.100" not in world.sh("home", "cat /var/lib/wgorch/straight/boot")
        world.sh(
            "home-router", "iptables -I FORWARD -d 198.51.100.32 -j DROP; iptables -I FORWARD -s 198.51.100.32 -j DROP"
        )
        assert not w.ping("home", "10.20.0.61")
        # Three minutes of silence are WireGuard's own limit; the test does not wait for them.
        for host in ("home", "company"):
            world.sh(
                host, "sed -i 's/-ge 180/-ge 0/' /var/lib/wgorch/straight/watch; sh /var/lib/wgorch/straight/watch"
            )
        assert w.ping("home", "10.20.0.61", wait=6)
        assert "via bcc" in w.wgorch("status", "inventory.yaml", code=2)
        w.up()


def _grew(before: str, after: str, most: int) -> bool:
    def total(text: str) -> int:
        return sum(int(number) for number in re.findall(r"\t(\d+)", text))

    # Keepalives and their handshakes may pass meanwhile; two pings would be more than this.
    return total(after) - total(before) > most * 2


def test_hard_nat_keeps_them_on_the_relay_and_says_why() -> None:
    with ways("direct-try.yaml", hard_nat=True) as w:
        told = w.up()

        assert "home <-> company: stays on the relay: no handshake within" in told
        assert w.ping("home", "10.20.0.61")
        assert 1 == len(w.world.sh("home", "wg show wg0 peers").split())
        assert "No changes." in w.wgorch("plan", "inventory.yaml")


def test_everything_leaves_through_the_exit_and_nothing_leaks() -> None:
    with ways("full-tunnel.yaml") as w:
        world = w.world
        server, far = "server-192-0-2-80", "192.0.2.80"
        seen = world.spawn(server, "sh", "-c", "echo $$ >/run/tcpdump.pid; exec tcpdump -n -l -i eth0 -c 2 icmp")
        assert "nameserver" not in world.sh("laptop", "cat /etc/resolv.conf")
        told = w.up()
        assert "rule -4 11902" in told

        try:
            assert w.ping("laptop", far)
            out, _ = seen.communicate(timeout=10)
        finally:
            world.sh(server, "kill $(cat /run/tcpdump.pid)", check=False)
            seen.wait(5)
        assert f"203.0.113.13 > {far}" in out
        assert "192.0.2.53" in world.sh("laptop", "cat /etc/resolv.conf")
        # There is no IPv6 in this tunnel: it is stopped at once, whatever way the laptop has for it.
        world.sh("laptop", "ip -6 address add 2001:db8:77::9/64 dev eth0; ip -6 route add default via 2001:db8:77::1")
        refused = world.run("laptop", "ping", "-6", "-c", "1", "-W", "1", "2001:db8:1::1", check=False)
        assert "No route to host" in refused.stdout + refused.stderr
        # With the tunnel gone (not torn down), nothing leaves another way.
        world.sh("laptop", "ip link set wg0 down")
        assert not w.ping("laptop", far)
        assert "~ interface wg0" in w.wgorch("plan", "inventory.yaml", code=2)
        world.sh("laptop", "ip -6 address del 2001:db8:77::9/64 dev eth0; ip -6 route flush default", check=False)
        w.up()
        assert w.ping("laptop", far)


BOTH_KINDS = """
network: {name: both, subnet: [10.99.4.0/24, "fd00:99::/64"]}
hosts:
  bcc: {ssh: "root@[2001:db8:13::13]", endpoint: "[2001:db8:13::13]:51820"}
  home: {ssh: root@192.168.7.7, exit: bcc}
verify: [home -> 2001:db8:80::80]
"""


def test_ipv6_leaves_through_the_exit_where_it_has_a_way(tmp_path: Path) -> None:
    path = tmp_path / "both.yaml"
    path.write_text(BOTH_KINDS)
    with ways(path) as w:
        w.up()
        server = next(name for name in w.world.machines if name.startswith("server-"))
        seen = w.world.spawn(
            server, "sh", "-c", "echo $$ >/run/tcpdump.pid; exec tcpdump -n -l -i eth0 -c 1 icmp6 and 'ip6[40] == 128'"
        )
        try:
            time.sleep(0.5)
            assert w.ping("home", "2001:db8:80::80", "-6")
            out, _ = seen.communicate(timeout=10)
        finally:
            w.world.sh(server, "kill $(cat /run/tcpdump.pid)", check=False)
            seen.wait(5)
        assert "2001:db8:13::13 > 2001:db8:80::80" in out


FROM_OUTSIDE = """
network: {name: away, subnet: 10.99.4.0/24}
hosts:
  bcc: {ssh: root@203.0.113.13, endpoint: "203.0.113.13:51820"}
  home: {ssh: root@198.51.100.31, exit: bcc}
verify: [home -> 192.0.2.80]
"""


def test_a_session_from_outside_survives_a_full_tunnel_even_with_strict_reverse_path_filters(tmp_path: Path) -> None:
    path = tmp_path / "outside.yaml"
    path.write_text(FROM_OUTSIDE)
    with ways(path) as w:
        w.world.sh("home", "for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 1 >$f; done")
        w.up()
        assert "No changes." in w.wgorch("plan", "inventory.yaml")  # a new login, from outside, while all leaves by bcc
        w.wgorch("teardown", "inventory.yaml", "--yes")
        assert set(w.world.sh("home", "cat /proc/sys/net/ipv4/conf/eth0/rp_filter").split()) == {"1"}
        w.world.sh("home", "for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$f; done")


def test_two_lans_with_the_same_addresses() -> None:
    with ways("overlapping-lans.yaml") as w:
        told = w.up()
        world = w.world
        assert "NETMAP" in world.sh("left", "iptables-save -t nat")
        lans = {
            n: next(i for i in world.machines[n].interfaces if i.addresses[0].startswith("192.168.1."))
            for n in world.machines
            if any(i.addresses and i.addresses[0].startswith("192.168.1.") for i in world.machines[n].interfaces)
        }
        there = {n: interface.addresses[0].partition("/")[0] for n, interface in lans.items()}
        one, other = sorted(name for name in there if name.startswith("machine-"))
        if lans[one].segment != lans["left"].segment:
            one, other = other, one
        assert lans[one].segment == lans["left"].segment != lans["right"].segment == lans[other].segment
        # What begins in one LAN arrives in the other; each calls the other by the name that it has in the tunnel.
        for source, gateway, goal in (
            (one, "left", f"10.99.102.{there[other].split('.')[3]}"),
            (other, "right", f"10.99.101.{there[one].split('.')[3]}"),
        ):
            world.sh(source, f"ip route replace {goal}/32 via {there[gateway]}")
            assert w.ping(source, goal), (source, goal)
        assert "(as 10.99.102.61)" in told
