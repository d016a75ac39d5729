"""Where a token comes from: never the inventory itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from wgorch.base.local import LATE, TooMuch, collect
from wgorch.inventory import nodes
from wgorch.inventory.problems import Problems

EXAMPLE = "{env: NETBOX_TOKEN}, {file: ~/.netbox-token}, or {command: [pass, show, netbox]}"

MAX_LENGTH = 4096


class Token(NamedTuple):
    """A token by reference."""

    kind: str
    """``env``, ``file`` or ``command``."""
    words: tuple[str, ...]
    """The variable, the path, or the program with its arguments."""

    def value(self, folder: str, timeout_s: float) -> str:
        """The token itself. Raises ValueError, which says what is wrong."""
        text = self._text(folder, timeout_s).strip()
        if not text:
            raise ValueError(f"{self} is empty")
        if len(text) > MAX_LENGTH or not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError(f"{self} is not one word of ASCII")
        return text

    def _text(self, folder: str, timeout_s: float) -> str:
        if self.kind == "env":
            return os.environ.get(self.words[0], "")
        if self.kind == "file":
            try:
                path = Path(folder) / Path(self.words[0]).expanduser()
                if path.is_fifo():
                    raise ValueError(f"{self}: it is a pipe")
                with path.open("rb") as file:
                    return file.read(MAX_LENGTH + 1).decode("ascii", "replace")
            except (OSError, RuntimeError) as error:
                raise ValueError(f"{self}: {getattr(error, 'strerror', None) or error}") from None
        try:
            answer = collect(self.words, folder, timeout_s, MAX_LENGTH * 16)
        except TooMuch:
            raise ValueError(f"{self} prints more than a token") from None
        if answer is LATE:
            raise ValueError(f"{self} took longer than {timeout_s:g} s")
        if answer.code:
            raise ValueError(f"{self} ended with {answer.code}")
        return answer.output

    def __str__(self) -> str:
        """Name the reference."""
        what = {"env": "the variable", "file": "the file", "command": "the command"}[self.kind]
        return f"{what} {' '.join(self.words)}"


def read_token(node: nodes.Node, path: str, problems: Problems) -> Token | None:
    """Read where a token comes from; None if a problem was added."""
    if not isinstance(node, nodes.Mapping):
        message = "a token does not belong into the file (value hidden)"
        problems.add(node, path, message, f"{EXAMPLE}; treat this one as leaked", secret=True)
        return None
    kinds = [(key, value) for key, value in node.items if key.text in ("env", "file", "command")]
    if len(node.items) != 1 or len(kinds) != 1:
        problems.add(node, path, "expected one of env, file, command", EXAMPLE, secret=True)
        return None
    key, value = kinds[0]
    items = value.items if isinstance(value, nodes.Sequence) and key.text == "command" else [value]
    texts = tuple(item.text for item in items if isinstance(item, nodes.Scalar) and item.text)
    if len(texts) != len(items) or not texts or any("\0" in text for text in texts):
        problems.add(value, f"{path}.{key.text}", "expected " + _EXPECTED[key.text], EXAMPLE)
        return None
    return Token(key.text, texts)


_EXPECTED = {"env": "the name of a variable", "file": "a path", "command": "a list of words"}
