"""The sh functions that host scripts are put together from, by name, and the programs of this folder as they are uploaded."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache

from wgorch.base.assets import asset, minified

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
"""The files of lib/ that most changes need."""

SELDOM_NEEDED = ("packages", "firewalld", "ping")

FACTS = (
    "prologue",
    "system",
    "links",
    "wireguard",
    "firewall",
    "firewalld",
    "sysctls",
    "drop_ins",
    "dns",
    "exits",
    "keys",
    "files",
    "startup",
    "order",
)
"""The files of facts/ that are the fact script."""

_FUNCTION = re.compile(r"^((?:#[^\n]*\n)*)([a-z_0-9]+)(\(\) \{.*?^\})\n", re.M | re.S)
_COMMENT = re.compile(r"^ *#[^\n]*\n", re.M)
_DIRECTIVE = re.compile(r"^ *# shellcheck [^\n]*\n", re.M)
_ARGUMENTS = re.compile(r"\{ # [^\n]*$", re.M)
_DECLARATION = re.compile(r'^: "\$\{[^\n]*\n', re.M)


@cache
def library() -> dict[str, str]:
    """All functions by name, each with its comment, and what every script begins with; those most often needed first.

    Comments within a function stay here; a boot script keeps one comment a function.
    """
    found = _functions("prelude.sh", *(f"lib/{name}.sh" for name in (*OFTEN_NEEDED, *SELDOM_NEEDED)))
    head = _FUNCTION.sub("", asset("host", "prelude.sh"))
    return {PRELUDE: re.sub(r"\n{2,}", "\n", _COMMENT.sub("", head))} | found


def _functions(*files: str) -> dict[str, str]:
    text = "\n".join(asset("host", file) for file in files)
    return {
        name: _DIRECTIVE.sub("", comment) + name + _COMMENT.sub("", rest)
        for comment, name, rest in _FUNCTION.findall(text)
    }


@cache
def often_needed() -> frozenset[str]:
    """The names of the pieces that most changes need: all but those that install packages, speak to firewalld, or ping."""
    return frozenset({PRELUDE} | _functions("prelude.sh", *(f"lib/{name}.sh" for name in OFTEN_NEEDED)).keys())


@lru_cache(maxsize=256)
def pieces_of(called: frozenset[str]) -> tuple[str, ...]:
    """Those functions that some names call, with what these call."""
    wanted: set[str] = set()
    waiting = {"report_step", "abort", *called}
    while waiting:
        name = waiting.pop()
        if name in library() and name not in wanted:
            wanted.add(name)
            waiting |= set(re.findall(r"[a-z_0-9]+", _COMMENT.sub("", library()[name])))
    return tuple(name for name in library() if name in wanted - {PRELUDE})


def functions(names: Iterable[str]) -> str:
    return "\n".join(library()[name] for name in names)


@cache
def fact_functions() -> dict[str, str]:
    """The functions of the fact script, by name: ``ask_all``, and ``ask_path_mtu`` for what runs beside it."""
    return {
        "ask_path_mtu": _function("ask_path_mtu", "path_mtu"),
        "ask_all": _function("ask_all", *FACTS),
    }


def _function(name: str, *files: str) -> str:
    return f"{name}() {{\n{''.join(_bare(f'facts/{file}.sh') for file in files)}}}"


def _bare(file: str) -> str:
    """A file without comments, indentation, and the declarations of its parameters, for what no person reads on a host."""
    text = _DECLARATION.sub("", minified("host", file)).lstrip("\n")
    return _ARGUMENTS.sub("{", text)
