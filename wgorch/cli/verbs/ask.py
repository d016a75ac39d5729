"""`wgorch ask`: who reaches whom, by the policy of the inventory."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from wgorch.cli.options import Options, inventory_argument
from wgorch.errors import DONE, FAULT, UsageError

if TYPE_CHECKING:
    from wgorch.inventory.policy import Service
    from wgorch.topology.policy import Line, Side
    from wgorch.topology.topology import Topology

SUMMARY = "Say who reaches whom by the policy (offline)"
EXAMPLES = (
    'wgorch ask "who reaches 10.10.13.61 tcp 22"',
    'wgorch ask "what reaches company from phones"',
    'wgorch ask "can home reach company.lan udp 53"',
)

FORMS = "who reaches TARGET [SERVICE]; what reaches TARGET from SOURCE; can SOURCE reach TARGET [SERVICE]"


class AskOptions(Options):
    """Options of `wgorch ask`."""

    question: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("question", metavar="QUESTION", help=f"in quotes: {FORMS}")
    inventory_argument(parser)


def run(options: AskOptions) -> int:
    """Answer from the inventory alone; 1 where nothing passes."""
    from wgorch.cli.context import build_topology, load_inventory

    topology = build_topology(load_inventory(options))
    lines = list(_answer(topology, options.question))
    if not topology.policy:
        lines.append("note: the inventory has no policy: all that it connects passes")
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return FAULT if lines[:1] == [NOTHING] else DONE


NOTHING = "nothing passes"


def _answer(topology: Topology, question: str) -> Iterator[str]:
    """Raises UsageError."""
    words = question.strip().rstrip("?")
    if hit := re.fullmatch(r"who reaches (\S+)(?: (.+))?", words):
        yield from _who(topology, hit[1], hit[2])
    elif hit := re.fullmatch(r"what reaches (\S+) from (\S+)", words):
        yield from _what(topology, hit[2], hit[1], None)
    elif hit := re.fullmatch(r"can (\S+) reach (\S+)(?: (.+))?", words):
        yield from _what(topology, hit[1], hit[2], hit[3])
    else:
        raise UsageError(f'cannot answer "{question}"', FORMS)


def _who(topology: Topology, target: str, services: str | None) -> Iterator[str]:
    from wgorch.topology.reach import reaching

    side, any_found = _side(topology, target), False
    for service in _services(services):
        for found in reaching(topology, side, service):
            any_found = True
            part = "" if found.whole or not service else ", in part"
            yield f"{found.source}{f' ({service}{part})' if service else ''}{_by(found.lines)}"
    if not any_found:
        yield NOTHING


def _what(topology: Topology, source: str, target: str, services: str | None) -> Iterator[str]:
    from wgorch.topology.reach import between

    sides, any_found = (_side(topology, source), _side(topology, target)), False
    for service in _services(services):
        found = between(topology.policy, *sides, service)
        if found is None:
            continue
        any_found = True
        whole, lines = found
        if service:
            yield f"{service}: {'passes' if whole else 'passes in part'}{_by(lines)}"
        elif lines:
            yield from (f"policy[{line.number}] {line.rule}" for line in lines)
        else:
            yield "everything passes"
    if not any_found:
        yield NOTHING


def _by(lines: tuple[Line, ...]) -> str:
    return "".join(f"\n    policy[{line.number}] {line.rule}" for line in lines)


def _side(topology: Topology, name: str) -> Side:
    """Raises UsageError."""
    from wgorch.inventory.fields import InvalidValue
    from wgorch.inventory.problems import Problems
    from wgorch.inventory.sections.flows import Names, check_side

    inventory = topology.inventory
    try:
        check_side(name, Names(inventory.hosts, inventory.devices, inventory.groups), Problems(""))
    except InvalidValue as error:
        raise UsageError(error.message, error.fix) from None
    return topology.policy.side(name)


def _services(text: str | None) -> list[Service | None]:
    """Raises UsageError."""
    from wgorch.inventory.fields import InvalidValue
    from wgorch.inventory.sections.flows import services_of

    try:
        return list(services_of(text)) if text else [None]
    except InvalidValue as error:
        raise UsageError(error.message, error.fix) from None
