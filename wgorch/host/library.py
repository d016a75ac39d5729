"""The sh functions that scripts of a change are put together from, by name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache

from wgorch.base.assets import asset, names_in
from wgorch.base.sh import Sh, sh_lines

PRELUDE = "prelude"
"""The name of what every script begins with."""

OFTEN_NEEDED = (
    "records",
    "sysctls",
    "interface",
    "keys",
    "peers",
    "firewall",
    "exits",
    "dns",
    "startup",
    "boot",
)
"""The files of lib/ whose functions most changes need, in the order in which scripts have them."""

SELDOM_NEEDED = ("packages", "firewalld", "ping", "members", "failover")
"""Files of lib/ that are uploaded only where a change calls them; so is any other file there."""

_FUNCTION = re.compile(r"^((?:#[^\n]*\n)*)([a-z_0-9]+)(\(\) \{.*?^\})\n", re.M | re.S)
_COMMENT = re.compile(r"^ *#[^\n]*\n", re.M)
_DIRECTIVE = re.compile(r"^ *# shellcheck [^\n]*\n", re.M)


@cache
def library() -> dict[str, Sh]:
    """All functions by name, and what every script begins with; those most often needed first.

    Each function has the comment before it, for people who read a boot script; those within it are left out.
    """
    others = [name for name in names_in("host/lib") if name not in (*OFTEN_NEEDED, *SELDOM_NEEDED)]
    found = _functions("prelude.sh", *(f"lib/{name}.sh" for name in (*OFTEN_NEEDED, *SELDOM_NEEDED, *others)))
    head = _FUNCTION.sub("", asset("host", "prelude.sh"))
    return {PRELUDE: Sh(re.sub(r"\n{2,}", "\n", _COMMENT.sub("", head)).strip())} | found


def _functions(*files: str) -> dict[str, Sh]:
    text = "\n".join(asset("host", file) for file in files)
    return {
        name: Sh(_DIRECTIVE.sub("", comment) + name + _COMMENT.sub("", rest))
        for comment, name, rest in _FUNCTION.findall(text)
    }


@cache
def often_needed() -> frozenset[str]:
    """The names of the pieces that most changes need: all but those for packages, firewalld and ping."""
    return frozenset({PRELUDE} | _functions("prelude.sh", *(f"lib/{name}.sh" for name in OFTEN_NEEDED)).keys())


@lru_cache(maxsize=256)
def pieces_of(called: frozenset[str]) -> tuple[str, ...]:
    """The functions among `called`, with all that they call, in the library's order."""
    wanted: set[str] = set()
    waiting = {"report_step", "abort", *called}
    while waiting:
        name = waiting.pop()
        if name in library() and name not in wanted:
            wanted.add(name)
            waiting |= set(re.findall(r"[a-z_0-9]+", _COMMENT.sub("", library()[name])))  # any word may be a call
    return tuple(name for name in library() if name in wanted - {PRELUDE})


def functions(names: Iterable[str]) -> Sh:
    """The text of some functions."""
    return sh_lines(library()[name] for name in names)
