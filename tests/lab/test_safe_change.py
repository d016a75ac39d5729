"""A change that goes wrong takes itself back: failures, cuts, a dead controller, two operators, hostile hosts."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.conftest import draw
from tests.lab.conftest import HOSTS, INVENTORY, Lab
from wgorch.rehearsal.snapshot import KEYS_STAY

pytestmark = pytest.mark.slow(210)

LEASE = "10"


@pytest.fixture(autouse=True, params=draw(["paramiko", "openssh"], 1, salt="client"))
def either_client(lab: Lab, request: pytest.FixtureRequest) -> Iterator[None]:
    """A change is as safe by either SSH client."""
    lab.client = request.param
    yield
    lab.client = ""


@pytest.mark.parametrize("host", HOSTS)
def test_a_step_that_fails_on_one_host_takes_all_back(lab: Lab, host: str) -> None:
    done = lab.wgorch("up", INVENTORY, "--yes", "--playbooks", lab.with_run("false", host), code=5)

    assert f"{host}: cannot add run fault" in done.stdout + done.stderr
    assert {} == lab.differences()


def test_an_unreachable_host_stops_everything_if_strict(lab: Lab) -> None:
    lab.world.stop_sshd("company")
    try:
        done = lab.wgorch("up", INVENTORY, "--yes", "--strict", code=4)
    finally:
        lab.world.start_sshd("company")

    assert "company: cannot connect" in done.stderr
    assert {} == lab.differences(ignore=())


CUTS = {
    "firewall": (
        "iptables -I INPUT -p tcp --dport 22 -j DROP",
        "iptables -D INPUT -p tcp --dport 22 -j DROP; nft delete table ip filter",
    ),
    "route": ("ip route replace blackhole 192.168.0.20/32", "ip route delete blackhole 192.168.0.20/32"),
    # Two hops away: what bcc sends dies at the first router.
    "sysctl": ("echo 1 >/proc/sys/net/ipv4/ip_default_ttl", "echo 64 >/proc/sys/net/ipv4/ip_default_ttl"),
}


@pytest.mark.parametrize("cut", draw(sorted(CUTS), 1))
def test_a_change_that_cuts_ssh_is_taken_back_within_its_lease(lab: Lab, cut: str) -> None:
    command, undo = CUTS[cut]
    host, address = ("bcc", "203.0.113.13") if cut == "sysctl" else ("home", "192.168.0.9")
    running = lab.spawn(
        "up", INVENTORY, "--yes", "--confirm-timeout", LEASE, "--playbooks", lab.with_run(command, host, undo)
    )
    out, _ = running.communicate(timeout=120)

    assert running.returncode in (5, 6), out
    ssh = ("ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=2", f"root@{address}", "true")
    lab.wait(lambda: not lab.world.run("controller", *ssh, check=False).returncode, 20, f"{host} is reachable again")
    lab.wait(lab.is_as_before, 20, f"all hosts are as before: {lab.differences()}\n{out}")


def test_ctrl_c_once_takes_back_and_ends_130(lab: Lab) -> None:
    place = lab.with_run("sleep 2", "bcc")
    running = lab.spawn("up", INVENTORY, "--yes", "--playbooks", place)
    assert running.stdout is not None
    for line in running.stdout:
        if "s  bcc" in line and "+ run fault" in line:
            break
    _interrupt(lab)
    out = running.stdout.read()

    assert running.wait(60) == 130, out
    assert {} == lab.differences()


def test_ctrl_c_twice_ends_6_and_says_when_the_leases_end(lab: Lab) -> None:
    place = lab.with_run("sleep 4", "bcc")
    running = lab.spawn("up", INVENTORY, "--yes", "--confirm-timeout", LEASE, "--playbooks", place)
    assert running.stdout is not None
    for line in running.stdout:
        if "s  bcc" in line and "+ run fault" in line:
            break
    _interrupt(lab)
    time.sleep(0.5)
    _interrupt(lab)
    out = running.stdout.read()

    assert running.wait(60) == 6, out
    assert "rolls back within" in out
    lab.wait(lab.is_as_before, 40, f"bcc is as before: {lab.differences()}")


def test_ctrl_c_cuts_a_long_measurement_short(lab: Lab) -> None:
    block = "iptables -I FORWARD -p udp -j DROP"
    lab.world.sh("internet", block)
    try:
        running = lab.spawn("up", INVENTORY, "--yes")
        assert running.stdout is not None
        for line in running.stdout:
            if "measuring paths" in line:
                break
        time.sleep(1)
        _interrupt(lab)
        began = time.monotonic()
        out = running.stdout.read()
        code, took = running.wait(60), time.monotonic() - began
    finally:
        lab.world.sh("internet", block.replace("-I", "-D"))

    assert code == 130, out
    assert took < 8, f"{took:.1f} s\n{out}"
    assert "interrupted; all hosts rolled back" in out
    # The pings of a measurement that was cut short end by themselves.
    lab.wait(lab.is_as_before, 40, "all hosts are as before")


def test_ctrl_c_before_any_change_ends_130(lab: Lab) -> None:
    lab.world.sh("home", "iptables -I INPUT -p tcp --dport 22 -j DROP")
    try:
        running = lab.spawn("up", INVENTORY, "--yes")
        time.sleep(2)
        _interrupt(lab)
        out, _ = running.communicate(timeout=60)
    finally:
        lab.world.sh("home", "iptables -D INPUT -p tcp --dport 22 -j DROP; nft delete table ip filter")

    assert running.returncode in (4, 130), out
    assert {} == lab.differences(ignore=())


def _interrupt(lab: Lab) -> None:
    script = "for p in /proc/[0-9]*; do case $(tr '\\0' ' ' <$p/cmdline 2>/dev/null) in *'-m wg''orch up'*) kill -INT ${p#/proc/};; esac; done"
    lab.world.sh("controller", script)


def test_a_second_operator_is_told_who_holds_the_lock(lab: Lab) -> None:
    place = lab.with_run("sleep 5", "bcc")
    first = lab.spawn("up", INVENTORY, "--yes", "--playbooks", place)
    assert first.stdout is not None
    for line in first.stdout:
        if "s  bcc" in line and "+ run fault" in line:
            break
    second = lab.wgorch("up", INVENTORY, "--yes", code=75)
    out, _ = first.communicate(timeout=60)

    assert "bcc: cannot lock the host: held by root@controller since" in second.stderr
    assert first.returncode == 0, out


def test_the_lock_of_a_dead_holder_frees_itself(lab: Lab) -> None:
    script = "mkdir -p -m 700 /var/lib/wgorch/office; read -r u _ </proc/uptime; printf 'run=dead\\nwho=%s\\nsince=1\\nuntil=%s\\nboot=%s\\n' ghost $((${u%%.*} + 4)) $(cat /proc/sys/kernel/random/boot_id) >/var/lib/wgorch/office/lock"
    lab.world.sh("home", script)
    held = lab.wgorch("up", INVENTORY, "--yes", code=75)
    time.sleep(5)
    lab.up()

    assert "held by ghost" in held.stderr


def test_a_lock_from_before_a_reboot_is_free(lab: Lab) -> None:
    script = "mkdir -p -m 700 /var/lib/wgorch/office; printf 'run=dead\\nwho=ghost\\nsince=1\\nuntil=99999999\\nboot=00000000-0000-0000-0000-000000000000\\n' >/var/lib/wgorch/office/lock"
    lab.world.sh("home", script)
    lab.up()

    assert lab.world.ping("home", "10.10.13.61")


def test_a_host_changed_between_plan_and_lock_is_refused(lab: Lab) -> None:
    # The consent is asked after the plan was made: what happens meanwhile is a lost update.
    script = (
        "import os, pty, sys, time, subprocess\n"
        f"argv = [sys.executable, '-m', 'wgorch', 'teardown', {str(INVENTORY)!r}]\n"
        "pid, fd = pty.fork()\n"
        "if pid == 0: os.execvp(argv[0], argv)\n"
        "seen = b''\n"
        "while b'[y/N]' not in seen: seen += os.read(fd, 4096)\n"
        "open('/root/asked', 'w').close()\n"
        "while not os.path.exists('/root/answer'): time.sleep(0.05)\n"
        "os.write(fd, b'y\\n')\n"
        "try:\n"
        "    while True:\n"
        "        data = os.read(fd, 4096)\n"
        "        if not data: break\n"
        "        seen += data\n"
        "except OSError: pass\n"
        "sys.stdout.write(seen.decode(errors='replace'))\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
    )
    lab.up()
    import sys

    lab.world.sh("controller", "rm -f /root/asked /root/answer")
    running = lab.world.spawn("controller", sys.executable, "-c", script, env={"PYTHONPATH": str(INVENTORY.parents[1])})
    lab.wait(
        lambda: lab.world.run("controller", "test", "-e", "/root/asked", check=False).returncode == 0, 30, "it asks"
    )
    lab.world.sh("company", "ip route add 10.77.0.0/24 dev ens192")
    lab.world.sh("controller", "touch /root/answer")
    out, _ = running.communicate(timeout=60)
    lab.world.sh("company", "ip route del 10.77.0.0/24 dev ens192")

    assert running.returncode == 4, out
    assert "changed since it was made: routes" in out
    assert lab.world.ping("home", "10.10.13.61")


def test_confirm_against_expiry_has_one_winner_each_time(lab: Lab) -> None:
    """400 races of `mv pending boot` (confirm) and `mv pending reverting` (expiry), by the referee's own verbs."""
    lab.up()
    races = 400 if len(draw(list(range(9)), 1)) > 1 else 100
    script = r"""
cd /var/lib/wgorch/office || exit 1
cp boot /root/boot.kept
read -r u _ </proc/uptime
i=0; confirmed=0; reverted=0; both=0; none=0
while [ $i -lt RACES ]; do
    i=$((i + 1))
    printf 'run=r%s\nwho=race\nsince=1\nuntil=%s\nboot=%s\n' $i $((${u%%.*} + 9999)) "$(cat /proc/sys/kernel/random/boot_id)" >lock
    j=$((i * 7 % 20))
    printf '#!/bin/sh\nexit 0\n' >undo; cp undo probe; : >before; cp boot pending; echo "$((${u%%.*} + 9999)) $((${u%%.*} + 9999))" >lease
    sh ./referee confirm r$i >/root/c & sh ./referee revert r$i race >/root/r & wait
    c=$(grep -c "^confirmed r$i" /root/c); r=$(grep -c "^reverted r$i" /root/r)
    # `revert` also takes back what is confirmed here while the change is still open: that is its job, not a tie.
    [ -e boot ] || cp /root/boot.kept boot
    case $c$r in 10) confirmed=$((confirmed + 1)) ;; 01) reverted=$((reverted + 1)) ;; 11) both=$((both + 1)) ;; 00) none=$((none + 1)) ;; esac
    rm -rf lock pending reverting reverter undo probe before lease outcome boot.before
done
cp /root/boot.kept boot
echo "$confirmed $reverted $both $none"
""".replace("RACES", str(races))
    # Expiry only ever claims `pending`; so race that claim itself.
    script = script.replace(
        "sh ./referee revert r$i race >/root/r &",
        "( sleep 0.0$((j / 10))$((j % 10)); mv pending reverting 2>/dev/null && sh ./referee take-back r$i race >/root/r || : >/root/r ) &",
    )
    confirmed, reverted, both, none = map(int, lab.world.sh("home", script, timeout=300).split())

    assert (races, 0, 0) == (confirmed + reverted, both, none)
    assert confirmed > races / 20 and reverted > races / 20, "one of them is always the quicker: that is no race"


def test_limit_touches_only_the_named_host_and_its_entries(network: Lab) -> None:
    before = {
        h: network.world.sh(h, "wg show wg0 allowed-ips | sort; ls -l --time-style=full-iso /var/lib/wgorch/office")
        for h in HOSTS
    }
    network.world.sh("home", "wg set wg0 peer $(wg show wg0 peers) remove")
    network.world.sh("company", "ip address add 192.168.2.99/24 dev wg0")
    done = network.wgorch("up", INVENTORY, "--yes", "--limit", "home")
    after = {
        h: network.world.sh(h, "wg show wg0 allowed-ips | sort; ls -l --time-style=full-iso /var/lib/wgorch/office")
        for h in HOSTS
    }

    assert "peer bcc" in done.stdout
    assert before["bcc"] == after["bcc"]
    assert before["company"] == after["company"]
    assert "192.168.2.99/24" in network.world.sh("company", "ip -o address show dev wg0")


def test_limit_to_a_new_host_adds_it_at_its_relay_and_drops_nobody(lab: Lab) -> None:
    without = lab.edited(
        ("  home:\n    ssh: root@192.168.0.9\n    address: 192.168.2.2\n", ""),
        ("  - home -> 10.10.13.61", "  - bcc -> 10.10.13.61"),
    )
    lab.up(without)
    lab.up(INVENTORY, "--limit", "home")

    assert lab.world.ping("home", "10.10.13.61")
    assert len(lab.world.sh("bcc", "wg show wg0 peers").split()) == 2
    assert "No changes." in lab.wgorch("up", INVENTORY).stdout


def test_a_host_that_left_the_inventory_is_dropped_by_its_peers_and_taken_down(network: Lab) -> None:
    without = network.edited(
        ("  home:\n    ssh: root@192.168.0.9\n    address: 192.168.2.2\n", ""),
        ("  - home -> 10.10.13.61", "  - bcc -> 10.10.13.61"),
    )
    done = network.up(without)

    assert "home left the inventory" in done.stdout
    assert len(network.world.sh("bcc", "wg show wg0 peers").split()) == 1
    assert "home" not in network.differences()


def test_a_host_that_left_and_cannot_be_reached_is_an_orphan_without_access(network: Lab) -> None:
    without = network.edited(
        ("  home:\n    ssh: root@192.168.0.9\n    address: 192.168.2.2\n", ""),
        ("  - home -> 10.10.13.61", "  - bcc -> 10.10.13.61"),
    )
    network.world.stop_sshd("home")
    try:
        done = network.wgorch("up", without, "--yes", code=7)
    finally:
        network.world.start_sshd("home")

    assert "orphan: home" in done.stderr
    assert not network.world.ping("home", "192.168.2.1")
    again = network.up(without)
    assert "home left the inventory" in again.stdout
    assert "home" not in network.differences()


def test_teardown_from_another_controller_without_the_inventory(network: Lab) -> None:
    network.world.sh("controller", "rm -rf /root/.local/state")
    network.wgorch("teardown", "--host", "root@203.0.113.13", "--host", "root@192.168.0.9", "--yes")

    assert {"company"} == set(network.differences())
    network.world.sh(
        "controller",
        "printf 'Host office-gateway\\n  HostName 10.10.13.62\\n  User root\\n  ProxyJump root@198.51.100.66\\n' >/root/.ssh/config",
    )
    network.wgorch("teardown", "--host", "office-gateway", "--yes")
    network.world.sh("controller", "rm /root/.ssh/config")
    assert {} == network.differences()


def test_teardown_leaves_everything_of_others(lab: Lab) -> None:
    """Another wg1, docker-like chains, a foreign rule in our chain, a sysctl that was 1 already."""
    make = """
    iptables -N DOCKER-USER; iptables -I FORWARD -j DOCKER-USER; iptables -A DOCKER-USER -j RETURN; iptables -t nat -A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE
    ip link add dev docker0 type bridge; ip address add 172.17.0.1/16 dev docker0; ip link set docker0 up
    setsid wireguard-go wg1 >/dev/null 2>&1; ip address add 10.88.0.1/24 dev wg1; ip link set wg1 up; ip route add 10.89.0.0/24 dev wg1
    echo 1 >/proc/sys/net/ipv4/conf/ens192/forwarding
    """
    lab.world.sh("company", make)
    from wgorch.rehearsal.snapshot import snapshot

    before = snapshot(lab.world, "company")
    lab.up()
    lab.wgorch("teardown", INVENTORY, "--yes")
    after = snapshot(lab.world, "company")

    lab.world.sh(
        "company",
        "ip link del wg1; ip link del docker0; iptables -F; iptables -X; iptables -t nat -F; nft delete table ip filter; nft delete table ip nat; echo 0 >/proc/sys/net/ipv4/conf/ens192/forwarding; sleep 0.3; rmdir /run/wireguard; true",
    )
    assert [] == before.difference(after, ignore=KEYS_STAY)


def test_a_foreign_rule_in_our_chain_is_shown_kept_and_needs_consent(network: Lab) -> None:
    network.world.sh("company", "iptables -A wgorch-office-fwd -s 10.1.2.3/32 -j DROP")
    plan = network.wgorch("plan", INVENTORY)
    refused = network.wgorch("teardown", INVENTORY, code=3)
    network.wgorch("teardown", INVENTORY, "--yes")
    left = network.world.sh("company", "iptables-save")
    network.world.sh(
        "company",
        "iptables -D FORWARD 1; iptables -F wgorch-office-fwd; iptables -X wgorch-office-fwd; nft delete table ip filter",
    )

    assert "not managed by wgorch, kept in chain wgorch-office-fwd" in plan.stdout
    assert "--yes" in refused.stderr
    assert "-A wgorch-office-fwd -s 10.1.2.3/32 -j DROP" in left
    assert "wgorch:office" in left  # the jump stays, so that the rule still does what its owner wanted
    assert "-j ACCEPT" not in left
