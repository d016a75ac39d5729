"""The programs of this folder as hosts get them: parameters before them, and no more text than is of use there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from wgorch.base.assets import asset, names_in
from wgorch.base.sh import Sh, quote, sh, sh_lines

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
    "next_start",
)
"""The files of facts/ that the fact script begins with; any other file there comes behind them."""

_ARGUMENTS = re.compile(r"\{ # .*$")
_DECLARATION = re.compile(r'^: "\$\{[^\n]*\n', re.M)
_DIRECTIVE = re.compile(r"^ *# shellcheck [^\n]*\n", re.M)


def parameters(words: Mapping[str, str]) -> Sh:
    """sh that sets the parameters of a program, to be put before it."""
    return sh_lines(sh("{name}={text}", name=quote(name), text=quote(text)) for name, text in words.items())


@cache
def uploaded(file: str) -> Sh:
    """A program without comments, indentation and the declarations of its parameters, which no person reads on a host.

    The file must have no line that begins like one of them in a here-document or a quoted text.
    """
    lines = _DECLARATION.sub("", asset("host", file)).split("\n")
    bare = (_ARGUMENTS.sub("{", line.lstrip()) for line in lines)
    return Sh("".join(f"{line}\n" for line in bare if line and line[0] != "#"))


@cache
def in_one_line(file: str) -> Sh:
    """The same in one line."""
    lines = uploaded(file).strip().split("\n")
    return Sh(" ".join(line if line.endswith(" do") else f"{line};" for line in lines))


@cache
def readable(file: str) -> Sh:
    """A program with its comments, for people who read it on a host."""
    return Sh(_DIRECTIVE.sub("", asset("host", file)).rstrip("\n"))


@cache
def referee() -> Sh:
    """The referee's text; its first two lines say what it is."""
    head = asset("host", "referee.sh").split("\n", 2)[:2]
    return Sh("\n".join([*head, uploaded("referee.sh")]))


@cache
def fact_functions() -> dict[str, Sh]:
    """The functions of the fact script, by name: ``ask_all``, and ``ask_path_mtu`` and ``end_hanging``, which run beside it."""
    more = [name for name in names_in("host/facts") if name not in (*FACTS, "order", "path_mtu")]
    ask_more = Sh(f"ask_more() {{\n{''.join(f'ask_{name}{chr(10)}' for name in more)}:\n}}\n")
    return {
        "ask_path_mtu": _function("ask_path_mtu", _facts("path_mtu")),
        "end_hanging": _function("end_hanging", uploaded("hanging.sh")),
        "ask_all": _function("ask_all", _facts(*FACTS, *more), ask_more, _facts("order")),
    }


def _facts(*files: str) -> Sh:
    return Sh("".join(uploaded(f"facts/{file}.sh") for file in files))


def _function(name: str, *bodies: Sh) -> Sh:
    return Sh(f"{name}() {{\n{''.join(bodies)}}}")
