"""Ends of a trace: the address of its target, and a sender that may be outside the hosts."""

from __future__ import annotations

from typing import NamedTuple

from wgorch.base.ip import as_ip
from wgorch.errors import UsageError
from wgorch.inventory.fields.suggest import choice, suggest
from wgorch.inventory.model import Inventory, IPAddress
from wgorch.run import Run
from wgorch.steps.target import lan_interface
from wgorch.topology.path import walk


class Sender(NamedTuple):
    """A sender on which wgorch runs nothing: a device, or a machine in a host's LAN."""

    address: IPAddress
    host: str
    """The first host that its packets come to."""
    arrives_by: str
    """The interface that they come in by."""


def is_own(inventory: Inventory, source: str, target: str) -> bool:
    """True for a target that is the source itself: no packet leaves it for that."""
    member = inventory.members.get(source)
    return target == source or (member is not None and as_ip(target) in member.addresses)


def hosts_on_path(run: Run, source: str, goal: IPAddress) -> list[str]:
    """Hosts on the path there and back, without devices."""
    there = walk(run.topology, source, goal, cut=run.avoided)
    names = list(there.hosts)
    own = run.topology.hosts[source].address_of(goal.version)
    if len(run.topology.relays) > 1 and own and not there.dropped:
        names += walk(run.topology, names[-1], own, origin=goal, cut=run.avoided).hosts
    return [name for name in dict.fromkeys(names) if name in run.inventory.hosts]


def gather_path(run: Run, source: str, target: str) -> None:
    """Read the hosts on the path of a packet and of its reply. Which relays those take is known only when they are read."""
    read = set[str]()
    while names := set(run.asked_for(hosts_on_path(run, source, goal_of(run.inventory, source, target)))) - read:
        run.gather([name for name in run.inventory.hosts if name in names])
        read |= names


def find_sender(run: Run, source: str, target: str) -> tuple[Sender, IPAddress]:
    """A sender outside the hosts, and the address that it sends to. Reads the hosts on the path."""
    if source in run.inventory.devices:
        return _device(run, source, target)
    return _lan_machine(run, _address(source, run.inventory), target)


def _device(run: Run, device: str, target: str) -> tuple[Sender, IPAddress]:
    if device not in run.topology.hosts:
        raise UsageError(f"{device} has no public key", f"wgorch export {device}")
    goal = goal_of(run.inventory, device, target)
    own = run.inventory.devices[device].address_of(goal.version)
    hosts = walk(run.topology, device, goal).hosts
    if own is None or len(hosts) < 2:
        raise UsageError(f"no path from {device} to {target}", "allow it in the inventory (relay, links, subnets)")
    gather_path(run, hosts[1], str(goal))
    run.require(hosts[1])
    goal = goal_of(run.inventory, device, target)
    own = run.inventory.devices[device].address_of(goal.version) or own
    return Sender(own, hosts[1], run.network.interface), goal


def _lan_machine(run: Run, address: IPAddress, target: str) -> tuple[Sender, IPAddress]:
    gateway, lan = run.inventory.lan_of(address) or ("", None)
    if gateway not in run.inventory.hosts or lan is None:
        raise UsageError(
            f"{address} is in no LAN of the inventory", "trace from a host, a device, or an address in subnets"
        )
    gather_path(run, gateway, target)
    run.require(gateway)
    interface = lan_interface(run.topology.desired(gateway), run.seen[gateway], lan)
    return Sender(address, gateway, interface), goal_of(run.inventory, gateway, target)


def goal_of(inventory: Inventory, source: str, target: str) -> IPAddress:
    """Address of a target: of a member the one that the source can reach, by IP version."""
    if target not in inventory.members:
        return _address(target, inventory)
    versions = {address.version for address in inventory.members[source].addresses}
    there = inventory.members[target]
    return next((a for a in there.addresses if a.version in versions), there.address)


def _address(text: str, inventory: Inventory) -> IPAddress:
    address = as_ip(text)
    if address is None:
        raise UsageError(
            f'"{text}" is not a host, device or address.{suggest(text, inventory.members)}', choice(inventory.members)
        )
    return address
