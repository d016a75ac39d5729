"""Write an inventory as YAML text: values quoted where needed, a reason as a comment behind its line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence

from wgorch.base.text import visible

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./@-]*")


def scalar(value: object) -> str:
    """A value that the inventory reader reads as the same text, quoted where it has to be."""
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


def flow(values: Iterable[object]) -> str:
    """A list on one line."""
    return f"[{', '.join(map(scalar, values))}]"


def one_or_more(values: Sequence[object]) -> str:
    """The value itself where there is exactly one, else a list."""
    return scalar(values[0]) if len(values) == 1 else flow(values)


def entry(key: str, text: str, reason: str = "") -> str:
    """``key: text``, where the text is YAML already."""
    return _with_reason(f"{key}: {text}", reason)


def item(text: str, reason: str = "") -> str:
    """An item of a list in block style."""
    return _with_reason(f"- {text}", reason)


def comment(text: str) -> str:
    """A line that is only a comment."""
    return f"# {visible(text)}"


def block(key: str, lines: Iterable[str]) -> Iterator[str]:
    """A key with a mapping or list below it."""
    yield f"{key}:"
    for line in lines:
        yield f"  {line}" if line else ""


def paragraphs(parts: Iterable[Iterable[str]]) -> Iterator[str]:
    """Parts with an empty line between each two; a part without lines is left out."""
    first = True
    for part in parts:
        for number, line in enumerate(part):
            if not number and not first:
                yield ""
            first = False
            yield line


def document(*parts: Iterable[str]) -> str:
    """The text of the file."""
    return "\n".join(paragraphs(parts)) + "\n"


def _with_reason(line: str, reason: str) -> str:
    return f"{line}      {comment(reason)}" if reason else line
