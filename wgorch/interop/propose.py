"""From machines that were looked at to an inventory for them: who can be dialled, whose LAN is whose, what is still free.

Every choice says why, as a comment in the file. Nothing is changed on a host.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, ip_address, ip_network

from wgorch.base.value import value
from wgorch.gather.observed import Observed
from wgorch.interop.names import name_of, quoted
from wgorch.inventory.model import DEFAULT_PORT, IPAddress, IPNetwork, SshTarget
from wgorch.plan.route_conflicts import OWNERS

CANDIDATES = [ip_network(f"10.{n}.0.0/24") for n in (99, 98, 97, 77, 66, 44)] + [
    ip_network(f"192.168.{n}.0/24") for n in (99, 98, 77)
]


BEHIND = [
    ip_network(n)
    for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8")
]
"""Addresses that the world cannot dial (RFC 1918, RFC 6598, RFC 3927)."""


@value
class Machine:
    """What is proposed for one host, each with its reason. `lans`: what it has a card into, and the card."""

    name: str
    ssh: str
    endpoint: str
    why: str
    lans: tuple[tuple[IPv4Network, str], ...]
    router: IPAddress | None = None
    listen_port: int = 0


@dataclass
class Proposal:
    """An inventory in the making; `shared` are the LANs that others are to reach, by host."""

    name: str
    interface: str
    subnet: IPNetwork
    machines: list[Machine]
    relay: str
    why_relay: str
    shared: dict[str, list[IPv4Network]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """The file."""
        lines = [
            "# Proposed by `wgorch init`, which looked at each machine. Next: wgorch check; wgorch plan; wgorch up",
            *(f"# {note}" for note in self.notes),
            "network:",
            f"  name: {self.name}",
            f"  subnet: {self.subnet}      # free: no machine has an address or a route in it",
        ]
        if self.interface != "wg0":
            lines.append(f"  interface: {self.interface}      # wg0 is there already on one of them")
        lines += ["", "hosts:"]
        order = sorted(self.machines, key=lambda m: (m.name != self.relay, not m.endpoint))
        for number, machine in enumerate(order, 1):
            lines += [
                f"  {machine.name}:",
                f"    ssh: {quoted(machine.ssh)}",
                f"    address: {self.subnet.network_address + number}",
            ]
            if machine.endpoint:
                lines.append(f"    endpoint: {machine.endpoint}      # {machine.why}")
            else:
                lines.append(f"    # no endpoint: {machine.why}")
                if machine.listen_port:
                    lines.append(f"    listen_port: {machine.listen_port}      # UDP {DEFAULT_PORT} is in use there")
            if machine.name == self.relay:
                lines.append(f"    relay: true      # {self.why_relay}")
            for lan, card in machine.lans:
                if lan in self.shared.get(machine.name, []):
                    lines.append(
                        f"    subnets: [{lan}]      # its LAN, behind {card}: others reach it through this host"
                    )
            lines.append("")
        if flows := list(self._flows(order)):
            lines += ["verify:", *flows]
        return "\n".join(lines).rstrip() + "\n"

    def _flows(self, order: list[Machine]) -> Iterator[str]:
        for machine in order:
            inside = machine.router and any(machine.router in lan for lan in self.shared.get(machine.name, []))
            other = next((m.name for m in order if m.name not in (machine.name, self.relay)), None)
            if inside and other:
                yield f"  - {other} -> {machine.router}      # the router of {machine.name}'s LAN; name a machine that matters to you"


def propose(seen: Mapping[str, Observed], ssh: Mapping[str, SshTarget], name: str) -> Proposal:
    """What is best for these machines, by what they say of themselves."""
    taken: set[str] = set()
    machines = [_machine(text, s, ssh[text], taken) for text, s in seen.items()]
    dialled = [m for m in machines if m.endpoint]
    relay, why = (dialled[0].name, "") if dialled else ("", "")
    if len(machines) - len(dialled) > 1 or (dialled and len(dialled) < len(machines)):
        why = f"the others cannot dial each other, and can dial {relay}"
    elif dialled:
        relay = ""
    proposal = Proposal(name, _interface(seen), _free(seen), machines, relay, why)
    if not dialled:
        proposal.notes.append(
            "None of them can be dialled from outside: one needs an endpoint (a public address, or a port"
        )
        proposal.notes.append("that its router hands on) before a tunnel can be.")
    owner: dict[IPv4Network, str] = {}
    for machine in machines:
        for lan, _ in machine.lans:
            other = next((o for o in owner if o.overlaps(lan)), None)
            if other is None:
                owner[lan] = machine.name
            else:
                proposal.notes.append(
                    f"{machine.name} has {lan}, which {owner[other]} has too: one LAN, or two with the same addresses?"
                )
    for lan, name in owner.items():
        proposal.shared.setdefault(name, []).append(lan)
    return proposal


def _machine(text: str, seen: Observed, ssh: SshTarget, taken: set[str]) -> Machine:
    name = name_of(seen, taken)
    public = next((a.ip for _, a in seen.links.addresses if a.version == 4 and _is_public(a.ip)), None)
    endpoint, why = "", "no address of it can be dialled from outside"
    if public is not None:
        endpoint, why = f"{public}:{DEFAULT_PORT}", "a card of it has this public address"
    elif not ssh.via and _is_public_text(ssh.host):
        endpoint, why = (
            f"{ssh.host}:{DEFAULT_PORT}",
            f"SSH reaches it there; see that UDP {DEFAULT_PORT} does, too (a cloud's firewall?)",
        )
    if endpoint and seen.system.port_taken:
        endpoint, why = f"{endpoint.rpartition(':')[0]}:{DEFAULT_PORT + 1}", f"UDP {DEFAULT_PORT} is in use there"
    lans = []
    for card, address in seen.links.addresses:
        theirs = any(card.startswith(start) for start in (*OWNERS, "wg", "tun", "tap", "lo"))
        local = address.ip.is_link_local or address.ip.is_loopback
        if (
            address.version == 4
            and not theirs
            and not local
            and not _is_public(address.ip)
            and 8 <= address.network.prefixlen <= 30
        ):
            lans.append((address.network, card))
    way = next((r for r in seen.links.routes if r.subnet.version == 4 and not r.subnet.prefixlen and r.gateway), None)
    router = ip_address(way.gateway) if way else None
    port = DEFAULT_PORT + 1 if seen.system.port_taken and not endpoint else 0
    return Machine(name, text, endpoint, why, tuple(lans[:1]), router, port)


def _is_public(ip: IPAddress) -> bool:
    return ip.version == 4 and not ip.is_multicast and not any(ip in net for net in BEHIND)


def _is_public_text(text: str) -> bool:
    try:
        return _is_public(ip_address(text))
    except ValueError:
        return False


def _interface(seen: Mapping[str, Observed]) -> str:
    names = {card for s in seen.values() for card in s.links.devices}
    return next(f"wg{n}" for n in range(100) if f"wg{n}" not in names)


def _free(seen: Mapping[str, Observed]) -> IPNetwork:
    """The first of some networks in which nobody has an address or a route."""
    used = [a.network for s in seen.values() for _, a in s.links.addresses if a.version == 4]
    used += [r.subnet for s in seen.values() for r in s.links.routes if r.subnet.version == 4 and r.subnet.prefixlen]
    return next((c for c in CANDIDATES if not any(c.overlaps(u) for u in used)), CANDIDATES[0])
