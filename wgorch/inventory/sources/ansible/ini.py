"""Read an Ansible inventory in INI."""

from __future__ import annotations

import ast
import re
import shlex

from wgorch.inventory.nodes import Node, Scalar
from wgorch.inventory.problems import Problems
from wgorch.inventory.sources.ansible.groups import UNGROUPED, Groups, Variables
from wgorch.inventory.sources.json_nodes import from_value

_SECTION = re.compile(r"\[([^\]:]+)(?::(\w+))?\]\s*(?:[#;].*)?")

KINDS = ("hosts", "vars", "children")

MAX_HOSTS = 50_000

MAX_NAMES = 10_000
"""Hosts that one range of names may make."""


def read_ini(text: str, file: str, groups: Groups, problems: Problems) -> None:
    """Add what an INI file says; what Ansible does not read either becomes a problem at its line."""
    group, kind = UNGROUPED, "hosts"
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        at = Scalar(number, len(line) - len(line.lstrip()) + 1, stripped, True, file)
        if not stripped or stripped[0] in "#;":
            continue
        if hit := _SECTION.fullmatch(stripped):
            group, kind = hit[1].strip(), hit[2] or "hosts"
            if kind not in KINDS:
                problems.add(at, "", f"[{group}:{kind}] is no section of Ansible's", f"one of: {', '.join(KINDS)}")
            elif kind == "vars":
                groups.pending.append((group, at))
            else:
                groups.add_group(group, at)
        elif stripped[0] == "[" and re.search(r"\][^\]\w]*$", stripped):
            problems.add(at, "", "is no section of Ansible's", "like [gateways], [gateways:vars], [all:children]")
            kind = ""
        elif kind == "children":
            child = re.split(r"\s*[#;]", stripped, maxsplit=1)[0].strip()
            groups.children[group].append(child)
            groups.pending.append((child, at))
        elif kind == "vars":
            name, equals, value = stripped.partition("=")
            if equals:
                groups.variables[group][name.strip()] = _variable(name.strip(), value.strip(), line, at)
            else:
                problems.add(at, "", "expected name=value", "write ansible_user=root")
        elif kind == "hosts":
            _host(line, group, at, groups, problems)
        if len(groups.hosts) > MAX_HOSTS:
            problems.add(at, "", f"more than {MAX_HOSTS} hosts", "split the inventory")
            return


def _host(line: str, group: str, at: Scalar, groups: Groups, problems: Problems) -> None:
    try:
        words = shlex.split(line, comments=True)
    except ValueError as error:
        problems.add(at, "", f"cannot be split into words: {str(error).lower()}", "close the quotes")
        return
    variables: Variables = {}
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if equals:
            variables[name] = _variable(name, value, line, at)
        else:
            where = at._replace(column=max(line.find(word), 0) + 1)
            problems.add(where, "", "expected name=value", "quote a value with blanks in it")
    pattern = words[0] if words else ""
    pattern, port = with_port(pattern)
    if port:
        variables = {"ansible_port": (at, at._replace(text=port))} | variables
    for name in expanded(pattern, at, problems):
        groups.add_host(name, group, at, variables)


def _variable(name: str, value: str, line: str, at: Scalar) -> tuple[Scalar, Node]:
    """A variable with the places of its name and value; Python's literals are values, all else is text."""
    hit = re.search(rf"(?<!\S){re.escape(name)}\s*=", line)
    column = hit.start() if hit else 0
    behind = line.find("=", column) + 1
    behind += len(line[behind:]) - len(line[behind:].lstrip())
    place = at._replace(column=behind + 1)
    return at._replace(column=column + 1, text=name), from_value(_literal(value), place)


def _literal(text: str) -> object:
    try:
        value = ast.literal_eval(text) if len(text) < 10_000 else text
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return text
    # A number stays as it is written: 0022, 1e3.
    return value if isinstance(value, str | list | tuple | dict | bool) or value is None else text.split("#")[0].strip()


_RANGE = re.compile(r"\[([0-9]+|[a-z]|[A-Z]):([0-9]+|[a-z]|[A-Z])(?::([0-9]{1,4}))?\]")


def with_port(pattern: str) -> tuple[str, str]:
    """A host and the port behind it, empty where it has none: ``gw:2222``, ``gw[1:3].example:22``, ``[2001:db8::1]:22``."""
    hit = re.fullmatch(r"(.+):([0-9]{1,5})", pattern)
    if not hit:
        return pattern, ""
    if re.fullmatch(r"\[[0-9a-fA-F:.]+:[0-9a-fA-F:.]*\]", hit[1]) and not _RANGE.fullmatch(hit[1]):
        return hit[1][1:-1], hit[2]
    return (hit[1], hit[2]) if ":" not in _RANGE.sub("", hit[1]) else (pattern, "")


def expanded(pattern: str, at: Scalar, problems: Problems) -> list[str]:
    """The names that a pattern with ranges stands for: ``web[01:03]``, ``db-[a:c]``."""
    names = [pattern]
    while (hit := _RANGE.search(names[0])) is not None:
        steps = _steps(hit[1], hit[2], int(hit[3] or 1))
        if not steps or len(names) * len(steps) > MAX_NAMES:
            message = f"a range that stands for nothing, or for too much: {pattern}"
            problems.add(at, "", message, f"like gw[01:12], for at most {MAX_NAMES} names")
            return []
        names = [_RANGE.sub(step, name, count=1) for name in names for step in steps]
    return names if pattern else []


def _steps(first: str, last: str, step: int) -> list[str]:
    if first.isdigit() != last.isdigit() or not step or len(first) > 9 or len(last) > 9:
        return []
    if not first.isdigit():
        return [chr(c) for c in range(ord(first), ord(last) + 1, step)]
    if int(last) - int(first) > MAX_NAMES * step:
        return []
    return [str(n).zfill(len(first)) for n in range(int(first), int(last) + 1, step)]
