"""The field ssh of a host: a text, or a mapping with jump hosts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wgorch.inventory import schema
from wgorch.inventory.model import AUTO, SshTarget
from wgorch.inventory.nodes import Mapping, Node, Sequence
from wgorch.inventory.sections.reading import Reading
from wgorch.inventory.targets import TARGET


def ssh(node: Node, path: str, client: str, reading: Reading) -> SshTarget | None:
    """Return an SSH target; None if a problem was added. `client`: where the target names none."""
    reading.locations[path] = node
    if not isinstance(node, Mapping):
        target: SshTarget | None = TARGET.read(node, path, reading.problems)
        return replace(target, client=client) if target else None
    values = reading.record(node, schema.SSH, path, skip=("via",))
    via_node = node.get("via")
    via = tuple(jumps(via_node, f"{path}.via", reading)) if via_node is not None else ()
    if "host" not in values:
        return None
    return SshTarget(
        values["host"],
        values.get("user"),
        values.get("port"),
        via,
        values.get("identity"),
        values.get("client", client),
    )


def jumps(node: Node, path: str, reading: Reading) -> Iterator[SshTarget]:
    """Yield the jump hosts of a field `via`: one, or a list."""
    for item in node.items if isinstance(node, Sequence) else [node]:
        if isinstance(item, Mapping) and item.get("client") is not None:
            fix = "give the client of the host behind it; all hops of a route have one client"
            reading.problems.add(item, f"{path}.client", "a jump host has no client of its own", fix)
        target = ssh(item, path, AUTO, reading)
        if target is not None:
            yield target
