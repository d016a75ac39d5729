"""Rehearse an inventory: build its world on this machine, and run the very same up, verify, up and teardown in it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wgorch.base.value import value
from wgorch.inventory.model import Inventory
from wgorch.rehearsal.layout import Layout, known_hosts, lay_out
from wgorch.rehearsal.machine import WorldError
from wgorch.rehearsal.snapshot import KEYS_STAY, Snapshot, snapshot
from wgorch.rehearsal.world import ENVIRONMENT, World, attach

ROOT = Path(__file__).resolve().parents[2]
WHERE = "/root/rehearsal"
_KEY_OF_OURS = r"""(?:host_key|identity):[ ]*(?:"[^"\n]*"|'[^'\n]*'|[^,}\n]+)"""
ONLY_OUTSIDE = re.compile(rf"^[ ]*(?:host_key|identity):.*\n|,[ ]*{_KEY_OF_OURS}|(?<={{){_KEY_OF_OURS},?[ ]*", re.M)
"""What names keys of the real world: the machines of a world have keys of their own."""


@dataclass
class InventoryWorld(World):
    """The world of an inventory, with the person's SSH and the inventory itself in its place."""

    layout: Layout = field(default_factory=Layout)
    inventory: Inventory | None = None

    def up(self) -> World:
        super().up()
        try:
            self._people()
            self._names()
            self._controller()
        except BaseException:
            self.down()
            raise
        return self

    def _people(self) -> None:
        for machine, users in self.layout.users.items():
            for user in sorted(users - {"root"}):
                self.add_user(machine, user)

    def _names(self) -> None:
        lines = "".join(f"{ip} {name}\n" for name, ip in self.layout.names.items())
        for machine in self.machines if lines else ():
            self.run(machine, "sh", "-c", "cat >>/etc/hosts", input=lines)

    def _controller(self) -> None:
        assert self.inventory is not None
        name = self.layout.controller
        machines = {m for m in (*self.layout.ssh.values(), *self.inventory.hosts) if self.machines[m].sshd is not None}
        keys = {machine: self.host_key(machine) for machine in machines}
        self.sh(name, "mkdir -p -m 700 /root/.ssh && rm -rf /root/.local/state/wgorch /root/.ssh/config")
        self.write(name, "/root/.ssh/id_ed25519", self.controller_key(), "600")
        self.write(name, "/root/.ssh/known_hosts", known_hosts(self.layout, self.inventory, keys), "600")
        source = Path(self.inventory.path)
        self.write(name, f"{WHERE}/inventory.yaml", ONLY_OUTSIDE.sub("", source.read_text(encoding="utf-8")))
        for playbook in (source.parent / "playbooks").glob("*.yaml"):
            self.write(name, f"{WHERE}/playbooks/{playbook.name}", playbook.read_text(encoding="utf-8"))

    def wgorch(self, *words: str) -> list[str]:
        """The command line of wgorch as the person in the world runs it."""
        inside = ["env", f"PYTHONPATH={ROOT}", "sh", "-c", 'cd "$0" && exec "$@"', WHERE]
        return self.argv(self.layout.controller, [*inside, sys.executable, "-m", "wgorch", *words])


def world_of(inventory: Inventory, name: str, *, hard_nat: bool = False, systemd: bool = True) -> InventoryWorld:
    """An inventory's world, not yet built. Raises WorldError."""
    for host in inventory.hosts.values():
        if host.enter:
            raise WorldError(f"{host.name} lies inside something (enter: {' '.join(host.enter)}), which no world has")
    layout = lay_out(inventory, hard_nat=hard_nat, systemd=systemd)
    return InventoryWorld(name, layout.machines, layout=layout, inventory=inventory)


@value
class Act:
    """One run of wgorch in the rehearsal, and how it must end."""

    words: tuple[str, ...]
    code: int
    says: str = ""


ACT_S = 600

MOST_SYSTEMD = 12
"""Each systemd and its dbus hold four of the 128 inotify instances that a kernel gives out by default."""

ACTS = (
    Act(("up", "inventory.yaml", "--yes"), 0),
    Act(("verify", "inventory.yaml", "--quiet"), 0),
    Act(("up", "inventory.yaml", "--yes"), 0, "No changes."),
    Act(("teardown", "inventory.yaml", "--yes"), 0),
)


def rehearse(inventory: Inventory, *, hard_nat: bool = False, keep: bool = False) -> bool:
    """Rehearse it on this terminal; True where everything ended as on a good day. Raises WorldError."""
    began = time.monotonic()
    systemd = len(inventory.hosts) <= MOST_SYSTEMD
    world = world_of(inventory, name_for(inventory), hard_nat=hard_nat, systemd=systemd)
    if not systemd:
        say(f"assumed: no systemd on any host (more than {MOST_SYSTEMD} of them are too much for one kernel)")
    for line in _assumptions(world, hard_nat):
        say(line)
    with world:
        say(f"{len(world.machines)} machines built in {time.monotonic() - began:.1f} s")
        before = {name: snapshot(world, name) for name in inventory.hosts}
        good = all(_act(world, act) for act in (ACTS[:-1] if keep else ACTS))
        left = [] if keep else list(_left(world, before))
        for line in left:
            say(f"✗ not as before: {line}")
        good = good and not left
        verdict = "this inventory works" if good else "this inventory does NOT work as it is"
        say(f"{'✓' if good else '✗'} {verdict}; {time.monotonic() - began:.1f} s")
        if keep:
            say(f"kept: wgorch rehearse {inventory.path} --enter {next(iter(inventory.hosts))}; --end takes it down")
            sys.stdout.flush()
            os._exit(0 if good else 1)  # the machines stay; --end finds them by the ids that were recorded
    return good


def name_for(inventory: Inventory) -> str:
    """The name of an inventory's world on this machine."""
    return f"rehearse-{inventory.network.name}"


def enter(inventory: Inventory, machine: str, command: list[str]) -> None:
    """Become one machine of a kept world. Raises WorldError."""
    world = attach(name_for(inventory), lay_out(inventory).machines)
    if machine not in world.pids:
        raise WorldError(f"there is no machine {machine}; there are {', '.join(sorted(world.pids))}")
    argv = world.argv(machine, command or ["bash"])
    os.execvpe(argv[0], argv, {**ENVIRONMENT, "TERM": os.environ.get("TERM", "dumb")})


def _assumptions(world: InventoryWorld, hard_nat: bool) -> Iterator[str]:
    behind = [name for name, machine in world.machines.items() if machine.nat]
    if behind:
        yield f"assumed: {'hard' if hard_nat else 'easy'} NAT at {', '.join(behind)}"
    for line in world.layout.assumed:
        yield f"assumed: {line}"


def _act(world: InventoryWorld, act: Act) -> bool:
    say(f"$ wgorch {' '.join(act.words)}", bold=True)
    shown = {k: os.environ[k] for k in ("TERM", "COLUMNS", "LINES", "NO_COLOR") if k in os.environ}
    argv, env = world.wgorch(*act.words), {**ENVIRONMENT, **shown}
    kept = subprocess.PIPE if act.says else None
    try:
        done = subprocess.run(argv, check=False, timeout=ACT_S, env=env, stdout=kept, text=True)
    except subprocess.TimeoutExpired:
        say(f"✗ it did not end within {ACT_S} s")
        return False
    code, out = done.returncode, done.stdout or ""
    sys.stdout.write(out)
    if code != act.code:
        say(f"✗ it ended with {code}, not {act.code}")
    elif act.says not in out:
        say(f"✗ it did not say “{act.says}”")
    return code == act.code and act.says in out


def _left(world: InventoryWorld, before: dict[str, Snapshot]) -> Iterator[str]:
    own = ("/root/rehearsal", "/root/.local")
    for name, then in before.items():
        for line in then.difference(snapshot(world, name), ignore=(*KEYS_STAY, *own)):
            yield f"{name}: {line}"


def say(text: str, *, bold: bool = False) -> None:
    """A line of the rehearsal itself."""
    start, end = ("\033[1m", "\033[0m") if bold and sys.stdout.isatty() else ("", "")
    sys.stdout.write(f"{start}{text}{end}\n")
    sys.stdout.flush()
