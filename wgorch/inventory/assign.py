"""Assign tunnel addresses to the hosts whose inventory gives none: the one in use, else the next free one."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace

from wgorch.inventory.flow import Flow
from wgorch.inventory.model import Host, Inventory, IPAddress, IPNetwork


def assign(
    inventory: Inventory, current: Mapping[str, Iterable[IPAddress]] | None = None, taken: Iterable[IPAddress] = ()
) -> Inventory:
    """Return the inventory with an address for each member and subnet, and for each flow to a host.

    `current` are the addresses that members have already and keep; `taken` are the addresses of others, which are not
    used. A member for which no address is left gets none.
    """
    current = current or {}
    found: dict[str, tuple[IPAddress, ...]] = dict.fromkeys(inventory.members, ())
    for subnet in inventory.network.subnets:
        for name, address in _in_subnet(subnet, inventory.members, current, set(taken)):
            found[name] += (address,)
    hosts = {name: replace(host, addresses=found[name]) for name, host in inventory.hosts.items()}
    devices = {name: replace(device, addresses=found[name]) for name, device in inventory.devices.items()}
    return replace(inventory, hosts=hosts, devices=devices, verify=tuple(_flows(inventory.verify, hosts)))


def _in_subnet(
    subnet: IPNetwork, hosts: Mapping[str, Host], current: Mapping[str, Iterable[IPAddress]], taken: set[IPAddress]
) -> Iterator[tuple[str, IPAddress]]:
    used = {ip for host in hosts.values() for ip in host.given}
    waiting = []
    for name, host in hosts.items():
        own = [ip for ip in host.given if ip.version == subnet.version]
        if own:
            yield name, own[0]
            continue
        had = [ip for ip in current.get(name, ()) if ip.version == subnet.version and ip in subnet and ip not in used]
        if had:
            used.add(had[0])
            yield name, had[0]
        else:
            waiting.append(name)
    free = _free_in(subnet, used | taken)
    for name in waiting:
        ip = next(free, None)
        if ip is not None:
            yield name, ip


def _free_in(subnet: IPNetwork, used: Container[object]) -> Iterator[IPAddress]:
    candidates: Iterator[IPAddress] = iter(subnet.hosts())
    return (ip for ip in candidates if ip not in used)


def next_free(subnet: IPNetwork, used: Container[object]) -> IPAddress | None:
    """Return the first address of a subnet that is not in `used`, or None."""
    return next(_free_in(subnet, used), None)


def _flows(flows: Iterable[Flow], hosts: Mapping[str, Host]) -> Iterator[Flow]:
    """Yield each flow once; a flow to a host once for each IP version that both ends have."""
    for flow in dict.fromkeys(f._replace(to=None) if f.target in hosts else f for f in flows):
        if flow.target not in hosts:
            yield flow
            continue
        for address in hosts[flow.target].addresses:
            if hosts[flow.source].address_of(address.version) is not None:
                yield flow._replace(to=address)
