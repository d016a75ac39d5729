"""Show what a host has after defaults, groups and ranges, and where in the file each value stands."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.inventory.dump import dump, in_one_line
from wgorch.inventory.model import Inventory


def show(inventory: Inventory, name: str) -> Iterator[str]:
    """The fields of a host as lines of YAML, each with its place behind it: ``FILE:LINE``."""
    host = inventory.hosts[name]
    fields = dump(inventory)["hosts"][name]
    if host.ssh.identity and isinstance(fields["ssh"], dict):
        fields["ssh"]["identity"] = host.ssh.identity
    groups = [group for group, members in inventory.groups.items() if name in members]
    yield f"{name}:" + (f"  # in {', '.join(groups)}" if groups else "")
    for field, value in fields.items():
        yield f"  {in_one_line(field, value)}  # {_places(inventory, name, field)}"


def _places(inventory: Inventory, name: str, field: str) -> str:
    """Where a value stands; where it has parts, each place once."""
    locations = inventory.locations
    path = f"hosts.{name}.{field}"
    wanted = [path, *(each for each in locations if each.startswith(f"{path}."))]
    if path not in locations:
        wanted.append(f"network.{field}")
    places = (
        f"{locations[each].file or inventory.path}:{locations[each].line}" for each in wanted if each in locations
    )
    return ", ".join(dict.fromkeys(places)) or "assigned"
