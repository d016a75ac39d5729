"""What sh functions set and call, as far as that can be read without a shell."""

from __future__ import annotations

import re
from collections.abc import Mapping

FUNCTION = re.compile(r"^([a-z_0-9]+)\(\) \{(.*?)^\}$", re.M | re.S)
_QUOTED = re.compile(r"'[^']*'")
_DOUBLY_QUOTED = re.compile(r'"[^"\n]*"')
_COMMENT = re.compile(r"(^|\s)#.*$", re.M)
_ASSIGNED = re.compile(r"(?:^|[\s;(|&])([a-z_][a-z0-9_]*)=(?!\*)", re.M)
_LOOP = re.compile(r"\bfor ([a-z_][a-z0-9_]*)\b")
_READ = re.compile(r"\bread -r ((?:[a-z_][a-z0-9_]* ?)+)")


def functions(text: str) -> dict[str, str]:
    """The bodies of the functions that a text defines at its outermost level, by name."""
    return dict(FUNCTION.findall(text))


def _code(body: str) -> str:
    return _DOUBLY_QUOTED.sub("Q", _COMMENT.sub(" ", _QUOTED.sub("Q", body)))


def assigned(body: str) -> set[str]:
    """The variables that a body sets."""
    code = _code(body)
    read = {name for names in _READ.findall(code) for name in names.split()}
    return {*_ASSIGNED.findall(code), *_LOOP.findall(code), *read} - {"_"}


def called(body: str, names: Mapping[str, str]) -> set[str]:
    """The functions that a body calls in its own process, and so lets share its variables."""
    code = re.sub(r"\$\([a-z_0-9]+", "$(", _code(body))
    code = re.sub(r"\((?=[a-z_0-9]+ )[a-z_0-9]+", "(", code)
    return {word for word in re.findall(r"(?<![\w$\"{/.-])[a-z_0-9]+(?![\w=/.-])", code) if word in names}


def reached(name: str, names: Mapping[str, str]) -> set[str]:
    """All that a function calls, directly or not."""
    found: set[str] = set()
    waiting = called(names[name], names)
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting |= called(names[one], names)
    return found
