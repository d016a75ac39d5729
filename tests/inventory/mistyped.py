"""A good inventory with one thing in it mistyped, and its problems as a user reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from wgorch.errors import InventoryError
from wgorch.inventory.load import loads

BASE = """\
network:
  name: office
  subnet: 192.168.2.0/24
hosts:
  bcc:
    ssh: root@203.0.113.13
    endpoint: 203.0.113.13:38371
    address: 192.168.2.1
    relay: true
  home:
    ssh: root@192.168.0.9
    address: 192.168.2.2
  company:
    ssh: {host: 10.10.13.62, user: root, via: root@198.51.100.66}
    address: 192.168.2.3
    subnets: [10.10.13.0/24]
    lan_interface: ens192
verify:
  - home -> 10.10.13.61
"""

Row = tuple[str, str, str, str, str, str, str]
"""A title, the text of an inventory, and one problem of it: line:column, kind, field, begin of message, begin of fix."""


class Shown(NamedTuple):
    """One problem as a user reads it."""

    place: str
    kind: str
    path: str
    message: str
    fix: str


def swap(old: str, new: str) -> str:
    """The good inventory with one text in it replaced."""
    assert old in BASE
    return BASE.replace(old, new, 1)


def network(field: str) -> str:
    """The good inventory with another field of the network."""
    return swap("  subnet: 192.168.2.0/24\n", "  subnet: 192.168.2.0/24\n" + field)


def home(field: str) -> str:
    """The good inventory with another field of a spoke."""
    return swap("    address: 192.168.2.2\n", "    address: 192.168.2.2\n" + field)


def address(value: str) -> str:
    """The good inventory with another tunnel address of a spoke."""
    return swap("address: 192.168.2.2", "address: " + value)


def subnets(value: str) -> str:
    """The good inventory with other LANs."""
    return swap("subnets: [10.10.13.0/24]", "subnets: " + value)


def endpoint(value: str) -> str:
    """The good inventory with another endpoint."""
    return swap("endpoint: 203.0.113.13:38371", "endpoint: " + value)


def ssh(value: str) -> str:
    """The good inventory with another SSH target of a spoke."""
    return swap("ssh: root@192.168.0.9", "ssh: " + value)


def shown(text: str) -> str:
    """All problems of an inventory as text."""
    try:
        return "\n".join(loads(text).warnings)
    except InventoryError as error:
        return str(error)


def problems(text: str) -> list[Shown]:
    """The same, parsed."""
    found = []
    for block in re.split(r"\n(?=inventory\.yaml:)", shown(text)):
        head, *below = block.split("\n")
        match = re.fullmatch(r"inventory\.yaml:(\d+:\d+): (error|warning): (.*)", head)
        assert match, head
        path, _, message = match[3].partition(": ") if re.match(_PATH, match[3]) else ("", "", match[3])
        fix = next((line[len("    fix: ") :] for line in below if line.startswith("    fix: ")), "")
        found.append(Shown(match[1], match[2], path, message, fix))
    return found


_PATH = r"(network|hosts|devices|groups|policy|links|verify|version|host|Hosts|a)([.\[]\S+)?: "


def ids(rows: Iterable[Row]) -> list[str]:
    """Names of the tests of rows."""
    return [row[0].replace(" ", "_") for row in rows]


def assert_shown(row: Row) -> None:
    """Assert that a row's problem is shown once, with its location, field, message and fix."""
    _, text, place, kind, path, message, fix = row

    actual = [problem for problem in problems(text) if problem.message.startswith(message)]

    assert [(place, kind, path)] == [(problem.place, problem.kind, problem.path) for problem in actual]
    assert fix
    assert actual[0].fix.startswith(fix)
