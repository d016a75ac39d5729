"""Rehearse an inventory: build its world on this machine, and run up, verify, plan and teardown in it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple, NoReturn

from wgorch.inventory.model import Inventory
from wgorch.rehearsal.handle import ENVIRONMENT, WorldHandle, attach
from wgorch.rehearsal.inventory_world import WHERE, InventoryWorld, world_of
from wgorch.rehearsal.layout.layout import lay_out
from wgorch.rehearsal.machine import WorldError
from wgorch.rehearsal.snapshot import KEYS_STAY, Snapshot, snapshot

ACT_S = 600
"""How long one command of a rehearsal may take."""

MAX_SYSTEMD = 12
"""Each systemd and its dbus hold four of the 128 inotify instances that a kernel gives out by default."""


class Act(NamedTuple):
    """One command of a rehearsal, and the exit code that it must have."""

    words: tuple[str, ...]
    code: int = 0


ACTS = (
    Act(("up", "inventory.yaml", "--yes")),
    Act(("verify", "inventory.yaml", "--quiet")),
    Act(("plan", "inventory.yaml")),  # exit code 2 for any difference: `up` is idempotent
    Act(("teardown", "inventory.yaml", "--yes")),
)


def rehearse(inventory: Inventory, *, hard_nat: bool = False, keep: bool = False, kill: str = "") -> bool:
    """Rehearse an inventory on this terminal; True if every command succeeds. Raises WorldError.

    `keep`: leave the network and its world up, and end the process; `kill`: a relay that is cut off for a while.
    """
    began = time.monotonic()
    systemd = len(inventory.hosts) <= MAX_SYSTEMD
    world = world_of(inventory, name_for(inventory), hard_nat=hard_nat, systemd=systemd)
    for line in _assumptions(world, hard_nat, systemd):
        say(f"assumed: {line}")
    with world:
        say(f"{len(world.machines)} machines built in {time.monotonic() - began:.1f} s")
        before = {name: snapshot(world, name) for name in inventory.hosts}
        ok = all(_perform(world, act) for act in ACTS[:-1])
        ok = ok and (not kill or _survives(world, inventory, kill)) and (keep or _perform(world, ACTS[-1]))
        left = [] if keep else list(_left(world, before))
        for line in left:
            say(f"✗ not restored: {line}")
        ok = ok and not left
        say(f"{'✓ rehearsal passed' if ok else '✗ rehearsal failed'} ({time.monotonic() - began:.1f} s)")
        if keep:
            first = next(iter(inventory.hosts))
            say(f"kept up; enter: wgorch rehearse {inventory.path} --enter {first}; remove: --end")
            world.keep()
            os._exit(0 if ok else 1)  # the machines stay; --end finds them by the ids that were recorded
    return ok


CUT_S = 12
"""How long a relay is cut off."""

PINGS_A_SECOND = 5


def _survives(world: InventoryWorld, inventory: Inventory, relay: str) -> bool:
    """Cut a relay off from the internet, and say how long each flow of `verify:` is interrupted; True if none is for good."""
    endpoint = inventory.hosts[relay].endpoint
    address = str(world.layout.names.get(endpoint.host, endpoint.host)) if endpoint else ""
    flows = [flow for flow in inventory.verify if flow.is_ping and flow.source != relay]
    say(f"{relay} is cut off for {CUT_S} s", bold=True)
    time.sleep(SETTLING_S)
    count = str((CUT_S + 2) * PINGS_A_SECOND)
    words = ("ping", "-n", "-i", str(1 / PINGS_A_SECOND), "-W", "1", "-c", count)
    pings = {flow: world.spawn(flow.source, *words, str(flow.address)) for flow in flows}
    time.sleep(1)
    version = "-6" if ":" in address else "-4"
    world.sh("internet", f"ip {version} route add blackhole {address}")
    time.sleep(CUT_S)
    said = {flow: ping.communicate(timeout=CUT_S)[0] for flow, ping in pings.items()}
    world.sh("internet", f"ip {version} route delete blackhole {address}")
    for flow, output in said.items():
        gap = _longest_gap_s(output, int(count))
        gone = f"{gap:.1f} s" if gap < CUT_S - 1 else "not restored"
        say(f"{'✓' if gap < CUT_S - 1 else '✗'} {flow}: interrupted for {gone}")
    return all(_longest_gap_s(output, int(count)) < CUT_S - 1 for output in said.values())


SETTLING_S = 5
"""Hosts ping their relays from the end of `up` on."""


def _longest_gap_s(output: str, count: int) -> float:
    """The longest time without a reply, from the numbers of those that came."""
    seen = [0, *(int(number) for number in re.findall(r"icmp_seq=(\d+) ttl", output)), count + 1]
    return max(b - a - 1 for a, b in pairwise(seen)) / PINGS_A_SECOND


def name_for(inventory: Inventory) -> str:
    """The name of an inventory's world on this machine."""
    return f"rehearse-{inventory.network.name}"


def enter(inventory: Inventory, machine: str, command: list[str]) -> NoReturn:
    """Become one machine of a kept world. Raises WorldError."""
    become(attach(name_for(inventory), lay_out(inventory).machines), machine, command)


def become(world: WorldHandle, machine: str, command: list[str]) -> NoReturn:
    """Replace this process by a command on a machine, a shell where none is given. Raises WorldError."""
    if machine not in world.pids:
        raise WorldError(f"no machine {machine}; machines: {', '.join(sorted(world.pids))}")
    argv = world.argv(machine, command or ["bash"])
    os.execvpe(argv[0], argv, {**ENVIRONMENT, "TERM": os.environ.get("TERM", "dumb")})


def _assumptions(world: InventoryWorld, hard_nat: bool, systemd: bool) -> Iterator[str]:
    if not systemd:
        yield f"no systemd on any host (one kernel runs at most {MAX_SYSTEMD})"
    if routers := [name for name, machine in world.machines.items() if machine.nat]:
        yield f"{'hard (symmetric)' if hard_nat else 'easy (port-preserving)'} NAT at {', '.join(routers)}"
    yield from world.layout.assumed


def _perform(world: InventoryWorld, act: Act) -> bool:
    """Run one command on this terminal; True if it ends with its exit code in time."""
    say(f"$ wgorch {' '.join(act.words)}", bold=True)
    try:
        done = subprocess.run(world.wgorch(*act.words), check=False, timeout=ACT_S, env=terminal_environment())
    except subprocess.TimeoutExpired:
        say(f"✗ timed out after {ACT_S} s")
        return False
    if done.returncode != act.code:
        say(f"✗ exit code {done.returncode}, expected {act.code}")
    return done.returncode == act.code


def terminal_environment() -> dict[str, str]:
    """The environment of a command that prints to this terminal."""
    terminal = {k: os.environ[k] for k in ("TERM", "COLUMNS", "LINES", "NO_COLOR") if k in os.environ}
    return {**ENVIRONMENT, **terminal}


def _left(world: InventoryWorld, before: dict[str, Snapshot]) -> Iterator[str]:
    """What differs on each host from its snapshot."""
    for name, then in before.items():
        for line in then.difference(snapshot(world, name), ignore=(*KEYS_STAY, WHERE, "/root/.local")):
            yield f"{name}: {line}"


def say(text: str, *, bold: bool = False) -> None:
    """Print a line of the rehearsal itself."""
    start, end = ("\033[1m", "\033[0m") if bold and sys.stdout.isatty() else ("", "")
    sys.stdout.write(f"{start}{text}{end}\n")
    sys.stdout.flush()
