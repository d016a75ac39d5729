"""Run commands on the machines of a world that is up."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyroute2 import NetNS

from wgorch.base.assets import asset
from wgorch.rehearsal.machine import PLACE, Machine, WorldError

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "USER": "root",
    "LOGNAME": "root",
}

START_SSHD = "mkdir -p /run/sshd; /usr/sbin/sshd -f /etc/ssh/world_sshd_config -E /run/sshd.log"


@dataclass
class WorldHandle:
    """Access to the machines of a world, by name. Commands run as root in the machine's namespaces."""

    name: str
    machines: Mapping[str, Machine]
    pids: dict[str, int] = field(default_factory=dict)
    """The init of each machine that is up."""

    @property
    def place(self) -> Path:
        """The directory of the world on this machine."""
        return PLACE / self.name

    # --- commands

    def argv(self, machine: str, argv: Sequence[str]) -> list[str]:
        """The command line that runs a command on a machine."""
        target = ["nsenter", "-t", str(self.pids[machine]), "-m", "-n", "-u", "-i", "-p", "-C", "--wd=/", "--"]
        return [*target, *argv]

    def run(
        self,
        machine: str,
        *argv: str,
        check: bool = True,
        timeout: float = 60,
        input: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on a machine and capture its output. Raises WorldError if it fails, unless `check` is off."""
        done = subprocess.run(
            self.argv(machine, argv),
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env={**ENVIRONMENT, **(env or {})},
            check=False,
        )
        if check and done.returncode:
            raise WorldError(
                f"{machine}: {' '.join(argv)}: exit {done.returncode}: {done.stderr.strip() or done.stdout}"
            )
        return done

    def sh(self, machine: str, script: str, *, check: bool = True, timeout: float = 60) -> str:
        """Run a sh script on a machine and return its output."""
        return self.run(machine, "sh", "-c", script, check=check, timeout=timeout).stdout

    def spawn(self, machine: str, *argv: str, **options: Any) -> subprocess.Popen[str]:
        """Start a command on a machine; the caller ends it. `options`: those of subprocess.Popen."""
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.STDOUT)
        env = {**ENVIRONMENT, **options.pop("env", {})}
        return subprocess.Popen(self.argv(machine, argv), text=True, env=env, **options)

    def write(self, machine: str, path: str, text: str, mode: str = "644") -> None:
        """Write a file on a machine."""
        script = 'mkdir -p "$(dirname "$1")" && cat >"$1" && chmod "$2" "$1"'
        self.run(machine, "sh", "-c", script, "sh", path, mode, input=text)

    def netlink(self, machine: str) -> NetNS:
        """Open pyroute2 in a machine's network namespace; the caller closes it."""
        return NetNS(f"/proc/{self.pids[machine]}/ns/net")

    # --- SSH

    def start_sshd(self, machine: str) -> None:
        """Start a machine's sshd (again)."""
        self.sh(machine, START_SSHD)

    def stop_sshd(self, machine: str) -> None:
        """Stop a machine's sshd; its sessions stay."""
        self.sh(machine, "kill $(cat /run/world-sshd.pid)", check=False)

    def host_key(self, machine: str) -> str:
        """The public SSH host key of a machine, without its comment."""
        return " ".join(self.run(machine, "cat", "/etc/ssh/world_host_key.pub").stdout.split()[:2])

    def controller_key(self) -> str:
        """The private SSH key that root of every machine accepts."""
        return (self.place / "controller_key").read_text()

    def add_user(self, machine: str, user: str, rights: str = "NOPASSWD: ALL", password: str = "*") -> None:
        """Add a user who logs in with the controller's key.

        `rights`: what sudo permits, as in sudoers, or empty; `password`: its hash, as in /etc/shadow.
        """
        self.run(machine, "sh", "-c", asset("rehearsal", "add_user.sh"), "sh", user, rights, password)


def attach(name: str, machines: Mapping[str, Machine]) -> WorldHandle:
    """A world that another process built and left up. Raises WorldError."""
    try:
        recorded = json.loads((PLACE / name / "world.json").read_text())
    except OSError:
        raise WorldError(f"world {name} not found; build it first") from None
    return WorldHandle(name, machines, pids=dict(recorded["init"]))
