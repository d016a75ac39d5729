"""The sections hosts and devices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from wgorch.inventory import fields as f
from wgorch.inventory import schema
from wgorch.inventory.endpoint import Endpoint, Way
from wgorch.inventory.model import AUTO, DEFAULT_PORT, NOWHERE, Host, SshTarget
from wgorch.inventory.nodes import Mapping, Scalar, is_empty, place
from wgorch.inventory.sections.groups import Groups
from wgorch.inventory.sections.ranges import Item
from wgorch.inventory.sections.reading import Reading
from wgorch.inventory.sections.ssh import ssh


def hosts(
    items: Iterable[Item], shared: dict[str, Any], groups: Groups, reading: Reading
) -> Iterator[tuple[str, Host]]:
    """Yield the valid hosts by name; `shared` are the fields of the network."""
    names: dict[str, Scalar] = {}
    wrong = False
    for item in items:
        if not item.first and wrong:
            continue
        before = reading.problems.count
        if not _is_twin(item.key, names, reading) and (host := _host(item, shared, groups, reading)):
            yield host.name, host
        wrong = reading.problems.count > before


def _is_twin(key: Scalar, names: dict[str, Scalar], reading: Reading) -> bool:
    """Whether a name is another host's, or differs from it only in case, which adds a problem."""
    twin = names.setdefault(key.text.lower(), key)
    if twin is key:
        return False
    same = "is given twice, by a range and by itself or another: first" if twin.text == key.text else ""
    message = f"{same or f'differs only in case from hosts.{twin.text}'} ({place(twin)})"
    reading.problems.add(key, f"hosts.{key.text}", message, "give each host a name of its own, in small letters")
    return bool(same)


def _host(item: Item, shared: dict[str, Any], groups: Groups, reading: Reading) -> Host | None:
    key, value = item.key, item.value
    name, path = f.HOST_NAME.read(key, "hosts", reading.problems), f"hosts.{key.text}"
    if not isinstance(value, Mapping):
        reading.problems.add(value, path, "expected a mapping with ssh", 'write "ssh: root@HOST" below the name')
        return None
    values = reading.record(value, schema.HOST, path, skip=("ssh",))
    ssh_node = value.get("ssh")
    target = ssh(ssh_node, f"{path}.ssh", "", reading) if ssh_node else None
    reading.locations[path] = key
    bad_address = value.get("address") is not None and "address" not in values
    if name is None or target is None or bad_address:
        return None
    common, places = groups.common(name, {field.text for field, _ in value.items}, reading)
    named = {field.text for field, _ in ssh_node.items} if isinstance(ssh_node, Mapping) else set[str]()
    target, more = groups.target(name, target, named, shared.get("ssh", AUTO), reading)
    for field, its in {**places, **{f"ssh.{field}": its for field, its in more.items()}}.items():
        if its in reading.locations:
            reading.locations.copy_field(its, f"{path}.{field}")
    return _member(name, target, {**common, **values}, shared, groups)


def devices(node: Mapping, shared: dict[str, Any], groups: Groups, reading: Reading) -> Iterator[tuple[str, Host]]:
    """Yield the valid devices by name; `shared` are the fields of the network."""
    for key, value in node.items:
        path = f"devices.{key.text}"
        name = f.HOST_NAME.read(key, "devices", reading.problems)
        reading.locations[path] = key
        if not isinstance(value, Mapping) and not is_empty(value):
            fix = 'write "public_key: …" below the name, or nothing'
            reading.problems.add(value, path, "expected a mapping", fix)
            continue
        values = reading.record(value, schema.DEVICE, path) if isinstance(value, Mapping) else {}
        if name is not None:
            yield name, _member(name, NOWHERE, values, shared, groups)


def _member(name: str, target: SshTarget, values: dict[str, Any], shared: dict[str, Any], groups: Groups) -> Host:
    endpoint, ways = _endpoints(values.get("endpoint"), groups)
    # In its LAN peers reach the port itself, elsewhere perhaps another one that is forwarded to it.
    known = [way.endpoint.port for way in ways if way.in_lan] + ([endpoint.port] if endpoint else [])
    known += [way.endpoint.port for way in ways[:1]]
    port = values.get("listen_port") or next(iter(known), shared.get("listen_port", DEFAULT_PORT))
    return Host(
        name=name,
        ssh=target,
        addresses=values.get("address", ()),
        given=values.get("address", ()),
        public_key=values.get("public_key"),
        listen_port=port,
        endpoint=endpoint,
        ways=ways,
        relay=values.get("relay") is True,
        chosen_relay=values["relay"] if isinstance(values.get("relay"), str) else None,
        subnets=tuple(in_tunnel for in_tunnel, _ in values.get("subnets", ())),
        maps=tuple(pair for pair in values.get("subnets", ()) if pair[0] != pair[1]),
        private_key=values.get("private_key", ()),
        exit=values.get("exit"),
        dns=values.get("dns", ()),
        lan_interface=values.get("lan_interface"),
        mtu=values.get("mtu"),
        persistent_keepalive=values.get("persistent_keepalive", shared.get("persistent_keepalive", 25)),
        masquerade=values.get("masquerade", True),
        wireguard_go=values.get("wireguard_go", True),
        host_key=values.get("host_key"),
        enter=values.get("enter", ()),
        behind=values.get("behind"),
        standby_port=values.get("standby_port", 0),
        relay_port=values.get("relay_port", 0),
        single_address=values.get("single_address", False),
    )


def _endpoints(given: Any, groups: Groups) -> tuple[Endpoint | None, tuple[Way, ...]]:
    """The endpoint that is for every member, and all of a list, with the members of groups by name."""
    if given is None or isinstance(given, Endpoint):
        return given, ()
    ways = []
    for way in given:
        # A group without members stays, so that it is not taken for every member.
        names = (name for each in way.only for name in groups.members.get(each) or (each,))
        ways.append(way._replace(only=tuple(dict.fromkeys(names))))
    return next((way.endpoint for way in ways if way.is_for_all), None), tuple(ways)
