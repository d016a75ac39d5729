"""Propose an inventory for machines that were read: endpoints, relay, LANs, and a free subnet for the tunnel.

Read-only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import IPv4Network, ip_address, ip_network

from wgorch.base.ip import as_ip, is_public
from wgorch.facts.owners import owner_of
from wgorch.gather.observed import Observed
from wgorch.interop.names import name_of
from wgorch.interop.proposal import Machine, Proposal
from wgorch.inventory.model import DEFAULT_PORT, IPAddress, IPNetwork, SshTarget

CANDIDATES = [ip_network(f"10.{n}.0.0/24") for n in (99, 98, 97, 77, 66, 44)] + [
    ip_network(f"192.168.{n}.0/24") for n in (99, 98, 77)
]
"""Subnets for the tunnel, best first."""


def propose(
    seen: Mapping[str, Observed], ssh: Mapping[str, SshTarget], name: str, addresses: Mapping[str, str] | None = None
) -> Proposal:
    """An inventory of machines by SSH target; `name` is the network's, `addresses` are those that SSH connects to."""
    taken: set[str] = set()
    seen, twins = _distinct(seen)
    reached = {text: (addresses or {}).get(text, target.host) for text, target in ssh.items()}
    machines = [_machine(text, s, replace(ssh[text], host=reached[text]), taken) for text, s in seen.items()]
    notes = [*twins, *([] if any(machine.endpoint for machine in machines) else [NO_ENDPOINT])]
    shared, conflicts = _shared(machines)
    return Proposal(name, _interface(seen), _free(seen), machines, *_relay(machines), shared, [*notes, *conflicts])


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


def _shared(machines: list[Machine]) -> tuple[dict[str, list[IPv4Network]], list[str]]:
    """LANs by host, each of one host only; and a note for each that overlaps another one."""
    owner: dict[IPv4Network, str] = {}
    notes = []
    for machine in machines:
        for lan, _ in machine.lans:
            other = next((o for o in owner if o.overlaps(lan)), None)
            if other is None:
                owner[lan] = machine.name
            else:
                lans = f"{lan} of {machine.name} overlaps {other} of {owner[other]}"
                notes.append(f"{lans}: only the latter is routed; renumber one if they are two LANs.")
    shared: dict[str, list[IPv4Network]] = {}
    for lan, name in owner.items():
        shared.setdefault(name, []).append(lan)
    return shared, notes


def _machine(text: str, seen: Observed, ssh: SshTarget, taken: set[str]) -> Machine:
    name, busy = name_of(seen, taken), seen.system.port_taken
    endpoint, why = _endpoint(seen, ssh)
    if endpoint and busy:
        why = f"UDP {DEFAULT_PORT} is in use"
    port = DEFAULT_PORT + 1 if busy else DEFAULT_PORT
    return Machine(
        name,
        text,
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
        local = address.ip.is_link_local or address.ip.is_loopback
        if not local and not _is_public_ipv4(address.ip) and 8 <= address.network.prefixlen <= 30:
            yield address.network, device


def _router(seen: Observed) -> IPAddress | None:
    """The gateway of the default route."""
    defaults = (r for r in seen.links.routes if r.subnet.version == 4 and not r.subnet.prefixlen and r.gateway)
    return next((ip_address(route.gateway) for route in defaults), None)


def _is_public_ipv4(ip: IPAddress | None) -> bool:
    return ip is not None and ip.version == 4 and is_public(ip)


def _interface(seen: Mapping[str, Observed]) -> str:
    """The first free name."""
    names = {device for s in seen.values() for device in s.links.devices}
    return next(f"wg{n}" for n in range(100) if f"wg{n}" not in names)


def _free(seen: Mapping[str, Observed]) -> IPNetwork:
    """The first candidate in which no machine has an address or a route."""
    used = [a.network for s in seen.values() for _, a in s.links.addresses if a.version == 4]
    used += [r.subnet for s in seen.values() for r in s.links.routes if r.subnet.version == 4 and r.subnet.prefixlen]
    return next((c for c in CANDIDATES if not any(c.overlaps(u) for u in used)), CANDIDATES[0])
