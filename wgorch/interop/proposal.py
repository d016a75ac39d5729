"""A proposed inventory: what each machine gets, and the file, with a reason for every choice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from wgorch.base.value import value
from wgorch.interop import yaml
from wgorch.inventory.dump import in_one_line, ssh
from wgorch.inventory.model import DEFAULT_PORT, IPAddress, IPNetwork, SshTarget


@value
class Machine:
    """A proposed host."""

    name: str
    ssh: str
    """Its SSH target, as a person names it."""
    target: SshTarget
    """The same with its jump hosts and key file."""
    endpoint: str
    """``HOST:PORT``; empty where it has no public address."""
    why: str
    """Reason for the endpoint, or for its absence."""
    lans: tuple[tuple[IPv4Network, str], ...]
    """Subnets it has an address in, with the interface."""
    router: IPAddress | None = None
    """Gateway of its default route."""
    listen_port: int = 0
    """0: the default."""


@dataclass
class Proposal:
    """An inventory in the making: `shared` may still be changed."""

    name: str
    interface: str
    subnet: IPNetwork
    why_subnet: str
    machines: list[Machine]
    relay: str
    """Empty where none is needed."""
    why_relay: str
    shared: dict[str, list[IPv4Network]] = field(default_factory=dict)
    """LANs that the other hosts are to reach, by host."""
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """The inventory file."""
        order = sorted(self.machines, key=lambda m: (m.name != self.relay, not m.endpoint))
        head = "Proposed by `wgorch init` after inspecting each machine. Next: wgorch rehearse; wgorch plan; wgorch up"
        hosts = (yaml.block(machine.name, self._host(number, machine)) for number, machine in enumerate(order, 1))
        flows = list(self._flows(order))
        return yaml.document(
            [*map(yaml.comment, (head, *self.notes)), *yaml.block("network", self._network())],
            yaml.block("hosts", yaml.paragraphs(hosts)),
            yaml.block("verify", flows) if flows else (),
        )

    def _network(self) -> Iterator[str]:
        yield yaml.entry("name", self.name)
        yield yaml.entry("subnet", str(self.subnet), self.why_subnet)
        if self.interface != "wg0":
            yield yaml.entry("interface", self.interface, "wg0 exists on one of the machines")

    def _host(self, number: int, machine: Machine) -> Iterator[str]:
        login, *rest = self.host_lines(machine)
        yield from (login, yaml.entry("address", str(self.subnet.network_address + number)), *rest)

    def host_lines(self, machine: Machine) -> Iterator[str]:
        """The fields of a machine, without an address."""
        target = ssh(machine.target, identities=True)
        yield yaml.entry("ssh", yaml.scalar(machine.ssh)) if isinstance(target, str) else in_one_line("ssh", target)
        if machine.endpoint:
            endpoint = yaml.scalar(machine.endpoint) if machine.endpoint.startswith("[") else machine.endpoint
            yield yaml.entry("endpoint", endpoint, machine.why)
        else:
            yield yaml.comment(f"no endpoint: {machine.why}")
            if machine.listen_port:
                yield yaml.entry("listen_port", str(machine.listen_port), f"UDP {DEFAULT_PORT} is in use")
        if machine.name == self.relay:
            yield yaml.entry("relay", "true", self.why_relay)
        for lan, interface in machine.lans:
            if lan in self.shared.get(machine.name, []):
                reason = f"LAN of {interface}; the other hosts reach it through this one"
                yield yaml.entry("subnets", yaml.flow([lan]), reason)

    def _flows(self, order: list[Machine]) -> Iterator[str]:
        for machine in order:
            inside = machine.router and any(machine.router in lan for lan in self.shared.get(machine.name, []))
            other = next((m.name for m in order if m.name not in (machine.name, self.relay)), None)
            if inside and other:
                reason = f"router of {machine.name}'s LAN; name a machine that matters instead"
                yield yaml.item(f"{other} -> {machine.router}", reason)
