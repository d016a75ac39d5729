"""The sections defaults and groups: values that hosts have in common, and names for several members."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from wgorch.inventory import fields as f
from wgorch.inventory import schema
from wgorch.inventory.model import SshTarget
from wgorch.inventory.nodes import Mapping, Node, Scalar, Sequence
from wgorch.inventory.sections.flows import is_element
from wgorch.inventory.sections.ranges import numbered
from wgorch.inventory.sections.reading import Reading
from wgorch.inventory.sections.ssh import jumps


class Values(NamedTuple):
    """Values that hosts have in common, as `defaults:` or a group gives them."""

    path: str
    """Where they stand: ``defaults``, ``groups.branches``."""
    fields: dict[str, Any]
    ssh: dict[str, Any]
    """Of the SSH target, by field."""


class Groups(NamedTuple):
    """What a file says of several hosts at once."""

    defaults: Values
    members: dict[str, tuple[str, ...]]
    """Hosts, devices, LANs and addresses of each group, those of the groups in it among them."""
    values: dict[str, list[Values]]
    """By host, the values of its groups."""

    def common(self, host: str, own: Collection[str], reading: Reading) -> tuple[dict[str, Any], dict[str, str]]:
        """The values that a host does not have of its own, and the path of each; two groups may not differ."""
        return self._merged(host, own, "", reading)

    def target(
        self, host: str, own: SshTarget, named: Collection[str], client: str, reading: Reading
    ) -> tuple[SshTarget, dict[str, str]]:
        """The SSH target of a host with what it does not say itself, and the path of each.

        `named`: fields that it gives, also those that it gives as empty; `client`: the network's.
        """
        if own.local:
            return replace(own, client=own.client or client), {}
        kept = {name for name in schema.SSH_COMMON if getattr(own, name)} | set(named)
        found, paths = self._merged(host, kept, "ssh.", reading)
        return replace(own, **{"client": own.client or client, **found}), paths

    def _merged(
        self, host: str, kept: Collection[str], part: str, reading: Reading
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """Values of the groups, then the defaults, without the fields in `kept`; `part`: empty, or ``ssh.``."""
        found: dict[str, Any] = {}
        paths: dict[str, str] = {}
        for each in (*self.values.get(host, ()), self.defaults):
            for name, value in (each.ssh if part else each.fields).items():
                if name in kept or (name in found and each is self.defaults):
                    continue
                path = f"{each.path}.{part}{name}"
                if name in found and found[name] != value:
                    _conflict(host, f"{part}{name}", path, paths[name], reading)
                found[name], paths[name] = value, path
        return found, paths


def _conflict(host: str, name: str, path: str, other: str, reading: Reading) -> None:
    if reading.problems.about(path):
        return  # of another host in both groups
    message = f"differs from {other} ({reading.locations.where(other)}), and {host} is in both groups"
    reading.problems.add(reading.locations.get(path), path, message, f"give {name} to {host} itself, or to one group")


def read_groups(root: Mapping, hosts: Collection[str], devices: Collection[str], reading: Reading) -> Groups:
    """Read both sections; `hosts` and `devices`: all names that the file has."""
    node = reading.mapping(root.get("defaults"), "defaults")
    defaults = _values(node, "defaults", schema.COMMON, reading) if node else Values("defaults", {}, {})
    reader = _Reader(hosts, devices, reading)
    node = reading.mapping(root.get("groups"), "groups")
    for key, value in node.items if node else ():
        reader.add(key, value)
    return Groups(defaults, reader.resolved(), reader.by_host())


def _values(node: Mapping, path: str, entries: dict[str, schema.Entry], reading: Reading) -> Values:
    values = reading.record(node, entries, path, skip=("ssh", "members"))
    ssh_node = reading.mapping(node.get("ssh"), f"{path}.ssh")
    ssh: dict[str, Any] = {}
    if ssh_node:
        ssh = reading.record(ssh_node, schema.SSH_COMMON, f"{path}.ssh", skip=("via",))
        via = ssh_node.get("via")
        if via is not None:
            reading.locations[f"{path}.ssh.via"] = via
            ssh["via"] = tuple(jumps(via, f"{path}.ssh.via", reading))
    return Values(path, values, ssh)


class _Reader:
    """Groups while they are read."""

    def __init__(self, hosts: Collection[str], devices: Collection[str], reading: Reading) -> None:
        self.hosts, self.devices, self.reading = hosts, devices, reading
        self.members: dict[str, list[Scalar]] = {}
        self.values: dict[str, Values] = {}
        self._resolved: dict[str, tuple[str, ...]] = {}

    def add(self, key: Scalar, node: Node) -> None:
        """Add a group: a list of members, or a mapping with `members` and values."""
        path, problems = f"groups.{key.text}", self.reading.problems
        self.reading.locations[path] = key
        f.HOST_NAME.read(key, "groups", problems)
        if key.text in self.hosts or key.text in self.devices:
            kind = "host" if key.text in self.hosts else "device"
            problems.add(key, path, f"is the name of a {kind}, too", "give the group another name")
        if isinstance(node, Mapping):
            values = _values(node, path, schema.GROUP, self.reading)
            if values.fields or values.ssh:
                self.values[key.text] = values
            node = node.get("members") or Scalar(node.line, node.column, "", True)
        if not isinstance(node, Sequence) or not all(isinstance(item, Scalar) for item in node.items):
            problems.add(node, path, "expected a list of members", "write [home, company], or members: [home, company]")
            return
        self.members[key.text] = [item for item in node.items if isinstance(item, Scalar)]

    def resolved(self) -> dict[str, tuple[str, ...]]:
        """The members of each group."""
        return {name: self._members(name, ()) for name in self.members}

    def _members(self, name: str, outer: tuple[str, ...]) -> tuple[str, ...]:
        if name not in self._resolved:
            found = dict.fromkeys(each for item in self.members.get(name, ()) for each in self._of(item, name, outer))
            self._resolved[name] = tuple(found)
        return self._resolved[name]

    def _of(self, item: Scalar, group: str, outer: tuple[str, ...]) -> Iterator[str]:
        path, problems = f"groups.{group}", self.reading.problems
        names = [name for _, name in numbered(item, path, problems)] if "[" in item.text else [item.text]
        for name in names:
            if name in self.hosts or name in self.devices:
                yield name
            elif name in (*outer, group):
                chain = [*outer, group][[*outer, group].index(name) :]
                what = f"a group is in itself: {' -> '.join([*chain, name])}"
                problems.add(item, path, what, "leave one of them out")
            elif name in self.members:
                yield from self._members(name, (*outer, group))
            elif self._is_element(name, item, path):
                yield name
            else:
                known = [*self.hosts, *self.devices, *self.members]
                hint = f.suggest_in(problems, name, known)
                problems.add(item, path, f'no host, device or group "{name}".{hint}', f.choice(known))
                return

    def _is_element(self, name: str, item: Scalar, path: str) -> bool:
        """True for a LAN, an address or a network; a wrong one becomes a problem."""
        try:
            return is_element(name, [*self.hosts, *self.devices])
        except f.InvalidValue as invalid:
            self.reading.problems.add(item, path, invalid.message, invalid.fix)
            return True

    def by_host(self) -> dict[str, list[Values]]:
        """The values of each host's groups, in the order of the file."""
        found: dict[str, list[Values]] = {}
        for name, values in self.values.items():
            for member in self._resolved.get(name, ()):
                if member not in self.hosts:
                    kind = "a device" if member in self.devices else "an address"
                    message = f"gives values, and its member {member} is {kind}: only hosts have values in common"
                    self.reading.problems.add(
                        self.reading.locations.get(values.path), values.path, message, "make two groups of it"
                    )
                    break
                found.setdefault(member, []).append(values)
        return found
