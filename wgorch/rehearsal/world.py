"""Build and end a world of network namespaces; nothing of it is in the machine's own network.

Every machine is one set of namespaces. No segment leads out of the world, and its public addresses are those for
documentation.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from wgorch.rehearsal.boot import boot, log_of, wait_for_init
from wgorch.rehearsal.cables import WIRES, plug, wait_unplugged
from wgorch.rehearsal.cleanup import EXIT_S, kill, start_time, sweep, sweep_abandoned
from wgorch.rehearsal.handle import WorldHandle
from wgorch.rehearsal.machine import Machine, WorldError
from wgorch.rehearsal.roles import role_script
from wgorch.rehearsal.tools import check_tools

SYSTEMD_S = 20
"""How long systemd may take to finish its boot."""


@dataclass
class World(WorldHandle):
    """A world that this process builds and ends."""

    _parents: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict, repr=False)
    _kept: bool = field(default=False, repr=False)

    def up(self) -> Self:
        """Build all machines, cables and routes. Raises WorldError; nothing is left then."""
        check_tools()
        sweep(self.name)
        sweep_abandoned()
        self.place.mkdir(parents=True)
        self._record()
        try:
            for name in (WIRES, *self.machines):
                self._start(name)
            for name in (WIRES, *self.machines):
                self._find_init(name)
            plug(self, self.machines.values())
            _generate_key(self.place / "controller_key")
            for machine in self.machines.values():
                self._set_up(machine)
            for machine in self.machines.values():
                self._wait_for_systemd(machine)
        except BaseException:
            self.down()
            raise
        return self

    def down(self) -> None:
        """End the world; nothing of it stays."""
        for name in list(self.pids):
            kill(self.pids.pop(name), None)
        for parent in self._parents.values():
            _reap(parent)
        self._parents.clear()
        sweep(self.name)

    def keep(self) -> None:
        """Let the world outlast this process: `sweep` removes it by name."""
        self._kept = True
        self._record()

    def __enter__(self) -> Self:
        return self.up()

    def __exit__(self, *_: object) -> None:
        self.down()

    # --- power

    def reboot(self, name: str) -> None:
        """Cut a machine's power and start it again: its processes are gone, its disk stays."""
        self.power_off(name)
        self.power_on(name)

    def power_off(self, name: str) -> None:
        """Cut a machine's power."""
        kill(self.pids.pop(name), None)
        _reap(self._parents[name])
        self._record()

    def power_on(self, name: str) -> None:
        """Start a machine that is off."""
        machine = self.machines[name]
        wait_unplugged(self, machine)
        self._start(name)
        self._find_init(name)
        plug(self, [machine])
        if machine.forwards or machine.nat:
            self._set_up(machine)
        elif machine.sshd is not None:
            self.start_sshd(name)
        self._wait_for_systemd(machine)

    # --- building

    def _start(self, name: str) -> None:
        machine = self.machines.get(name)
        systemd = machine is not None and machine.systemd
        userland = machine.userland if machine else None
        group = f"wgorch-{self.name}.{name}"  # no name has a dot: the groups of one world are no other's
        self._parents[name] = boot(self.place, name, group, systemd=systemd, userland=userland)
        self._record()

    def _find_init(self, name: str) -> None:
        self.pids[name] = wait_for_init(self._parents[name], log_of(self.place, name))
        self._record()

    def _record(self) -> None:
        """Write down the processes of the world, by which sweep() finds them after a crash."""
        pids = {n: [p.pid, start_time(p.pid)] for n, p in self._parents.items()}
        pids |= {f"{n}/1": [p, start_time(p)] for n, p in self.pids.items()}
        owner = None if self._kept else [os.getpid(), start_time(os.getpid())]
        text = json.dumps({"pids": pids, "init": self.pids, "owner": owner})
        # Whole, as another process may look for abandoned worlds at any moment.
        (self.place / "world.json.new").write_text(text)
        (self.place / "world.json.new").replace(self.place / "world.json")

    def _set_up(self, machine: Machine) -> None:
        public_key = (self.place / "controller_key.pub").read_text().strip()
        if script := role_script(machine, public_key):
            self.sh(machine.name, script)

    def _wait_for_systemd(self, machine: Machine) -> None:
        if not machine.systemd:
            return
        end = time.monotonic() + SYSTEMD_S
        state = ""
        while time.monotonic() < end:
            state = self.run(machine.name, "systemctl", "is-system-running", check=False).stdout.strip()
            if state in ("running", "degraded"):
                return
            time.sleep(0.05)
        raise WorldError(f"{machine.name}: systemd is {state!r} after {SYSTEMD_S} s")


def _reap(parent: subprocess.Popen[bytes]) -> None:
    """Wait for the parent of an init that was killed, and kill it if it stays."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        parent.wait(EXIT_S)
    kill(parent.pid, None)
    parent.wait(EXIT_S)


def _generate_key(path: Path) -> None:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "controller", "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
