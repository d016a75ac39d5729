"""The sections links and verify: lists of lines about two hosts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from wgorch.inventory import fields as f
from wgorch.inventory.model import Flow, LinkRule
from wgorch.inventory.nodes import Node, Sequence, is_empty
from wgorch.inventory.problems import Problems
from wgorch.inventory.sections.reading import Reading


def links(node: Node | None, names: Collection[str], reading: Reading) -> Iterator[LinkRule]:
    """Yield the valid lines of `links:`; `names` are all hosts."""

    def parse(text: str) -> LinkRule:
        hit = re.fullmatch(r"\s*(\S+)\s+(--|-x-)\s+(\S+)\s*", text)
        if not hit:
            raise f.InvalidValue(f'"{text}" is not a link', "write it as: home -- bcc, or as: cloud -x- home")
        for name in (hit[1], hit[3]):
            _check_host(name, names, reading.problems)
        return LinkRule(hit[1], hit[3], hit[2] == "--")

    reader = f.Field("a link like home -- bcc", parse, {})
    return _lines(node, "links", "list links below it, or delete the line", reader, reading)


def flows(node: Node | None, names: Collection[str], reading: Reading) -> Iterator[Flow]:
    """Yield the valid lines of `verify:`; `names` are all hosts."""

    def parse(text: str) -> Flow:
        source, arrow, target = (part.strip() for part in text.partition("->"))
        if not arrow or not source or not target or "->" in target:
            raise f.InvalidValue(f'"{text}" is not a flow', "write it as: home -> 10.10.13.61")
        _check_host(source, names, reading.problems)
        if not re.match(r"[0-9:]|[0-9a-f]+:", target):
            _check_host(target, names, reading.problems)
        return Flow(source, target, None if target in names or not names else f.address(target))

    reader = f.Field("a flow like home -> 10.10.13.61", parse, {})
    return _lines(node, "verify", "list flows below it, or delete the line", reader, reading)


def _lines(node: Node | None, key: str, empty_fix: str, reader: f.Field, reading: Reading) -> Iterator[Any]:
    if node is None:
        return
    if is_empty(node):
        reading.problems.add(node, key, "empty", empty_fix)
        return
    if not isinstance(node, Sequence):
        example = reader.kind.partition(" like ")[2]
        reading.problems.add(node, key, "expected a list", f'write "- {example}" on lines of their own')
        return
    for i, item in enumerate(node.items):
        path = f"{key}[{i}]"
        reading.locations[path] = item
        line = reader.read(item, path, reading.problems)
        if line is not None:
            yield line


def _check_host(name: str, names: Collection[str], problems: Problems) -> None:
    """Raises InvalidValue if there is no such host."""
    if names and name not in names:
        raise f.InvalidValue(f'there is no host "{name}".{f.suggest_in(problems, name, names)}', f.choice(names))
