"""The reference world: the machines of the reference walk-through, and documentation addresses outside.

controller 192.168.0.20 ─┐
      home 192.168.0.9  ─┴─ home LAN ─ home-router (NAT) ──┐
                                       198.51.100.34       │
                                                        internet ── bcc 203.0.113.13
                                       198.51.100.66       │
   company 10.10.13.62 ─┬─ company LAN ─ company-router ───┘
    target 10.10.13.61 ─┘               (NAT, SSH gateway)
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Self

from wgorch.base.assets import asset
from wgorch.rehearsal.machine import Interface, Machine
from wgorch.rehearsal.world import World

SSH_NAMES = {
    "bcc": "203.0.113.13",
    "home": "192.168.0.9",
    "company": "10.10.13.62",
    "company-router": "198.51.100.66",
    "target": "10.10.13.61",
}
"""Where SSH reaches each machine."""


def machines(*, systemd: bool = True, hard_nat: bool = False) -> dict[str, Machine]:
    """The machines of the reference world, by name."""
    internet = (
        Interface("bcc", "net-bcc", ("203.0.113.1/24",)),
        Interface("home", "net-home", ("198.51.100.33/27",)),
        Interface("company", "net-company", ("198.51.100.65/27",)),
    )
    home_router = (
        Interface("wan", "net-home", ("198.51.100.34/27",)),
        Interface("lan", "home-lan", ("192.168.0.1/24",)),
    )
    company_router = (
        Interface("wan", "net-company", ("198.51.100.66/27",)),
        Interface("lan", "company-lan", ("10.10.13.1/24",)),
    )
    bcc = (Interface("eth0", "net-bcc", ("203.0.113.13/24",)),)
    home = (Interface("wlp2s0", "home-lan", ("192.168.0.9/24",)),)
    controller = (Interface("eth0", "home-lan", ("192.168.0.20/24",)),)
    company = (Interface("ens192", "company-lan", ("10.10.13.62/24",)),)
    target = (Interface("ens192", "company-lan", ("10.10.13.61/24",)),)
    router = Machine("", (), forwards=True, nat="wan", hard_nat=hard_nat)
    found = [
        Machine("internet", internet, forwards=True),
        Machine("bcc", bcc, ("203.0.113.1",), sshd=(), systemd=systemd),
        replace(router, name="home-router", interfaces=home_router, gateways=("198.51.100.33",)),
        Machine("home", home, ("192.168.0.1",), sshd=(), systemd=systemd),
        Machine("controller", controller, ("192.168.0.1",)),
        replace(
            router,
            name="company-router",
            interfaces=company_router,
            gateways=("198.51.100.65",),
            open_tcp_ports=(22,),
            sshd=(),
        ),
        Machine("company", company, ("10.10.13.1",), sshd=(), systemd=systemd),
        Machine("target", target, ("10.10.13.1",), sshd=()),
    ]
    return {machine.name: machine for machine in found}


class ReferenceWorld(World):
    """The reference world, with target's services and the controller's SSH set up."""

    def __init__(
        self,
        name: str = "reference",
        *,
        systemd: bool = True,
        hard_nat: bool = False,
        userland: Path | None = None,
    ) -> None:
        """`userland`: root directory of another distribution, for bcc, home and company."""
        found = machines(systemd=systemd, hard_nat=hard_nat)
        hosts = {host: replace(found[host], userland=userland) for host in ("bcc", "home", "company")}
        super().__init__(name, {**found, **hosts})

    def up(self) -> Self:
        """Build the world and start its services."""
        super().up()
        try:
            self._start_services()
            self._set_up_controller()
        except BaseException:
            self.down()
            raise
        return self

    def _start_services(self) -> None:
        """Start target's services: an echo by TCP and UDP, and a resolver for the company's names."""
        self.write("target", "/root/services.py", asset("rehearsal", "echo_server.py"))
        self.sh("target", "setsid /usr/bin/python3 /root/services.py </dev/null >/run/services.log 2>&1 &")
        zone = "--no-resolv --no-hosts --no-daemon --user=root --port=53 --address=/intranet.example/10.10.13.61"
        self.sh("target", f"setsid dnsmasq {zone} </dev/null >/run/dnsmasq.log 2>&1 &")
        for machine in ("home", "controller"):
            self.write(machine, "/root/ask.py", asset("rehearsal", "echo_client.py"))

    def _set_up_controller(self) -> None:
        self.sh("controller", "rm -rf /root/.ssh /root/.local/state; mkdir -p -m 700 /root/.ssh")
        self.write("controller", "/root/.ssh/id_ed25519", self.controller_key(), "600")
        known = "".join(f"{address} {self.host_key(name)}\n" for name, address in SSH_NAMES.items())
        self.write("controller", "/root/.ssh/known_hosts", known, "600")

    def ask(self, machine: str, kind: str, address: str, port: int = 7777, text: str = "hello") -> str:
        """Ask target's echo by TCP or UDP from a machine and return the answer; empty if there is none."""
        argv = ("/usr/bin/python3", "/root/ask.py", kind, address, str(port), text)
        return self.run(machine, *argv, check=False, timeout=60).stdout.strip()

    def ping(self, machine: str, address: str, *options: str, count: int = 1, wait: int = 2) -> bool:
        """True if a ping from a machine is answered."""
        argv = ("ping", "-n", "-c", str(count), "-i", "0.2", "-W", str(wait), *options, address)
        return self.run(machine, *argv, check=False, timeout=60).returncode == 0
