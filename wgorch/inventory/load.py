"""From a file to an Inventory, or to all of its troubles at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from wgorch.errors import InventoryError
from wgorch.inventory import fields as f
from wgorch.inventory import schema
from wgorch.inventory.assign import assign
from wgorch.inventory.model import NOWHERE, Flow, Host, Inventory, LinkRule, Network, SshTarget
from wgorch.inventory.nodes import Mapping, Node, Scalar, Sequence
from wgorch.inventory.problems import Problems
from wgorch.inventory.reader import MAX_BYTES, read
from wgorch.inventory.rules.locations import Locations
from wgorch.inventory.rules.rules import check
from wgorch.inventory.targets import target as target_of

DEFAULT_PORT = 51820


def load(path: str | Path) -> Inventory:
    """The inventory in a file. Raises InventoryError with every trouble, each with line, column, field and fix."""
    name = str(path)
    try:
        with Path(path).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        fix = "give the path of your inventory; inventory/home-company.yaml is one to start from"
        raise InventoryError([f'{name}: error: cannot read "{name}": {error.strerror}\n    fix: {fix}']) from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig", "replace").split("\n")
        line, column, byte = len(before), len(before[-1]) + 1, raw[error.start]
        raise InventoryError(
            [f"{name}:{line}:{column}: error: byte 0x{byte:02x} is not UTF-8\n    fix: save the file as UTF-8"]
        ) from None
    return loads(text, name)


def loads(text: str, name: str = "inventory.yaml") -> Inventory:
    """The inventory in a text."""
    problems = Problems(name)
    root = read(text, problems)
    inventory = _inventory(root, name, problems) if root is not None or not problems.found else None
    if problems.errors or inventory is None:
        raise InventoryError(problems.lines())
    return replace(inventory, warnings=tuple(problems.lines()))


def _inventory(root: Node | None, name: str, problems: Problems) -> Inventory | None:
    if root is None or (isinstance(root, Scalar) and not root.text):
        fix = "inventory/home-company.yaml is one to start from"
        problems.add(None, "", 'the file is empty; expected a mapping with "network" and "hosts"', fix)
        return None
    if not isinstance(root, Mapping):
        fix = "inventory/home-company.yaml is one to start from"
        problems.add(root, "", 'expected a mapping with "network" and "hosts" at the top', fix)
        return None
    f.check_keys(root, schema.TOP, "", problems)
    for key in ("network", "hosts"):
        if root.get(key) is None:
            problems.add(root, key, "missing", f"add a {key}: section")
    locations = Locations()
    network_node = _mapping(root.get("network"), "network", problems)
    shared = _record(network_node, schema.NETWORK, "network", problems, locations) if network_node else {}
    network = None
    if "name" in shared and "subnet" in shared:
        network = Network(
            shared["name"],
            shared["subnet"],
            shared.get("interface", "wg0"),
            mtu=shared.get("mtu"),
            preshared_keys=shared.get("preshared_keys", False),
            direct="direct" in shared,
        )
    hosts_node = _mapping(root.get("hosts"), "hosts", problems)
    if hosts_node and not hosts_node.items:
        problems.add(hosts_node, "hosts", "no host is given", "see inventory/home-company.yaml for one")
    hosts = dict(_hosts(hosts_node, shared, problems, locations)) if hosts_node else {}
    all_names = {key.text for key, _ in hosts_node.items} if hosts_node else set()
    flows = tuple(_flows(root.get("verify"), all_names, problems, locations))
    if network is None:
        return None
    devices_node = _mapping(root.get("devices"), "devices", problems)
    devices = dict(_devices(devices_node, shared, problems, locations)) if devices_node else {}
    links = tuple(_links(root.get("links"), all_names, problems, locations))
    exits = any(host.exit for host in hosts.values())
    network = replace(network, exits=exits, ipv6=exits or _uses_ipv6(network, hosts.values()))
    flows = tuple(flow for flow in flows if flow.to or flow.target in hosts)
    links = tuple(link for link in links if link.one in hosts and link.other in hosts)
    given = Inventory(name, network, hosts, flows, links, devices)
    check(given, locations, problems)
    return assign(given)


def _uses_ipv6(network: Network, hosts: Iterable[Host]) -> bool:
    endpoints = (host.endpoint.host for host in hosts if host.endpoint)
    return any(s.version == 6 for s in network.subnets) or any(":" in machine for machine in endpoints)


def _mapping(node: Node | None, path: str, problems: Problems) -> Mapping | None:
    if node is None or isinstance(node, Mapping):
        return node
    if isinstance(node, Scalar) and not node.text:
        problems.add(node, path, "empty", "give a value or delete the line")
    else:
        fix = f"write the fields of {path} below it, each indented, as name: value"
        problems.add(
            node, path, f"expected a mapping, got {'a list' if isinstance(node, Sequence) else 'a value'}", fix
        )
    return None


def _record(
    node: Mapping, entries: dict[str, schema.Entry], path: str, problems: Problems, locations: Locations, skip: str = ""
) -> dict[str, Any]:
    """The fields of one mapping that could be read; the place of each is kept."""
    f.check_keys(node, entries, path, problems)
    values: dict[str, Any] = {}
    for key, value_node in node.items:
        entry = entries.get(key.text)
        if entry is None or key.text == skip:
            continue
        at = f"{path}.{key.text}"
        value = entry.reader.read(value_node, at, problems)
        if value is None:
            continue
        if isinstance(value, list):
            for i, (item_node, _) in enumerate(value if isinstance(value_node, Sequence) else ()):
                locations[f"{at}[{i}]"] = item_node
            value = tuple(item for _, item in value)
        values[key.text] = value
        locations[at] = value_node
    for name, entry in entries.items():
        if entry.required and node.get(name) is None:
            fix = f"{name}: {entry.example}" if entry.example else f"add {name}:"
            problems.add(node, f"{path}.{name}", "missing", fix)
    return values


def _hosts(
    node: Mapping, shared: dict[str, Any], problems: Problems, locations: Locations
) -> Iterator[tuple[str, Host]]:
    lower: dict[str, Scalar] = {}
    for key, value in node.items:
        name = f.HOST_NAME.read(key, "hosts", problems)
        twin = lower.setdefault(key.text.lower(), key)
        if twin is not key and twin.text != key.text:
            message = f"differs only in case from hosts.{twin.text} ({twin.line}:{twin.column})"
            problems.add(key, f"hosts.{key.text}", message, "give each host a name of its own, in small letters")
        path = f"hosts.{key.text}"
        if not isinstance(value, Mapping):
            problems.add(value, path, "expected a mapping with ssh", 'write "ssh: root@HOST" below the name')
            continue
        values = _record(value, schema.HOST, path, problems, locations, skip="ssh")
        ssh_node = value.get("ssh")
        ssh = _ssh(ssh_node, f"{path}.ssh", problems, locations) if ssh_node else None
        locations[path] = key
        if name is None or ssh is None or (value.get("address") is not None and "address" not in values):
            continue
        yield name, _host(name, ssh, values, shared)


def _devices(
    node: Mapping, shared: dict[str, Any], problems: Problems, locations: Locations
) -> Iterator[tuple[str, Host]]:
    for key, value in node.items:
        path = f"devices.{key.text}"
        name = f.HOST_NAME.read(key, "devices", problems)
        locations[path] = key
        # `phone:` alone is a device of which nothing is known yet.
        empty = isinstance(value, Scalar) and not value.text
        if not empty and not isinstance(value, Mapping):
            problems.add(value, path, "expected a mapping", 'write "public_key: …" below the name, or nothing')
            continue
        values = _record(value, schema.DEVICE, path, problems, locations) if isinstance(value, Mapping) else {}
        if name is not None:
            yield name, _host(name, NOWHERE, values, shared)


def _host(name: str, ssh: SshTarget, values: dict[str, Any], shared: dict[str, Any]) -> Host:
    endpoint = values.get("endpoint")
    port = values.get("listen_port") or (endpoint.port if endpoint else shared.get("listen_port", DEFAULT_PORT))
    return Host(
        name=name,
        ssh=ssh,
        addresses=values.get("address", ()),
        given=values.get("address", ()),
        public_key=values.get("public_key"),
        listen_port=port,
        endpoint=endpoint,
        relay=values.get("relay", False),
        subnets=tuple(name for name, _ in values.get("subnets", ())),
        maps=tuple(pair for pair in values.get("subnets", ()) if pair[0] != pair[1]),
        private_key=next(iter(values.get("private_key", ())), ()),
        exit=values.get("exit"),
        dns=values.get("dns", ()),
        lan_interface=values.get("lan_interface"),
        mtu=values.get("mtu"),
        persistent_keepalive=values.get("persistent_keepalive", shared.get("persistent_keepalive", 25)),
        masquerade=values.get("masquerade", True),
        wireguard_go=values.get("wireguard_go", True),
        host_key=values.get("host_key"),
        enter=tuple(values.get("enter", ())),
    )


def _ssh(node: Node, path: str, problems: Problems, locations: Locations) -> SshTarget | None:
    locations[path] = node
    if isinstance(node, Mapping):
        values = _record(node, schema.SSH, path, problems, locations, skip="via")
        via_node = node.get("via")
        via = tuple(_via(via_node, f"{path}.via", problems, locations)) if via_node is not None else ()
        if "host" not in values:
            return None
        return SshTarget(values["host"], values.get("user"), values.get("port"), via, values.get("identity"))
    return target_of(node, path, problems)


def _via(node: Node, path: str, problems: Problems, locations: Locations) -> Iterator[SshTarget]:
    items = node.items if isinstance(node, Sequence) else [node]
    for item in items:
        locations[path] = item
        target = _ssh(item, path, problems, locations) if isinstance(item, Mapping) else target_of(item, path, problems)
        if target is not None:
            yield target


def _lines(
    node: Node | None, key: str, example: str, of: f.Field, problems: Problems, locations: Locations
) -> Iterator[Any]:
    """The values of a list of lines at the top of the file."""
    if node is None:
        return
    if isinstance(node, Scalar) and not node.text:
        problems.add(node, key, "empty", f"list {'flows' if key == 'verify' else key} below it, or delete the line")
        return
    if not isinstance(node, Sequence):
        problems.add(node, key, "expected a list", f'write "- {example}" on lines of their own')
        return
    for i, item in enumerate(node.items):
        locations[f"{key}[{i}]"] = item
        value = of.read(item, f"{key}[{i}]", problems)
        if value is not None:
            yield value


def _known(name: str, names: set[str], problems: Problems) -> None:
    if names and name not in names:
        hint = f.suggest(name, names) if len(problems.found) < 100 else ""
        raise f.InvalidValue(f'there is no host "{name}".{hint}', f.choice(names))


def _links(node: Node | None, names: set[str], problems: Problems, locations: Locations) -> Iterator[LinkRule]:
    def parse(text: str) -> LinkRule:
        hit = re.fullmatch(r"\s*(\S+)\s+(--|-x-)\s+(\S+)\s*", text)
        if not hit:
            raise f.InvalidValue(f'"{text}" is not a link', "write it as: home -- bcc, or as: cloud -x- home")
        for name in (hit[1], hit[3]):
            _known(name, names, problems)
        return LinkRule(hit[1], hit[3], hit[2] == "--")

    return _lines(node, "links", "home -- bcc", f.Field("a link like home -- bcc", parse, {}), problems, locations)


def _flows(node: Node | None, names: set[str], problems: Problems, locations: Locations) -> Iterator[Flow]:
    def parse(text: str) -> Flow:
        source, arrow, target = (part.strip() for part in text.partition("->"))
        if not arrow or not source or not target or "->" in target:
            raise f.InvalidValue(f'"{text}" is not a flow', "write it as: home -> 10.10.13.61")
        for name in (source, *([target] if not re.match(r"[0-9:]|[0-9a-f]+:", target) else [])):
            _known(name, names, problems)
        return Flow(source, target, None if target in names or not names else f.address(target))

    reader = f.Field("a flow like home -> 10.10.13.61", parse, {})
    return _lines(node, "verify", "home -> 10.10.13.61", reader, problems, locations)
