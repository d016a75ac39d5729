"""Sections that are lists of lines, and `links:`, whose lines are about two hosts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from wgorch.inventory import fields as f
from wgorch.inventory.model import LinkRule
from wgorch.inventory.nodes import Node, Sequence, is_empty
from wgorch.inventory.sections.reading import Reading


def links(node: Node | None, names: Collection[str], reading: Reading) -> Iterator[LinkRule]:
    """Yield the valid lines of `links:`; `names` are all hosts."""

    def parse(text: str) -> LinkRule:
        hit = re.fullmatch(r"\s*(\S+)\s+(--|-x-)\s+(\S+)\s*", text)
        if not hit:
            raise f.InvalidValue(f'"{text}" is not a link', "write it as: home -- bcc, or as: cloud -x- home")
        for name in (hit[1], hit[3]):
            check_host(name, names, reading)
        return LinkRule(hit[1], hit[3], hit[2] == "--")

    reader = f.Field("a link like home -- bcc", parse, {})
    for path, item in lines(node, "links", "home -- bcc", "list links below it, or delete the line", reading):
        line = reader.read(item, path, reading.problems)
        if line is not None:
            yield line


def lines(node: Node | None, key: str, example: str, empty_fix: str, reading: Reading) -> Iterator[tuple[str, Node]]:
    """The lines of a section with their paths."""
    if node is None:
        return
    if is_empty(node) or (isinstance(node, Sequence) and key == "policy" and not node.items):
        reading.problems.add(node, key, "empty", empty_fix)
        return
    if not isinstance(node, Sequence):
        reading.problems.add(node, key, "expected a list", f'write "- {example}" on lines of their own')
        return
    for i, item in enumerate(node.items):
        path = f"{key}[{i}]"
        reading.locations[path] = item
        yield path, item


def check_host(name: str, names: Collection[str], reading: Reading) -> None:
    """Raises InvalidValue if there is no such host."""
    if names and name not in names:
        raise f.InvalidValue(
            f'there is no host "{name}".{f.suggest_in(reading.problems, name, names)}', f.choice(names)
        )
