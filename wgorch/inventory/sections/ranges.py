"""Names with ranges: ``branch-[01-30]`` stands for thirty hosts, whose fields hold their number as ``{n}``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from wgorch.inventory.nodes import Mapping, Node, Scalar, Sequence
from wgorch.inventory.problems import Problems

MAX_NAMES = 10_000
"""Names that one range may stand for."""

_RANGE = re.compile(r"([^\[\]]*)\[(\d{1,9})-(\d{1,9})\]([^\[\]]*)")

NUMBER = "{n}"


class Item(NamedTuple):
    """A host of the file, or one of those that a range stands for."""

    key: Scalar
    """Its name, where it or the range stands."""
    value: Node
    first: bool
    """False for the others of a range: what is wrong with one is wrong with all, and said once."""


def expand(node: Mapping, path: str, problems: Problems) -> Iterator[Item]:
    """Yield the hosts of a mapping by name, those of a range one by one."""
    for key, value in node.items:
        if "[" not in key.text and "]" not in key.text:
            yield Item(key, value, first=True)
            continue
        names = numbered(key, f"{path}.{key.text}", problems)
        for place, (number, name) in enumerate(names):
            yield Item(key._replace(text=name), _with_number(value, str(number)), first=not place)


def numbered(node: Scalar, path: str, problems: Problems) -> list[tuple[int, str]]:
    """The numbers and names that a range stands for; none if a problem was added."""
    hit = _RANGE.fullmatch(node.text)
    if not hit:
        problems.add(node, path, f'"{node.text}" is no range', "write it as: branch-[01-30]")
        return []
    first, last = int(hit[2]), int(hit[3])
    if last < first or last - first >= MAX_NAMES:
        fix = f"write it as: {hit[1]}[01-30]{hit[4]}, for at most {MAX_NAMES} names"
        problems.add(node, path, f"the range {hit[2]}-{hit[3]} stands for nothing, or for too much", fix)
        return []
    return [(n, f"{hit[1]}{str(n).zfill(len(hit[2]))}{hit[4]}") for n in range(first, last + 1)]


def _with_number(node: Node, number: str) -> Node:
    """A node in whose texts the number stands."""
    if isinstance(node, Scalar):
        return node._replace(text=node.text.replace(NUMBER, number)) if NUMBER in node.text else node
    if isinstance(node, Sequence):
        return node._replace(items=[_with_number(item, number) for item in node.items])
    return node._replace(items=[(key, _with_number(value, number)) for key, value in node.items])
