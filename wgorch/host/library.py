"""The sh functions that host scripts are put together from, by name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache

from wgorch.base.assets import asset

_FUNCTION_COMMENT = re.compile(r"\A(?:#[^\n]*\n)*")


_FUNCTION = re.compile(r"^((?:#[^\n]*\n)*)([a-z_0-9]+)(\(\) \{ [^\n]*\}(?: #[^\n]*)?|\(\) \{.*?^\})\n", re.M | re.S)


PRELUDE = "prelude"
"""The name of what every program of ours begins with."""


@cache
def library() -> dict[str, str]:
    """Our functions by name, each with its comment, and what every program begins with; those most often needed first."""
    prelude = re.sub(r"\n{2,}", "\n", _FUNCTION.sub("", asset("host", "prelude.sh")))
    text = "\n".join(asset("host", f"{name}.sh") for name in ("prelude", "lib/boot", "lib/packages", "lib/firewalld"))
    return {PRELUDE: prelude} | {name: comment + name + rest for comment, name, rest in _FUNCTION.findall(text)}


@cache
def often_needed() -> frozenset[str]:
    """The names of the pieces that most changes need: all but those that install packages or speak to firewalld."""
    text = "\n".join(asset("host", f"{name}.sh") for name in ("prelude", "lib/boot"))
    return frozenset({PRELUDE} | {name for _, name, _ in _FUNCTION.findall(text)})


@lru_cache(maxsize=256)
def pieces_of(called: frozenset[str]) -> tuple[str, ...]:
    """Those of our functions that some names call, with what these call."""
    wanted: set[str] = set()
    waiting = {"at", "fail", *called}
    while waiting:
        name = waiting.pop()
        if name in library() and name not in wanted:
            wanted.add(name)
            waiting |= set(re.findall(r"[a-z_0-9]+", _FUNCTION_COMMENT.sub("", library()[name])))
    return tuple(name for name in library() if name in wanted - {PRELUDE})


def functions(names: Iterable[str]) -> str:
    return "\n".join(library()[name] for name in names)
