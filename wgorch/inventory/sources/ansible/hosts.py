"""Read the hosts of an Ansible inventory as sections: the login by Ansible's variables, all else by ``wgorch_FIELD``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from wgorch.inventory.nodes import Mapping, Node, Scalar, Sequence
from wgorch.inventory.problems import Problems
from wgorch.inventory.sources.ansible import ssh_args
from wgorch.inventory.sources.ansible.files import read_files
from wgorch.inventory.sources.ansible.groups import ALL, UNGROUPED, Groups, Variables
from wgorch.inventory.sources.ansible.templates import Templates, Unreadable
from wgorch.inventory.sources.names import PREFIX, host_key
from wgorch.inventory.sources.permission import Permission
from wgorch.inventory.sources.section import Source

NAMES = {
    "host": ("ansible_ssh_host", "ansible_host"),
    "user": ("ansible_ssh_user", "ansible_user"),
    "port": ("ansible_ssh_port", "ansible_port"),
    "identity": ("ansible_ssh_private_key_file", "ansible_private_key_file"),
}
"""Fields of a target by variables; of two the first wins, wherever they stand (Ansible's connection plugin ssh)."""

ARGUMENTS = ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args")

SSH = (
    "ssh",
    "smart",
    "paramiko",
    "paramiko_ssh",
    "ansible.builtin.ssh",
    "ansible.builtin.paramiko_ssh",
    "ansible.netcommon.libssh",
)
LOCAL = ("local", "ansible.builtin.local")


def read_ansible(source: Source, permission: Permission, problems: Problems) -> Mapping | None:
    """The hosts and groups of an Ansible inventory; None if a problem was added."""
    at = source.node.get("ansible")
    assert isinstance(at, Scalar)
    try:
        path = permission.folder / Path(source.place).expanduser()
        is_there = path.exists()
    except (OSError, RuntimeError, ValueError):
        is_there = False
    if not is_there:
        problems.add(at, f"{source.path}.ansible", "is not there", "name it as seen from the inventory's folder")
        return None
    before = len(problems.errors)
    try:
        groups = read_files(path, at, permission, problems)
        if len(problems.errors) > before:
            return None
        if source.group and source.group not in (*groups.names, ALL, UNGROUPED):
            known = ", ".join(groups.names[:8]) or "none"
            message = f"{source.place} has no group {source.group}"
            problems.add(source.node.get("group"), f"{source.path}.group", message, f"its groups: {known}")
            return None
        found = as_sections(groups, source.group or ALL, str(path), problems)
    except RecursionError:
        problems.add(at, f"{source.path}.ansible", "has groups in groups too deep to be read", "flatten them")
        return None
    return found if len(problems.errors) == before else None


def as_sections(groups: Groups, group: str, file: str, problems: Problems) -> Mapping:
    """The sections hosts and groups with the hosts of a group; `file`: the inventory's."""
    reader, wanted = Hosts(groups, problems), groups.all_members(group)
    hosts, names = [], {}
    for host in wanted:
        if (pair := reader.host(host)) is not None:
            hosts.append(pair)
            names[host] = pair[0].text
    at = Scalar(1, 1, "", False, file)
    named: list[tuple[Scalar, Node]] = []
    for each in groups.names:
        members = [names[host] for host in groups.all_members(each) if host in names]
        key = re.sub(r"[^a-z0-9]+", "-", each.lower()).strip("-")
        if (
            members
            and re.fullmatch(r"[a-z0-9-]{1,32}", key)
            and key not in {*names.values(), *(k.text for k, _ in named)}
        ):
            items: list[Node] = [at._replace(text=member) for member in members]
            place = groups.group_places.get(each, at)
            named.append((place._replace(text=key), Sequence(place.line, place.column, items, place.file)))
    return _mapping(at, [("hosts", Mapping(1, 1, hosts, file)), ("groups", Mapping(1, 1, named, file))])


class Hosts:
    """Hosts while they are read."""

    def __init__(self, groups: Groups, problems: Problems) -> None:
        self.groups, self.problems = groups, problems
        self.variables = groups.resolved()
        self.templates = Templates(groups, self.variables)

    def host(self, name: str) -> tuple[Scalar, Node] | None:
        """The host as a key and its fields; None if a problem was added."""
        at, own = self.groups.places[name], self._own(name)
        key = host_key(name, at, own, self.problems) if own is not None else None
        ssh = self._ssh(name, at, own) if own is not None else None
        if own is None or key is None or ssh is None:
            return None
        given = own.get(f"{PREFIX}ssh")
        fields: list[tuple[Scalar, Node]] = [(at._replace(text="ssh"), given[1] if given else ssh)]
        for each, (its, value) in own.items():
            if each.startswith(PREFIX) and each not in (f"{PREFIX}name", f"{PREFIX}ssh"):
                fields.append((its._replace(text=each.removeprefix(PREFIX)), value))
        return key, Mapping(at.line, at.column, fields, at.file)

    def target(self, name: str) -> Node | None:
        """The login of a host alone; None if a problem was added."""
        own = self._own(name)
        return self._ssh(name, self.groups.places[name], own) if own is not None else None

    def _own(self, name: str) -> Variables | None:
        """The variables of a host that are read, with their templates filled; None if a problem was added."""
        own: Variables = {}
        for each, (key, value) in self.variables[name].items():
            if each in _READ or each.startswith(PREFIX):
                if (filled := self._filled(value, each, name)) is None:
                    return None
                own[each] = (key, filled)
        return own

    def _filled(self, value: Node, variable: str, host: str) -> Node | None:
        try:
            return self.templates.filled(value, host)
        except Unreadable as error:
            self.problems.add(value, f"{host}.{variable}", str(error), f"give {host} a value of its own")
            return None

    def _ssh(self, host: str, at: Scalar, own: Variables) -> Node | None:
        connection = self._text(own, "ansible_connection")
        if connection and connection.text in LOCAL:
            return connection._replace(text="local")
        if connection and connection.text not in SSH:
            message = f"is reached by {connection.text}, not by SSH"
            fix = "leave it out: {ansible: …, group: GROUP} takes one group only"
            self.problems.add(connection, f"{host}.ansible_connection", message, fix)
            return None
        found = {field: text for field, names in NAMES.items() if (text := self._text(own, *names))}
        fields: dict[str, Node] = {"host": at._replace(text=host), **found}
        for name in ARGUMENTS:
            text = self._text(own, name)
            if text is None:
                continue
            try:
                args = ssh_args.parse(text.text)
                fields |= {
                    field: text._replace(text=value)
                    for field in ("host", "user", "port", "identity")
                    if (value := getattr(args, field)) and field not in found
                }
                if args.jumps and "via" not in fields:
                    user = fields.get("user")
                    fields["via"] = _jumps(args.jumps, text, user.text if isinstance(user, Scalar) else "%r")
            except Unreadable as error:
                self.problems.add(text, f"{host}.{name}", str(error), ssh_args.OWN_CONFIG)
                return None
        return _mapping(at, fields.items())

    @staticmethod
    def _text(own: Variables, *names: str) -> Scalar | None:
        """The first of some variables that has a text."""
        values = (own[name][1] for name in names if name in own)
        return next((value for value in values if isinstance(value, Scalar) and value.text), None)


_READ = frozenset({"ansible_connection", *ARGUMENTS, *(name for names in NAMES.values() for name in names)})


def _jumps(jumps: list[ssh_args.SshArgs], at: Scalar, user: str) -> Sequence:
    """The way to a host as the field `via`."""

    def fields(hop: ssh_args.SshArgs) -> Iterator[tuple[str, Node]]:
        for name in ("host", "user", "port", "identity"):
            if value := getattr(hop, name):
                yield name, at._replace(text=value.replace("%r", user))

    items: list[Node] = []
    for hop in jumps:
        given = dict(fields(hop))
        items.append(given["host"] if len(given) == 1 else _mapping(at, given.items()))
    return Sequence(at.line, at.column, items, at.file)


def _mapping(at: Scalar, fields: Iterable[tuple[str, Node]]) -> Mapping:
    return Mapping(at.line, at.column, [(at._replace(text=name), node) for name, node in fields], at.file)
