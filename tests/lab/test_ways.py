"""Ways that an inventory may ask for, each in a world of its own and with real packets."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.conftest import ROOT
from wgorch.inventory.load import load
from wgorch.rehearsal.rehearse import WHERE, InventoryWorld, world_of
from wgorch.rehearsal.snapshot import KEYS_STAY, snapshot


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
        assert "0 changes" in w.wgorch("plan", "inventory.yaml")

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
        assert "0 changes" in w.wgorch("plan", "inventory.yaml")


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
        assert "0 changes" in w.wgorch("plan", "inventory.yaml")  # a new login, from outside, while all leaves by bcc
        w.wgorch("teardown", "inventory.yaml", "--yes")
        assert set(w.world.sh("home", "cat /proc/sys/net/ipv4/conf/eth0/rp_filter").split()) == {"1"}
        w.world.sh("home", "for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$f; done")


NAMED = """
network: {name: named, subnet: 10.99.8.0/24}
hosts:
  bcc: {ssh: root@203.0.113.13, endpoint: "relay.example:51820", relay: true}
  home: {ssh: root@192.168.7.7}
"""


def test_a_changed_name_is_followed_where_its_peer_is_silent(tmp_path: Path) -> None:
    path = tmp_path / "named.yaml"
    path.write_text(NAMED)
    with ways(path) as w:
        world = w.world
        first = str(world.layout.names["relay.example"])
        net, host = first.rpartition(".")[0], int(first.rpartition(".")[2])
        other, none = f"{net}.{host + 60}", f"{net}.{host + 70}"

        def moves(old: str, new: str) -> None:
            card = world.sh("bcc", f"ip -o address show to {old} | cut -d' ' -f2").strip()
            world.sh("bcc", f"ip address add {new}/24 dev {card}; ip address del {old}/24 dev {card}")
            world.sh(
                "bcc",
                f"ip address add {new}/24 dev {card} 2>/dev/null; ip route replace default via {net}.1 proto static",
                check=False,
            )

        def leads_to(address: str) -> None:
            world.sh("home", f"sed -i 's/^[0-9.]* relay.example/{address} relay.example/' /etc/hosts")

        told = w.up()
        assert "timer wgorch-named-watch.timer" in told
        assert "0 changes" in w.wgorch("plan", "inventory.yaml")
        assert "active" in world.sh("home", "systemctl is-active wgorch-named-watch.timer")
        world.sh("home", "systemd-analyze verify /etc/systemd/system/wgorch-named-watch.timer")

        moves(first, other)
        leads_to(other)
        began = time.monotonic()
        while not w.ping("home", "10.99.8.1", wait=1) and time.monotonic() - began < 125:
            time.sleep(1)
        took = time.monotonic() - began
        print(f"followed after {took:.0f} s")
        assert took < 120
        assert f"{other}:51820" in world.sh("home", "wg show wg0 endpoints")

        # A peer that answers is left alone, wherever its name leads now.
        leads_to(none)
        world.sh("home", "sh /var/lib/wgorch/named/watch")
        assert f"{other}:51820" in world.sh("home", "wg show wg0 endpoints")
        moves(other, first)
        leads_to(first)


SECRETS = """
network: {name: secret, subnet: 10.99.9.0/24, preshared_keys: true}
hosts:
  bcc: {ssh: root@203.0.113.13, endpoint: "203.0.113.13:51820", relay: true}
  home:
    ssh: root@192.168.7.7
    private_key: {file: /etc/key}
  office:
    ssh: root@192.168.8.8
verify: [home -> office]
"""


def test_preshared_keys_and_a_key_from_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "secret.yaml"
    path.write_text(SECRETS)
    with ways(path) as w:
        world, person = w.world, w.world.layout.controller
        absent = w.wgorch("up", "inventory.yaml", "--yes", code=None)
        assert "cat /etc/key" in absent
        world.sh("home", "umask 077; wg genkey >/etc/key")
        assert "+ private key" in w.up("-vv")
        public = world.sh("home", "wg pubkey </etc/key").strip()
        assert public == world.sh("home", "wg show wg0 public-key").strip()

        def nonce_hash(host: str) -> set[str]:
            lines = world.sh(host, "wg show wg0 preshared-keys").split("\n")
            secrets = {line.split("\t")[1] for line in lines if line}
            assert "(none)" not in secrets
            return {hashlib.sha256(f"nonce {s}".encode()).hexdigest() for s in secrets}

        assert nonce_hash("home") < nonce_hash("bcc")
        assert nonce_hash("office") < nonce_hash("bcc")
        assert not nonce_hash("home") & nonce_hash("office")
        assert w.ping("home", "10.99.9.3")
        assert "0 changes" in w.wgorch("plan", "inventory.yaml")
        shown = w.up("-vv")
        for secret in world.sh("bcc", "cat /var/lib/wgorch/secret/psk.*").split():
            assert secret not in shown
            found = world.sh(person, f"grep -rl '{secret}' /root/.local /root/.ssh {WHERE} 2>/dev/null", check=False)
            assert not found.strip()

        # Drift, and mended: the other end gets the new one, too.
        world.sh("home", "rm /var/lib/wgorch/secret/psk.*")
        assert "preshared key" in w.wgorch("plan", "inventory.yaml", code=2)
        w.up()
        assert nonce_hash("home") < nonce_hash("bcc")

        # What the key comes from has another one: asked for consent, proven, and the old one is gone.
        world.sh("home", "umask 077; wg genkey >/etc/key")
        refused = w.wgorch("up", "inventory.yaml", "--yes", code=4)
        assert "--accept-new-key home" in refused
        w.up("--accept-new-key", "home")
        assert world.sh("home", "wg pubkey </etc/key") == world.sh("home", "wg show wg0 public-key")
        assert world.sh(
            "home", "cmp /etc/key /var/lib/wgorch/secret/private_key && ls /var/lib/wgorch/secret/private_key*"
        ).split() == ["/var/lib/wgorch/secret/private_key"]
        assert "0 changes" in w.wgorch("plan", "inventory.yaml")

        # And no more of it.
        w.edit((", preshared_keys: true", ""))
        w.up()
        assert not world.sh("bcc", "ls /var/lib/wgorch/secret/psk.* 2>/dev/null", check=False).strip()
        assert "(none)" in world.sh("home", "wg show wg0 preshared-keys")


def test_keys_end_too() -> None:
    with ways("home-company.yaml") as w:
        world = w.world
        w.up()
        for host in ("home", "bcc"):
            old = world.sh(host, "wg show wg0 public-key").strip()
            kept = world.sh(host, "cat /var/lib/wgorch/office/private_key").strip()
            lost, gap = lost_while(w, "home", "10.10.13.61", ("rotate-key", host, "-i", "inventory.yaml", "--yes"))
            print(f"new key for {host}: {lost} pings of one every 20 ms lost, longest gap {gap:.2f} s")

            new = world.sh(host, "wg show wg0 public-key").strip()
            assert new != old
            assert kept not in world.sh(host, "cat /var/lib/wgorch/office/*", check=False)
            assert all(old not in world.sh(other, "wg show wg0 peers") for other in ("bcc", "home", "company"))
            assert "0 changes" in w.wgorch("plan", "inventory.yaml")
            assert gap < 6
            world.reboot(host)
            began = time.monotonic()
            while not w.ping("home", "10.10.13.61", wait=1) and time.monotonic() - began < 40:
                time.sleep(0.5)
            assert world.sh(host, "wg show wg0 public-key").strip() == new


def test_a_rotation_that_fails_leaves_the_old_key() -> None:
    with ways("home-company.yaml") as w:
        world = w.world
        w.up()
        old = world.sh("home", "wg show wg0 public-key").strip()
        world.sh(
            "internet",
            "iptables -I FORWARD -p udp --dport 38371 -j DROP; iptables -I FORWARD -p udp --sport 38371 -j DROP",
        )
        w.wgorch("rotate-key", "home", "-i", "inventory.yaml", "--yes", code=5)
        world.sh("internet", "iptables -F FORWARD")

        assert world.sh("home", "wg show wg0 public-key").strip() == old
        assert old in world.sh("bcc", "wg show wg0 peers")
        assert "0 changes" in w.wgorch("plan", "inventory.yaml")
        assert w.ping("home", "10.10.13.61", wait=6)


def test_two_lans_with_the_same_addresses() -> None:
    with ways("overlapping-lans.yaml") as w:
        told = w.up()
        world = w.world
        assert "NETMAP" in world.sh("left", "iptables-save -t nat")
        lans = {
            n: next(c for c in world.machines[n].cards if c.addresses[0].startswith("192.168.1."))
            for n in world.machines
            if any(c.addresses and c.addresses[0].startswith("192.168.1.") for c in world.machines[n].cards)
        }
        there = {n: card.addresses[0].partition("/")[0] for n, card in lans.items()}
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


def test_a_narrow_way_is_found_and_used(lab) -> None:  # type: ignore[no-untyped-def]
    """Over 1400 and 1280, with ICMP and without."""
    world = lab.world
    for mtu, block in ((1400, ""), (1280, ""), (1400, "-p icmp --icmp-type fragmentation-needed"), (1400, "-p icmp")):
        world.sh("home-router", f"ip link set wan mtu {mtu}")
        world.sh("internet", f"ip link set home mtu {mtu}")
        for router in ("internet", "home-router"):
            if block:
                world.sh(router, f"iptables -I FORWARD {block} -j DROP; iptables -I OUTPUT {block} -j DROP")
        try:
            lab.up()
            tunnel = mtu - 60
            if block == "-p icmp":
                # Only the tunnel itself shows what fits, and WireGuard pads what it carries to 16 bytes.
                tunnel -= tunnel % 16
            assert f" mtu {tunnel} " in world.sh("home", "ip link show wg0"), (mtu, block)
            for host in ("bcc", "company"):
                assert f" mtu {tunnel} " in world.sh(host, "ip link show wg0")
            target = "10.10.13.61"
            assert world.ping("home", target, "-M", "do", "-s", str(tunnel - 28)), (mtu, block)
            larger = world.run("home", "ping", "-n", "-c", "1", "-M", "do", "-s", str(tunnel - 27), target, check=False)
            assert re.search(rf"mtu[ =:]*{tunnel}\b", larger.stdout + larger.stderr)
            assert world.ping("home", target, "-s", "1472")
            assert world.ask("home", "tcp", target, text="send 10000000") == "all"
            assert "0 changes" in lab.wgorch("plan", ROOT / "inventory" / "home-company.yaml").stdout
        finally:
            lab.wgorch("teardown", ROOT / "inventory" / "home-company.yaml", "--yes", "--purge", code=None)
            for router in ("internet", "home-router"):
                if block:
                    world.sh(router, f"iptables -D FORWARD {block} -j DROP; iptables -D OUTPUT {block} -j DROP")
            world.sh("home-router", "ip link set wan mtu 1500")
            world.sh("internet", "ip link set home mtu 1500")
            world.sh("home", "ip route flush cache")


def test_ipv6_inside_is_refused_where_the_way_is_too_narrow_for_it(lab) -> None:  # type: ignore[no-untyped-def]
    world = lab.world
    world.sh("home-router", "ip link set wan mtu 1280")
    world.sh("internet", "ip link set home mtu 1280")
    try:
        both = lab.edited(("subnet: 192.168.2.0/24 ", "subnet: [192.168.2.0/24, 'fd00:2::/64'] "))
        both.write_text(re.sub(r"    address: .*\n", "", both.read_text()))
        refused = lab.wgorch("up", both, "--yes", code=4)
        assert "leaves 1220 bytes in the tunnel; IPv6 needs 1280" in refused.stderr
    finally:
        world.sh("home-router", "ip link set wan mtu 1500")
        world.sh("internet", "ip link set home mtu 1500")
