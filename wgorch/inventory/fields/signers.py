"""Lines of OpenSSH's files of signers and of keys: given in the inventory, or in a file of their own."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from wgorch.inventory.fields.field import InvalidValue, Schema, refuse_controls
from wgorch.inventory.nodes import Node, Scalar, Sequence
from wgorch.inventory.problems import Problems

MAX_BYTES = 65536
"""Size of a file."""

_KEY = r"((?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+) ([A-Za-z0-9+/]+={0,3})(?: .*)?"
_OPTION = r'[a-zA-Z-]+(?:="[ !#-~]*")?'
SIGNER = re.compile(rf"([!$-~][!#-~]* (?:{_OPTION}(?:,{_OPTION})* )?){_KEY}")
"""A line of an allowed_signers file: see ssh-keygen(1)."""
KEY = re.compile(f"(){_KEY}")
"""A public key as a .pub file has it."""


class Lines(NamedTuple):
    """A list of lines, or the path of a file that has them; without comments and empty lines."""

    of: re.Pattern[str]
    """What a line is like."""
    what: str
    """What a line is, for people."""
    example: str
    """Such a line."""

    @property
    def kind(self) -> str:
        """What it is, for people."""
        return f"a file, or a list: {self.what}"

    @property
    def schema(self) -> Schema:
        """JSON Schema of both forms."""
        return {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}

    def read(self, node: Node, path: str, problems: Problems) -> tuple[str, ...] | None:
        """Return the lines; None if a problem was added."""
        before = problems.count
        if isinstance(node, Sequence):
            lines = [
                (item, item.text if isinstance(item, Scalar) else "", f"{path}[{i}]")
                for i, item in enumerate(node.items)
            ]
        elif isinstance(node, Scalar) and node.text:
            lines = [(node, line, path) for line in self._of_file(node, path, problems)]
        else:
            problems.add(node, path, "expected a file, or a list of lines", f'["{self.example}"]')
            return None
        found = []
        for item, line, place in lines:
            try:
                found.append(self._line(line))
            except InvalidValue as invalid:
                problems.add(item, place, invalid.message, invalid.fix)
        if not found and problems.count == before:
            problems.add(node, path, "has no line", f"one a line: {self.example}")
        return tuple(found) if problems.count == before else None

    def _of_file(self, node: Scalar, path: str, problems: Problems) -> Iterator[str]:
        """The lines of the file that a node names, beside the inventory."""
        try:
            file = Path(problems.name).parent / Path(node.text).expanduser()
            if not file.is_file():
                problems.add(node, path, f"{file} is no file", "name it as seen from the inventory's folder")
                return
            with file.open("rb") as opened:
                data = opened.read(MAX_BYTES + 1)
            text = data.decode("utf-8-sig")
        except (OSError, RuntimeError, ValueError) as error:
            why = "it is not UTF-8" if isinstance(error, UnicodeError) else getattr(error, "strerror", "") or str(error)
            problems.add(node, path, f"cannot read {node.text}: {why}", "name a text file")
            return
        if len(data) > MAX_BYTES:
            problems.add(node, path, f"{file} has more than {MAX_BYTES} bytes", "name a shorter file")
            return
        for line in text.split("\n"):
            if line.strip() and not line.lstrip().startswith("#"):
                yield line

    def _line(self, text: str) -> str:
        """One line with single blanks, without its comment. Raises InvalidValue."""
        line = re.sub(r"[ \t]+", " ", text.strip())
        refuse_controls(line)
        if "PRIVATE KEY" in line:
            raise InvalidValue("a private key does not belong here", "name the file that ends in .pub")
        hit = self.of.fullmatch(line)
        if not hit:
            raise InvalidValue(f'"{line[:60]}" is not {self.what}', self.example)
        head, kind, key = hit.groups()
        if not _is_key(kind, key):
            raise InvalidValue(f'"{key[:60]}" is no public key of {kind}', self.example)
        return f"{head}{kind} {key}"


def _is_key(kind: str, key: str) -> bool:
    """True for a public key in base64, which begins with its own kind."""
    try:
        blob = base64.b64decode(key, validate=True)
    except ValueError:
        return False
    return blob[:4] == len(kind).to_bytes(4, "big") and blob[4 : 4 + len(kind)] == kind.encode() and len(blob) > 40


SIGNERS = Lines(SIGNER, "a line of an allowed_signers file", "anna@example.net ssh-ed25519 AAAA…")
REVOKED = Lines(KEY, "a public key", "ssh-ed25519 AAAA… anna@example.net")
