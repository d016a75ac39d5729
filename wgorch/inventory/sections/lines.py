"""Sections that are lists of lines, and `links:`, whose lines are about two hosts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from wgorch.inventory import fields as f
from wgorch.inventory.flow import LinkRule
from wgorch.inventory.nodes import Node, Sequence, is_empty
from wgorch.inventory.sections.reading import Reading

LINK = re.compile(r"\s*(\S+)\s+(--|-x-)\s+(?:\[([^\[\]]*)\]|([^\s\[\],]+))\s*")
"""One host, how, and another one or a list of relays."""


def links(node: Node | None, names: Collection[str], reading: Reading) -> Iterator[LinkRule]:
    """Yield the rules of the valid lines of `links:`; `names` are all hosts."""

    def parse(text: str) -> tuple[str, str, list[str]]:
        hit = LINK.fullmatch(text)
        others = [name.strip() for name in (hit[3] or hit[4] or "").split(",")] if hit else []
        if not hit or not all(re.fullmatch(r"\S+", name) for name in others):
            raise f.InvalidValue(f'"{text}" is not a link', "write it as: home -- bcc, or as: cloud -x- home")
        if hit[3] and hit[2] != "--":
            raise f.InvalidValue(f'"{text}" separates several hosts at once', "a line for each of them")
        for name in (hit[1], *others):
            check_host(name, names, reading)
        twin = next((name for name in others if others.count(name) > 1), "")
        if twin:
            raise f.InvalidValue(f'"{text}" names {twin} twice', "name each relay once, the preferred one first")
        return hit[1], hit[2], others

    reader = f.Field("a link like home -- bcc", parse, {})
    given = lines(node, "links", "home -- bcc", "list links below it, or delete the line", reading)
    for number, (path, item) in enumerate(given):
        if (line := reader.read(item, path, reading.problems)) is not None:
            one, how, others = line
            yield from (LinkRule(one, other, how == "--", number) for other in others)


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
