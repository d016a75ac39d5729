"""Propose an inventory for machines that were read: endpoints, relay, LANs, and a free subnet for the tunnel.

Read-only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import IPv4Network, ip_address

from wgorch.base.ip import as_ip, is_public
from wgorch.facts.owners import owner_of
from wgorch.gather.observed import Observed
from wgorch.interop.names import name_of
from wgorch.interop.proposal import Machine, Proposal
from wgorch.inventory.model import DEFAULT_PORT, IPAddress, IPNetwork, SshTarget

_FIRST = (*(f"10.{n}.0.0/24" for n in (99, 98, 97, 77, 66, 44)), *(f"192.168.{n}.0/24" for n in (99, 98, 77)))
_FURTHER = (
    *(f"172.{n}.99.0/24" for n in range(31, 15, -1)),
    *(f"192.168.{n}.0/24" for n in range(254, 100, -1)),
    *(f"10.{n}.99.0/24" for n in range(254, 100, -1)),
)
CANDIDATES = [IPv4Network(text) for text in (*_FIRST, *_FURTHER)]
"""Subnets for the tunnel, best first."""
LANS = [IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
"""What a LAN to share lies in: RFC 1918. Others are a carrier's, or not meant to be routed."""
HALF = 7
"""Routes of so short a prefix stand for the default route, as VPN clients make them."""


def propose(
    seen: Mapping[str, Observed], ssh: Mapping[str, SshTarget], name: str, addresses: Mapping[str, str] | None = None
) -> Proposal:
    """An inventory of machines by SSH target; `name` is the network's, `addresses` are those that SSH connects to."""
    taken: set[str] = set()
    seen, twins = _distinct(seen)
    reached = {text: (addresses or {}).get(text, target.host) for text, target in ssh.items()}
    machines = [_machine(text, s, ssh[text], reached[text], taken) for text, s in seen.items()]
    machines = _with_own_endpoints(machines, {m.name: reached[m.ssh] for m in machines})
    notes = [*twins, *([] if any(machine.endpoint for machine in machines) else [NO_ENDPOINT])]
    shared, conflicts = _shared({machine.name: machine for machine in machines}, _by_name(machines, seen))
    free = _free(seen)
    notes += conflicts
    if free is None:
        notes.append(f"Every candidate for network.subnet is in use somewhere: replace {CANDIDATES[0]} by a free one.")
    why = "free: no machine has an address or a route in it" if free else "in use: choose another"
    subnet = free or CANDIDATES[0]
    return Proposal(name, _interface(seen), subnet, why, machines, *_relay(machines), shared, notes)


def _with_own_endpoints(machines: list[Machine], reached: Mapping[str, str]) -> list[Machine]:
    """The machines; of several with one endpoint only that keeps it which SSH reaches there.

    `reached`: the address that SSH connects to, by name.
    """
    found = []
    for machine in machines:
        others = [o.name for o in machines if machine.endpoint and o is not machine and o.endpoint == machine.endpoint]
        address, _, port = machine.endpoint.rpartition(":")
        address = address.strip("[]")
        if others and as_ip(reached[machine.name]) != as_ip(address):
            # It proves nothing: one of them may be another network's, or a mistake.
            why = f"{' and '.join(others)} has its public address {address}, too"
            listen = int(port) if int(port) != DEFAULT_PORT else 0
            machine = replace(machine, endpoint="", why=why, listen_port=listen)
        found.append(machine)
    return found


def _by_name(machines: list[Machine], seen: Mapping[str, Observed]) -> dict[str, Observed]:
    return {machine.name: there for machine, there in zip(machines, seen.values(), strict=True)}


def _distinct(seen: Mapping[str, Observed]) -> tuple[dict[str, Observed], list[str]]:
    """The machines, each once; and a note for each further name of one."""
    first: dict[object, str] = {}
    notes = []
    for text, there in seen.items():
        own = frozenset(str(address) for _, address in there.links.addresses if not address.ip.is_loopback)
        machine = (there.system.machine_id, there.system.boot_id, own)
        twin = first.setdefault(machine, text)
        if twin != text:
            notes.append(f"{text} is the same machine as {twin}: left out.")
    return {text: seen[text] for text in first.values()}, notes


NO_ENDPOINT = "No machine has a public address: give one an endpoint (a forwarded port will do)."


def _relay(machines: list[Machine]) -> tuple[str, str]:
    """The relay and its reason; empty where all machines have an endpoint, or none has."""
    reachable = [machine for machine in machines if machine.endpoint]
    if not reachable or len(reachable) == len(machines):
        return "", ""
    return reachable[0].name, "hosts without an endpoint reach each other through it"


def _shared(
    machines: Mapping[str, Machine], seen: Mapping[str, Observed]
) -> tuple[dict[str, list[IPv4Network]], list[str]]:
    """LANs by host, each of one host only that no other one is in; and a note for each that is not routed."""
    shared: dict[str, list[IPv4Network]] = {}
    notes = []
    for name, machine in machines.items():
        for lan, _ in machine.lans:
            others = {other: why for other in seen if other != name and (why := _conflict(lan, seen[other]))}
            if not others:
                shared.setdefault(name, []).append(lan)
                continue
            first, why = next(iter(others.items()))
            one = f"if it is one LAN, give {name} subnets: [{lan}] and {' and '.join(others)} behind: {name}"
            notes.append(f"{lan} of {name} is not routed: {first} has {why}; {one}; if they are two, renumber one.")
    return shared, notes


def _conflict(lan: IPv4Network, seen: Observed) -> str:
    """What of another machine a route to a LAN would cut off; empty where nothing."""
    for device, address in seen.links.addresses:
        if device != "lo" and address.version == 4 and address.network.overlaps(lan):
            return f"{address} on {device}"
    if any(route.subnet == lan for route in seen.links.routes):
        return "a route to it"
    client = as_ip(seen.system.ssh_client)
    return f"its SSH session from {client}" if client and client.version == 4 and client in lan else ""


def _machine(text: str, seen: Observed, ssh: SshTarget, reached: str, taken: set[str]) -> Machine:
    name, busy = name_of(seen, taken), bool(seen.system.ports_taken)
    endpoint, why = _endpoint(seen, replace(ssh, host=reached))
    if endpoint and busy:
        why = f"UDP {DEFAULT_PORT} is in use"
    port = DEFAULT_PORT + 1 if busy else DEFAULT_PORT
    return Machine(
        name,
        text,
        ssh,
        f"{endpoint}:{port}" if endpoint else "",
        why,
        tuple(_lans(seen))[:1],
        _router(seen),
        port if busy and not endpoint else 0,
    )


def _endpoint(seen: Observed, ssh: SshTarget) -> tuple[str, str]:
    """The public address of a machine, empty where it has none, and the reason."""
    up = {name for name, device in seen.links.devices.items() if device.up}
    target = None if ssh.via else as_ip(ssh.host)
    # IPv4 first: every other host has it.
    for version in (4, 6):
        own = (a.ip for name, a in seen.links.addresses if name in up and a.version == version and is_public(a.ip))
        if (public := next(own, None)) is not None:
            return _in_endpoint(public), "public address of an interface"
        if target is not None and target.version == version and is_public(target):
            why = f"address of its SSH target; open UDP {DEFAULT_PORT} there, too (cloud firewall)"
            return _in_endpoint(target), why
    return "", "no public address"


def _in_endpoint(ip: IPAddress) -> str:
    return f"[{ip}]" if ip.version == 6 else str(ip)


def _lans(seen: Observed) -> Iterator[tuple[IPv4Network, str]]:
    """LANs of a machine, each with its interface."""
    for device, address in seen.links.addresses:
        if address.version != 4 or device == "lo" or owner_of(device):
            continue
        if any(address.network.subnet_of(lan) for lan in LANS) and address.network.prefixlen <= 30:
            yield address.network, device


def _router(seen: Observed) -> IPAddress | None:
    """The gateway of the default route."""
    defaults = (r for r in seen.links.routes if r.subnet.version == 4 and not r.subnet.prefixlen and r.gateway)
    return next((ip_address(route.gateway) for route in defaults), None)


def _interface(seen: Mapping[str, Observed]) -> str:
    """The first free name."""
    names = {device for s in seen.values() for device in s.links.devices}
    return next(f"wg{n}" for n in range(100) if f"wg{n}" not in names)


def _free(seen: Mapping[str, Observed]) -> IPNetwork | None:
    """The first candidate in which no machine has an address or a route; None where there is none."""
    used = {a.network for s in seen.values() for _, a in s.links.addresses if a.version == 4}
    used |= {
        r.subnet for s in seen.values() for r in s.links.routes if r.subnet.version == 4 and r.subnet.prefixlen > HALF
    }
    return next((c for c in CANDIDATES if not any(c.overlaps(u) for u in used)), None)
