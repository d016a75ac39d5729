"""Read the machines of an Ansible inventory, in INI or YAML; what is passed over is named with its line."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import yaml

from wgorch.errors import UsageError
from wgorch.inventory.fields import InvalidValue
from wgorch.inventory.targets import TARGET

MAX_HOSTS = 10_000
"""Hosts that ranges of names may make."""

OLD_NAMES = {"ansible_ssh_host": "ansible_host", "ansible_ssh_port": "ansible_port", "ansible_ssh_user": "ansible_user"}
"""Names of variables before Ansible 2.0."""

USED = frozenset({"ansible_host", "ansible_port", "ansible_user", "ansible_connection"})


@dataclass
class Machines:
    """The machines of an inventory: SSH targets, and what was passed over, each as a line for people."""

    targets: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)


def read_ansible(text: str, name: str) -> Machines:
    """The machines of an inventory, each once; `name` is the file's in what was passed over."""
    machines = Machines()
    groups = _yaml(text, name, machines) or _ini(text, name, machines)
    for host, variables in groups.resolved().items():
        _add(machines, host, variables, groups.places.get(host, name))
    machines.targets = list(dict.fromkeys(machines.targets))
    machines.passed_over = list(dict.fromkeys(machines.passed_over))
    return machines


@dataclass
class _Groups:
    """Hosts, groups and variables as the file has them."""

    hosts: dict[str, dict[str, str]] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    """File and line of each host, the first where it has several."""
    members: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    children: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    variables: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))

    def resolved(self) -> dict[str, dict[str, str]]:
        """The variables of each host: of all, of its groups from the outermost in, and its own."""
        found = {host: dict(self.variables.get("all", {})) for host in self.hosts}
        for group in self._by_depth():
            for host in self.members.get(group, ()):
                found[host] |= self._inherited(group)
        for host, own in self.hosts.items():
            found[host] |= own
        return found

    def _parents(self, group: str) -> list[str]:
        return [parent for parent, children in self.children.items() if group in children]

    def _inherited(self, group: str, seen: frozenset[str] = frozenset()) -> dict[str, str]:
        found: dict[str, str] = {}
        for parent in self._parents(group):
            if parent not in seen and parent != "all":
                found |= self._inherited(parent, seen | {group})
        return found | self.variables.get(group, {})

    def _by_depth(self) -> list[str]:
        return sorted(self.members, key=lambda group: len(self._ancestors(group)))

    def _ancestors(self, group: str, seen: frozenset[str] = frozenset()) -> set[str]:
        found: set[str] = set()
        for parent in self._parents(group):
            if parent not in seen:
                found |= {parent} | self._ancestors(parent, seen | {group})
        return found


# --- INI


def _ini(text: str, name: str, machines: Machines) -> _Groups:
    groups, group, kind = _Groups(), "ungrouped", ""
    for number, line in enumerate(text.split("\n"), 1):
        where = f"{name}:{number}"
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            continue
        if hit := re.fullmatch(r"\[([^\]:]+)(?::(vars|children))?\]\s*(?:[#;].*)?", stripped):
            group, kind = hit[1].strip(), hit[2] or ""
        elif stripped.startswith("["):
            machines.passed_over.append(f"{where}: a section that Ansible does not know: {stripped}")
            group, kind = "", ""
        elif not group:
            continue
        elif kind == "children":
            groups.children[group].append(stripped.split("#")[0].strip())
        elif kind == "vars":
            key, _, value = stripped.partition("=")
            groups.variables[group][key.strip()] = _unquoted(value.strip())
        else:
            _ini_host(stripped, group, where, groups, machines)
    return groups


def _ini_host(line: str, group: str, where: str, groups: _Groups, machines: Machines) -> None:
    try:
        words = list(takewhile(lambda word: not word.startswith("#"), shlex.split(line)))
    except ValueError as error:
        machines.passed_over.append(f"{where}: {error}")
        return
    variables = dict(word.partition("=")[::2] for word in words[1:] if "=" in word)
    machines.passed_over += [f"{where}: {word}" for word in words[1:] if "=" not in word]
    if not words:
        return
    pattern, port = words[0], ""
    if hit := re.fullmatch(r"([^:]+|\[[0-9a-fA-F:]+\]):(\d+)", pattern):
        pattern, port = hit[1].strip("[]"), hit[2]
    for host in _expanded(pattern, where, machines):
        own = groups.hosts.setdefault(host, {})
        groups.places.setdefault(host, where)
        own |= ({"ansible_port": port} if port else {}) | variables
        groups.members[group].append(host)


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value


_RANGE = re.compile(r"\[([0-9]+|[a-z]|[A-Z]):([0-9]+|[a-z]|[A-Z])(?::([0-9]{1,4}))?\]")


def _expanded(pattern: str, where: str, machines: Machines) -> list[str]:
    """The names that a pattern with ranges stands for: ``web[01:03]``, ``db-[a:c]``."""
    names = [pattern]
    while (hit := _RANGE.search(names[0])) is not None:
        steps = _steps(hit[1], hit[2], int(hit[3] or 1))
        if not steps or len(names) * len(steps) > MAX_HOSTS:
            machines.passed_over.append(f"{where}: a range that stands for nothing, or for too much: {pattern}")
            return []
        names = [_RANGE.sub(step, name, count=1) for name in names for step in steps]
    return names


def _steps(first: str, last: str, step: int) -> list[str]:
    if first.isdigit() != last.isdigit() or not step:
        return []
    if not first.isdigit():
        return [chr(c) for c in range(ord(first), ord(last) + 1, step)]
    if int(last) - int(first) > MAX_HOSTS * step:
        return []
    return [str(n).zfill(len(first)) for n in range(int(first), int(last) + 1, step)]


# --- YAML


class _Key(str):
    """A key of a mapping that knows its line."""

    __slots__ = ("line",)
    line: int
    """From 1."""

    @classmethod
    def of(cls, text: str, line: int) -> _Key:
        key = cls(text)
        key.line = line
        return key


class _Loader(yaml.SafeLoader):
    """A SafeLoader that reads Ansible's own tags, ``!vault`` and ``!unsafe``, and keeps the lines of keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        found = super().construct_mapping(node, deep)
        lines = {
            self.construct_object(key): key.start_mark.line + 1
            for key, _ in node.value
            if isinstance(key, yaml.ScalarNode)
        }
        return {(_Key.of(str(key), lines[key]) if key in lines else key): value for key, value in found.items()}


def _at(name: str, key: Any) -> str:
    """File and line of a key."""
    return f"{name}:{key.line}" if isinstance(key, _Key) else name


def _tagged(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> str:
    """The text behind a tag; a secret is left out."""
    return str(loader.construct_scalar(node)) if isinstance(node, yaml.ScalarNode) and suffix == "unsafe" else ""


_Loader.add_multi_constructor("!", _tagged)


def _yaml(text: str, name: str, machines: Machines) -> _Groups | None:
    """The groups of a YAML inventory; None where it is none."""
    try:
        data = _Loader(text).get_single_data()
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if not name.endswith((".yml", ".yaml")):
            return None
        mark = getattr(error, "problem_mark", None)
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        problem = getattr(error, "problem", None) or "too deep, or a value that cannot be read"
        raise UsageError(
            f"{where}: error: not YAML: {problem}", "ansible-inventory -i FILE --list shows what it holds"
        ) from None
    if not isinstance(data, dict) or not all(isinstance(group, dict | None) for group in data.values()):
        return None
    groups = _Groups()
    for group, content in data.items():
        _yaml_group(str(group), content or {}, name, groups, machines, 0)
    return groups


def _yaml_group(
    group: str, content: Mapping[str, Any], name: str, groups: _Groups, machines: Machines, depth: int
) -> None:
    for key, part in content.items():
        if depth > 50 or key not in ("hosts", "vars", "children") or not isinstance(part, dict | None):
            machines.passed_over.append(f"{_at(name, key)}: {group}.{key}")
        elif key == "vars":
            groups.variables[group] |= _texts(part or {})
        elif key == "hosts":
            for pattern, variables in (part or {}).items():
                for host in _expanded(str(pattern), f"{_at(name, pattern)}: {group}.hosts", machines):
                    own = groups.hosts.setdefault(host, {})
                    groups.places.setdefault(host, _at(name, pattern))
                    own |= _texts(variables) if isinstance(variables, dict) else {}
                    groups.members[group].append(host)
        else:
            for child, its in (part or {}).items():
                groups.children[group].append(str(child))
                _yaml_group(str(child), its if isinstance(its, dict) else {}, name, groups, machines, depth + 1)


def _texts(variables: Mapping[Any, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in variables.items()}


# --- machines


def _add(machines: Machines, host: str, variables: Mapping[str, str], where: str) -> None:
    own = {OLD_NAMES.get(key, key): value for key, value in variables.items()}
    connection = own.get("ansible_connection", "ssh")
    if connection == "local":
        machines.targets.append("local")
        return
    if connection not in ("ssh", "smart", "paramiko", "paramiko_ssh"):
        machines.passed_over.append(f"{where}: {host}: ansible_connection {connection}")
        return
    machines.passed_over += [f"{where}: {host}: {key}" for key in _unused(own)]
    if "{{" in own.get("ansible_host", ""):
        machines.passed_over.append(f"{where}: {host}: ansible_host is a template")
        return
    target = _target(own.get("ansible_host", host), own)
    try:
        TARGET.parse(target)
    except InvalidValue as error:
        machines.passed_over.append(f"{where}: {host}: {error.message}")
        return
    machines.targets.append(target)


def _unused(own: Mapping[str, str]) -> Iterator[str]:
    """Variables of the login that are not taken over; ~/.ssh/config is the place for them."""
    for key in sorted(own):
        if key.startswith("ansible_ssh_") or key in (
            "ansible_private_key_file",
            "ansible_password",
            "ansible_become_pass",
        ):
            yield key


def _target(host: str, own: Mapping[str, str]) -> str:
    """``[user@]host[:port]``."""
    user, port = own.get("ansible_user", ""), own.get("ansible_port", "")
    port = "" if port == "22" else port
    if ":" in host and port:
        host = f"[{host}]"
    return f"{f'{user}@' if user else ''}{host}{f':{port}' if port else ''}"
