"""What goes wrong: beside a run of the program, and between two."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from random import Random

from tests.soak.wish import ROLES, Wish
from wgorch.rehearsal.reference import ReferenceWorld

Spawn = Callable[[], subprocess.Popen[str]]

SIGNALS = ("KILL", "TERM", "INT", "HUP", "STOP")
BESIDE = (
    *(f"signal {name}" for name in SIGNALS),
    "cut bcc",
    "cut company",
    "cut all",
    "sshd killed",
    "reboot",
    "second",
)


def beside(
    world: ReferenceWorld,
    what: str,
    chance: Random,
    process: subprocess.Popen[str],
    again: Spawn,
    reboot: Callable[[str], None],
) -> None:
    """Let something happen while the program runs; it is over when this returns, and so is the program."""
    time.sleep(chance.uniform(0.05, 1.3))
    kind, _, which = what.partition(" ")
    match kind:
        case "signal":
            _signal(process, which)
        case "cut":
            _cut(world, which, chance.uniform(0.5, 12))
        case "sshd":
            role = chance.choice(ROLES)
            world.sh(
                role,
                "for p in $(pgrep -x sshd); do [ $p = $(cat /run/world-sshd.pid) ] || kill -9 $p; done",
                check=False,
            )
        case "reboot":
            reboot(chance.choice(ROLES))
        case "second":
            other = again()
            _end(other)
    _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """Wait for the program, bounded; what it printed is read by its owner."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(150)
        return
    os.killpg(process.pid, signal.SIGKILL)
    raise AssertionError("the program did not end within 150 s")


def _signal(process: subprocess.Popen[str], name: str) -> None:
    number = getattr(signal, f"SIG{name}")
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
        if name == "STOP":
            time.sleep(14)  # past the lease
            for _ in range(5):  # nsenter stops itself when it learns that its child was stopped
                os.killpg(process.pid, signal.SIGCONT)
                time.sleep(0.2)


def _cut(world: ReferenceWorld, which: str, seconds: float) -> None:
    machine, interface = {
        "bcc": ("internet", "bcc"),
        "company": ("internet", "company"),
        "all": ("controller", "eth0"),
    }[which]
    world.sh(machine, f"ip link set {interface} down")
    time.sleep(seconds)
    world.sh(machine, f"ip link set {interface} up")
    if which == "all":
        world.sh("controller", "ip route replace default via 192.168.0.1")


BETWEEN = (
    "interface deleted",
    "interface down",
    "wireguard-go killed",
    "firewall flushed",
    "addresses flushed",
    "route deleted",
    "local route deleted",
    "peer removed",
    "sysctl changed",
    "reboot",
    "allowed-ips changed",
    "policy deleted",
    "policy edited",
)


def between(world: ReferenceWorld, what: str, role: str, wish: Wish) -> None:
    """Spoil one host."""
    wg = wish.interface
    script = {
        "interface deleted": f"ip link delete {wg}",
        "interface down": f"ip link set {wg} down",
        "wireguard-go killed": f"pkill -9 -f 'wireguard-go {wg}'",
        "firewall flushed": "nft flush ruleset",
        "addresses flushed": f"ip address flush dev {wg}",
        "route deleted": f"ip route delete {wish.subnet}.0/24 dev {wg}",
        "local route deleted": f"ip route delete local {wish.address(role)} dev {wg} table local",
        "peer removed": f"wg set {wg} peer $(wg show {wg} peers | head -n 1) remove",
        "sysctl changed": f"echo 0 >/proc/sys/net/ipv4/conf/{wg}/forwarding",
        "allowed-ips changed": f"wg set {wg} peer $(wg show {wg} peers | head -n 1) allowed-ips 10.1.2.0/24",
        "policy deleted": f"nft delete table inet wgorch-{wish.name}",
        "policy edited": f"nft insert rule inet wgorch-{wish.name} arriving accept",
    }
    world.sh(role, script[what], check=False)
