"""Lists of values, and values with more than one form."""

from __future__ import annotations

import re
from typing import Any

from wgorch.base.value import value
from wgorch.inventory.fields.addresses import LAN
from wgorch.inventory.fields.field import Field, Schema
from wgorch.inventory.fields.scalars import PATH, WORD
from wgorch.inventory.fields.suggest import check_keys
from wgorch.inventory.model import IPNetwork
from wgorch.inventory.nodes import Mapping, Node, Scalar, Sequence
from wgorch.inventory.problems import Problems

# --- values made of values


@value
class Listing:
    """A list of values of one kind."""

    of: Field | MappedLan

    @property
    def kind(self) -> str:
        return f"a list: {self.of.kind}"

    @property
    def schema(self) -> Schema:
        return {"type": "array", "items": self.of.schema}

    def read(self, node: Node, path: str, problems: Problems) -> list[tuple[Node, Any]]:
        """The values with their nodes; those that do not parse are left out, with their trouble noted."""
        if not isinstance(node, Sequence):
            if isinstance(node, Scalar) and node.text and not (node.plain and node.text in ("null", "~")):
                items = ", ".join(part for part in re.split(r"[,\s]+", node.text) if part)
                several = "one string with a comma" if "," in node.text else "expected a list"
                problems.add(node, path, several, f"write [{items}]")
            else:
                what = "empty" if isinstance(node, Scalar) else "expected a list, got a mapping"
                problems.add(node, path, what, "write [value, value], or delete the line")
            return []
        values = [(item, self.of.read(item, f"{path}[{i}]", problems)) for i, item in enumerate(node.items)]
        return [(item, value) for item, value in values if value is not None]


@value
class OneOrTwo:
    """A value, or a list of two: one of IPv4 and one of IPv6."""

    of: Field

    @property
    def kind(self) -> str:
        return f"{self.of.kind}, or a list of one for IPv4 and one for IPv6"

    @property
    def schema(self) -> Schema:
        several = {"type": "array", "items": self.of.schema, "minItems": 1, "maxItems": 2}
        return {"anyOf": [self.of.schema, several]}

    def read(self, node: Node, path: str, problems: Problems) -> list[tuple[Node, Any]] | None:
        """The values with their nodes, in the order of the file; None where there is none, with the trouble noted."""
        if not isinstance(node, Sequence):
            value = self.of.read(node, path, problems)
            return None if value is None else [(node, value)]
        if not node.items:
            problems.add(node, path, "the list is empty", "give a value or delete the line")
        found: list[tuple[Node, Any]] = []
        for i, item in enumerate(node.items):
            value = self.of.read(item, f"{path}[{i}]", problems)
            twin = next((v for _, v in found if value is not None and v.version == value.version), None)
            if twin is not None:
                message = f"{value} is of IPv{value.version}, as {twin} is; there can be one of each kind"
                problems.add(item, f"{path}[{i}]", message, "keep one")
            elif value is not None:
                found.append((item, value))
        return found or None


@value
class MappedLan:
    """A LAN; or a LAN and the network that it is known as in the tunnel, of the same size."""

    kind = "a network like 10.10.13.0/24, or {lan: …, as: …}"

    @property
    def schema(self) -> Schema:
        pair = {"lan": LAN.schema, "as": LAN.schema}
        mapped = {"type": "object", "additionalProperties": False, "required": ["lan", "as"], "properties": pair}
        return {"anyOf": [LAN.schema, mapped]}

    def read(self, node: Node, path: str, problems: Problems) -> tuple[IPNetwork, IPNetwork] | None:
        """The LAN's name in the tunnel, and the LAN itself."""
        if not isinstance(node, Mapping):
            lan = LAN.read(node, path, problems)
            return None if lan is None else (lan, lan)
        check_keys(node, ("lan", "as"), path, problems)
        found: dict[str, IPNetwork | None] = {}
        for name in ("lan", "as"):
            value = node.get(name)
            if value is None:
                problems.add(node, f"{path}.{name}", "missing", "{lan: 10.10.13.0/24, as: 10.99.13.0/24}")
            found[name] = LAN.read(value, f"{path}.{name}", problems) if value is not None else None
        lan, known_as = found["lan"], found["as"]
        if lan is None or known_as is None:
            return None
        if (lan.version, lan.prefixlen) != (known_as.version, known_as.prefixlen):
            message = f"{known_as} is not of the same size as {lan}, so addresses cannot be mapped one to one"
            problems.add(node.get("as"), f"{path}.as", message, f"a network with /{lan.prefixlen}")
            return None
        return known_as, lan


MAPPED_LAN = MappedLan()


@value
class KeySource:
    """Where a private key comes from: a file on the host, or a command there. Never the key itself."""

    kind = "{file: PATH}, or {command: [WORD, …]}"

    @property
    def schema(self) -> Schema:
        words = {"type": "array", "items": {"type": "string"}, "minItems": 1}
        ways = ({"file": {"type": "string"}}, {"command": words})
        return {
            "anyOf": [
                {"type": "object", "additionalProperties": False, "required": list(way), "properties": way}
                for way in ways
            ]
        }

    def read(self, node: Node, path: str, problems: Problems) -> tuple[tuple[str, ...]] | None:
        """The command that prints the key on the host, as the one item of a tuple."""
        example = "{file: /etc/wireguard/key}, or {command: [pass, show, wg]}"
        if not isinstance(node, Mapping):
            fix = f"delete it; keys are born on their host. Treat this one as leaked. A key from elsewhere: {example}"
            problems.add(node, path, "private keys do not belong here (value hidden)", fix)
            return None
        check_keys(node, ("file", "command"), path, problems)
        file, words = node.get("file"), node.get("command")
        if (file is None) == (words is None):
            problems.add(node, path, "expected either file or command", example)
        elif file is not None:
            name = PATH.read(file, f"{path}.file", problems)
            if name and not name.startswith("/"):
                problems.add(file, f"{path}.file", "it is read on the host, so its place must be given from /", example)
            return (("cat", name),) if name else None
        elif not isinstance(words, Sequence) or not words.items:
            problems.add(words, f"{path}.command", "expected a list of words", example)
        else:
            argv = [WORD.read(word, f"{path}.command[{i}]", problems) for i, word in enumerate(words.items)]
            return (tuple(argv),) if all(argv) else None
        return None


KEY_SOURCE = KeySource()


Reader = Field | Listing | OneOrTwo | MappedLan | KeySource
