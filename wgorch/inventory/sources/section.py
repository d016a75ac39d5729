"""The section from: where more members come from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from wgorch.inventory import fields as f
from wgorch.inventory import schema
from wgorch.inventory.nodes import Mapping, Node, Sequence
from wgorch.inventory.problems import Problems
from wgorch.inventory.sources.permission import origin_of, words
from wgorch.inventory.sources.token import Token, read_token

MAX_SOURCES = 50

TIMEOUT_S = 30.0


class Source(NamedTuple):
    """One source, as the file has it."""

    node: Mapping
    """Its place in the file."""
    path: str
    """The field: ``from[0]``."""
    kind: str
    """``command``, ``ansible`` or ``netbox``."""
    argv: tuple[str, ...] = ()
    """Of a command: the program with its arguments."""
    place: str = ""
    """Of an Ansible inventory: its path; of NetBox: its URL."""
    group: str = ""
    """Of an Ansible inventory: the group to take; empty for all hosts."""
    tag: str = ""
    """Of NetBox: the tag of what takes part."""
    token: Token | None = None
    """Of NetBox: where its token comes from, as the inventory says."""
    timeout_s: float = TIMEOUT_S
    """How long it may take."""

    @property
    def name(self) -> str:
        """The source for people, and to tell it from others of the file."""
        return " ".join(self.argv) if self.argv else f"{self.place} {self.group or self.tag}".strip()


def read_sources(node: Node, problems: Problems) -> list[Source]:
    """Read the section; sources with a problem are left out."""
    items = node.items if isinstance(node, Sequence) else [node]
    if len(items) > MAX_SOURCES:
        problems.add(node, "from", f"more than {MAX_SOURCES} sources", "join some of them in one script")
        return []
    read = (_source(item, f"from[{number}]", problems) for number, item in enumerate(items))
    return [source for source in read if source]


def _source(node: Node, path: str, problems: Problems) -> Source | None:
    if not isinstance(node, Mapping):
        problems.add(node, path, "expected a mapping", "write {command: [./members.py]}, {ansible: hosts.ini}, …")
        return None
    kinds = [key.text for key, _ in node.items if key.text in FIELDS]
    before = problems.count
    if len(kinds) != 1:
        f.check_keys(node, schema.FROM, path, problems)
        if problems.count > before:
            return None
        problems.add(node, path, "expected one of command, ansible, netbox", "make a list of several")
        return None
    kind = kinds[0]
    f.check_keys(node, FIELDS[kind], path, problems)
    found = Source(node, path, kind)
    for name, value in _values(node, kind, path, problems):
        found = found._replace(**{name: value})
    if kind == "netbox" and not found.tag and problems.count == before:
        problems.add(node, f"{path}.tag", "missing", "tag: wgorch, and give it to devices and prefixes there")
    return found if problems.count == before else None


def _values(node: Mapping, kind: str, path: str, problems: Problems) -> Iterator[tuple[str, Any]]:
    for key, value in node.items:
        at = f"{path}.{key.text}"
        if key.text == "command":
            if (argv := words(value)) is None:
                problems.add(value, at, "expected a list of words", "[terraform, output, -json, wgorch]")
            else:
                yield "argv", argv
        elif key.text == "netbox":
            if text := f.WORD.read(value, at, problems):
                if origin_of(text) is None:
                    message = "expected a URL of http or https, without a name or password in it"
                    problems.add(value, at, message, "https://netbox.example", secret="@" in text)
                else:
                    yield "place", text.rstrip("/")
        elif key.text == "token":
            yield "token", read_token(value, at, problems)
        elif key.text in FIELDS[kind]:
            read: Any = schema.FROM[key.text].reader.read(value, at, problems)
            if read is not None:
                name = {"ansible": "place", "timeout": "timeout_s"}.get(key.text, key.text)
                yield name, read / 1000 if name == "timeout_s" else read


FIELDS = {
    "command": ("command", "timeout"),
    "ansible": ("ansible", "group"),
    "netbox": ("netbox", "tag", "token", "timeout"),
}
"""Fields of each kind."""
