"""Load an inventory from a file, or report all of its problems at once."""

from __future__ import annotations

import errno
import os
import select
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from wgorch.errors import InventoryError
from wgorch.inventory import fields as f
from wgorch.inventory import schema
from wgorch.inventory.approval import ApprovalRule
from wgorch.inventory.assign import assign
from wgorch.inventory.failover import Failover
from wgorch.inventory.locations import Locations
from wgorch.inventory.model import Host, Inventory, Network
from wgorch.inventory.nodes import Mapping, Node, is_empty
from wgorch.inventory.problems import Problems
from wgorch.inventory.reader import MAX_BYTES, read
from wgorch.inventory.rules.review import Review
from wgorch.inventory.rules.rules import check
from wgorch.inventory.sections.approve import approval_rule
from wgorch.inventory.sections.flows import Names, flows, policy
from wgorch.inventory.sections.groups import read_groups
from wgorch.inventory.sections.include import with_included
from wgorch.inventory.sections.lines import links
from wgorch.inventory.sections.members import devices, hosts
from wgorch.inventory.sections.ranges import expand
from wgorch.inventory.sections.reading import Reading

PATIENCE_S = 10
"""A pipe that nothing writes into is given up after so long."""

EXAMPLE = "wgorch init writes one"


def load(path: str | Path, *, run_sources: bool = False) -> Inventory:
    """Load the inventory in a file. Raises InventoryError with every problem, each with location, field and fix.

    `run_sources`: ask its sources (`from:`) also where the person's own configuration does not allow it.
    """
    name = str(path)
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not select.select([file], [], [], PATIENCE_S)[0]:
                raise TimeoutError(errno.ETIMEDOUT, f"no data within {PATIENCE_S} s")
            os.set_blocking(file.fileno(), True)
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        fix = f"give the path of your inventory; {EXAMPLE}"
        raise InventoryError([f'{name}: error: cannot read "{name}": {error.strerror}\n    fix: {fix}']) from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig", "replace").split("\n")
        line, column, byte = len(before), len(before[-1]) + 1, raw[error.start]
        raise InventoryError(
            [f"{name}:{line}:{column}: error: byte 0x{byte:02x} is not UTF-8\n    fix: save the file as UTF-8"]
        ) from None
    return loads(text, name, is_file=True, run_sources=run_sources)


def loads(
    text: str,
    name: str = "inventory.yaml",
    *,
    whole: bool = True,
    is_file: bool = False,
    run_sources: bool = False,
) -> Inventory:
    """Load the inventory in a text; `name` is the file's in problems. Raises InventoryError.

    `whole`: False for some members of a network, which need not make one by themselves; `is_file`: read the files that it
    includes, which lie below the folder of `name`, and ask its sources, `run_sources` as of `load`.
    """
    problems = Problems(name)
    root = read(text, problems)
    reading = Reading(problems, Locations())
    if isinstance(root, Mapping) and is_file:
        root = with_included(root, name, problems)
        if root.get("from") is not None:
            from wgorch.inventory.sources.join import with_sources

            root = with_sources(root, name, problems, run_sources=run_sources)
            if problems.errors:  # without its members, what names them is no mistake
                raise InventoryError(problems.lines())
    elif isinstance(root, Mapping):
        for key in ("include", "from"):
            if (node := root.get(key)) is not None:
                problems.add(node, key, f"only a file can have {key}:", "write the sections here")
    inventory = _inventory(root, name, reading) if root is not None or not problems.count else None
    if inventory and whole:
        check(Review(inventory, reading.locations, problems))
    if problems.errors or inventory is None:
        raise InventoryError(problems.lines())
    return replace(
        assign(inventory),
        warnings=tuple(problems.lines()),
        included=problems.files,
        locations=reading.locations,
        has_sources=problems.has_sources,
        loaded_at=int(time.time()),
    )


def approval_rule_of(text: str) -> ApprovalRule | None:
    """Load the section approve alone, as a host keeps it. Raises InventoryError."""
    problems = Problems("approve")
    rule = approval_rule(read(text, problems), Reading(problems, Locations()))
    if problems.errors:
        raise InventoryError(problems.lines())
    return rule


def _inventory(root: Node | None, name: str, reading: Reading) -> Inventory | None:
    problems = reading.problems
    if not isinstance(root, Mapping):
        if root is None or is_empty(root):
            problems.add(None, "", 'the file is empty; expected a mapping with "network" and "hosts"', EXAMPLE)
        else:
            problems.add(root, "", 'expected a mapping with "network" and "hosts" at the top', EXAMPLE)
        return None
    f.check_keys(root, schema.TOP, "", problems)
    for key in ("network", "hosts"):
        if root.get(key) is None:
            problems.add(root, key, "missing", f"add a {key}: section")
    return _network_of(root, name, reading)


def _network_of(root: Mapping, name: str, reading: Reading) -> Inventory | None:
    network_node = reading.mapping(root.get("network"), "network")
    shared = reading.record(network_node, schema.NETWORK, "network") if network_node else {}
    hosts_node = reading.mapping(root.get("hosts"), "hosts")
    if hosts_node and not hosts_node.items:
        reading.problems.add(hosts_node, "hosts", "no hosts given", "see inventory/home-company.yaml for one")
    items = list(expand(hosts_node, "hosts", reading.problems)) if hosts_node else []
    names = {item.key.text for item in items}
    devices_node = reading.mapping(root.get("devices"), "devices")
    device_names = {key.text for key, _ in devices_node.items} if devices_node else set()
    groups = read_groups(root, names, device_names, reading)
    members = dict(hosts(items, shared, groups, reading))
    known = Names(names, device_names, groups.members)
    checks = tuple(flows(root.get("verify"), known, reading))
    allowed = tuple(policy(root.get("policy"), known, reading))
    if "name" not in shared or "subnet" not in shared:
        return None
    others = dict(devices(devices_node, shared, groups, reading)) if devices_node else {}
    rules = tuple(links(root.get("links"), names, reading))
    return Inventory(
        path=name,
        network=_network(shared, members.values()),
        hosts=members,
        verify=tuple(flow for flow in checks if flow.to or flow.target in members),
        links=tuple(rule for rule in rules if rule.one in members and rule.other in members),
        devices=others,
        policy=allowed,
        approve=approval_rule(root.get("approve"), reading),
        groups=groups.members,
    )


def _network(shared: dict[str, Any], hosts: Iterable[Host]) -> Network:
    hosts = list(hosts)
    exits = any(host.exit for host in hosts)
    endpoints = (way.endpoint.host for host in hosts for way in host.all_ways)
    uses_ipv6 = any(subnet.version == 6 for subnet in shared["subnet"]) or any(":" in host for host in endpoints)
    return Network(
        name=shared["name"],
        subnets=shared["subnet"],
        interface=shared.get("interface", "wg0"),
        ipv6=exits or uses_ipv6,
        mtu=shared.get("mtu"),
        exits=exits,
        preshared_keys=shared.get("preshared_keys", (False, True))[0],
        over_classical=shared.get("preshared_keys", (False, True))[1],
        direct="direct" in shared,
        several_relays=sum(host.relay for host in hosts) > 1,
        failover=shared.get("failover", Failover()),
    )
