"""Rules for exit nodes."""

from __future__ import annotations

from wgorch.inventory.fields.suggest import suggest
from wgorch.inventory.model import Host, Inventory
from wgorch.inventory.rules.review import Review


def exits(review: Review) -> None:
    """An exit node is another host, with an endpoint and without an exit node of its own."""
    for name, member in review.inventory.members.items():
        problem = _problem(member, member.exit, review.inventory) if member.exit is not None else ""
        if problem:
            public = [n for n, host in review.inventory.hosts.items() if host.endpoint and n != name]
            fix = f"one of: {', '.join(public[:8])}" if public else "delete the line"
            review.add(f"{'devices' if member.is_device else 'hosts'}.{name}.exit", problem, fix)


def _problem(member: Host, exit_node: str, inventory: Inventory) -> str:
    node = inventory.hosts.get(exit_node)
    if node is None:
        return f'there is no host "{exit_node}".{suggest(exit_node, inventory.hosts)}'
    if exit_node == member.name:
        return "a host cannot be its own exit node"
    if not node.endpoint:
        return f"{exit_node} has no endpoint, so {member.name} is no peer of it"
    if node.exit:
        return f"{exit_node} itself uses the exit node {node.exit}"
    if member.relay:
        return f"{member.name} is a relay; the packets that it forwards would use the exit node too"
    return ""
