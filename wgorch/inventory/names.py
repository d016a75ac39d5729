"""Names of hosts and groups that a person gives."""

from __future__ import annotations

from collections.abc import Iterable

from wgorch.errors import UsageError
from wgorch.inventory.fields import suggest
from wgorch.inventory.model import Inventory


def check_host(inventory: Inventory, name: str) -> str:
    """The name of one host. Raises UsageError for a group, and for one that is not in the inventory."""
    check_names(inventory, [name])
    if name not in inventory.hosts:
        raise UsageError(f"{name} is a group", f"name one of its hosts: {', '.join(inventory.groups[name][:6])}")
    return name


def check_names(inventory: Inventory, names: Iterable[str]) -> frozenset[str]:
    """Names of hosts, and the hosts of groups, as a set. Raises UsageError for one that is not in the inventory."""
    found: set[str] = set()
    known = {**inventory.hosts, **inventory.groups}
    for name in names:
        if name not in known:
            meant = suggest(name, known)
            raise UsageError(f'no host "{name}" in {inventory.path}.{meant}', f"one of {', '.join(known)}")
        hosts = [name] if name in inventory.hosts else [n for n in inventory.groups[name] if n in inventory.hosts]
        if not hosts:
            raise UsageError(f"no member of group {name} is a host", f"add one to groups.{name}")
        found.update(hosts)
    return frozenset(found)
