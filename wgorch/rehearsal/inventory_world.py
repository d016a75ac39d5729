"""The world of an inventory, with the inventory on its controller and SSH set up there."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from wgorch.base.assets import asset
from wgorch.inventory.dump import dump_text
from wgorch.inventory.flow import Flow
from wgorch.inventory.model import Inventory
from wgorch.rehearsal.layout.layout import lay_out
from wgorch.rehearsal.layout.model import SSH, Layout
from wgorch.rehearsal.machine import WorldError
from wgorch.rehearsal.world import World

ROOT = Path(__file__).resolve().parents[2]
WHERE = "/root/rehearsal"
"""The directory of the inventory on the controller."""

_KEY = r"""(?:host_key|identity):[ ]*(?:"[^"\n]*"|'[^'\n]*'|[^,}\n]+)"""
_REAL_KEYS = re.compile(rf"^[ ]*(?:host_key|identity):.*\n|,[ ]*{_KEY}|(?<={{){_KEY},?[ ]*", re.M)


@dataclass
class InventoryWorld(World):
    """The world of an inventory."""

    layout: Layout = field(default_factory=Layout)
    inventory: Inventory | None = None

    def up(self) -> Self:
        """Build the world; add the users, names and files that the inventory needs."""
        super().up()
        try:
            self._add_users()
            self._add_names()
            self._set_up_controller()
            self._serve_flows()
        except BaseException:
            self.down()
            raise
        return self

    def _add_users(self) -> None:
        for machine, users in self.layout.users.items():
            for user in sorted(users - {"root"}):
                self.add_user(machine, user)

    def _add_names(self) -> None:
        lines = "".join(f"{ip} {name}\n" for name, ip in self.layout.names.items())
        for machine in self.machines if lines else ():
            self.run(machine, "sh", "-c", "cat >>/etc/hosts", input=lines)

    def _set_up_controller(self) -> None:
        assert self.inventory is not None
        name = self.layout.controller
        machines = {m for m in (*self.layout.ssh.values(), *self.inventory.hosts) if self.machines[m].sshd is not None}
        keys = {machine: self.host_key(machine) for machine in machines}
        self.sh(name, "mkdir -p -m 700 /root/.ssh && rm -rf /root/.local/state/wgorch /root/.ssh/config")
        self.write(name, "/root/.ssh/id_ed25519", self.controller_key(), "600")
        self.write(name, "/root/.ssh/known_hosts", known_hosts(self.layout, self.inventory, keys), "600")
        source = Path(self.inventory.path)
        # What came from elsewhere is written out: its sources are not in the world.
        text = dump_text(self.inventory) if self.inventory.has_sources else source.read_text(encoding="utf-8")
        self.write(name, f"{WHERE}/inventory.yaml", without_real_keys(text))
        for file in map(Path, () if self.inventory.has_sources else self.inventory.included):
            place = file.relative_to(source.parent)
            self.write(name, f"{WHERE}/{place}", without_real_keys(file.read_text(encoding="utf-8")))
        for playbook in (source.parent / "playbooks").glob("*.yaml"):
            self.write(name, f"{WHERE}/playbooks/{playbook.name}", playbook.read_text(encoding="utf-8"))

    def _serve_flows(self) -> None:
        """Listen where lines of `verify:` connect to."""
        assert self.inventory is not None
        ports: dict[str, set[int]] = {}
        for flow in self.inventory.verify:
            machine = self._machine_at(flow) if flow.port else None
            if machine:
                ports.setdefault(machine, set()).add(flow.port)
        for machine, its in ports.items():
            self.write(machine, "/root/services.py", asset("rehearsal", "echo_server.py"))
            words = " ".join(map(str, sorted(its)))
            self.sh(machine, f"setsid /usr/bin/python3 /root/services.py {words} </dev/null >/run/services.log 2>&1 &")

    def _machine_at(self, flow: Flow) -> str | None:
        """The machine that a line connects to: a host, or one in a LAN; None for one beyond the world."""
        assert self.inventory is not None
        if flow.target in self.inventory.hosts:
            return flow.target
        lan = self.inventory.lan_of(flow.address)
        real = str(self.inventory.members[lan[0]].real_address(flow.address) if lan else flow.address)
        for name, machine in self.machines.items():
            if any(real == own.partition("/")[0] for each in machine.interfaces for own in each.addresses):
                return name
        return next((n for n, host in self.inventory.hosts.items() if flow.address in host.addresses), None)

    def wgorch(self, *words: str) -> list[str]:
        """The command line that runs wgorch on the controller, beside the inventory."""
        inside = ["env", f"PYTHONPATH={ROOT}", "sh", "-c", 'cd "$0" && exec "$@"', WHERE]
        return self.argv(self.layout.controller, [*inside, sys.executable, "-m", "wgorch", *words])


def world_of(inventory: Inventory, name: str, *, hard_nat: bool = False, systemd: bool = True) -> InventoryWorld:
    """An inventory's world, not built yet. Raises WorldError."""
    for host in inventory.hosts.values():
        if host.enter:
            raise WorldError(f"{host.name} is inside a container (enter: {' '.join(host.enter)}); worlds have none")
    layout = lay_out(inventory, hard_nat=hard_nat, systemd=systemd)
    return InventoryWorld(name, layout.machines, layout=layout, inventory=inventory)


def without_real_keys(text: str) -> str:
    """The text of an inventory without host keys and identities: the machines of a world have keys of their own."""
    return _REAL_KEYS.sub("", text)


def known_hosts(layout: Layout, inventory: Inventory, keys: Mapping[str, str]) -> str:
    """The controller's known_hosts: every SSH target of the inventory. `keys`: host keys by machine."""
    lines = []
    for host in inventory.hosts.values():
        for target in (host.ssh, *host.ssh.via):
            machine = target.host if target.host in inventory.hosts else layout.ssh.get(target.host)
            place = inventory.hosts[target.host].ssh if target.host in inventory.hosts else target
            if machine is not None and machine in keys:
                name = place.host if (place.port or SSH) == SSH else f"[{place.host}]:{place.port}"
                lines.append(f"{name} {keys[machine]}")
    return "\n".join(dict.fromkeys(lines)) + "\n"
