"""The man page wgorch(1), in roff, from the verbs' declarations."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from wgorch import __version__
from wgorch.cli.reference import EXAMPLES, EXITS, argument
from wgorch.cli.verbs import GROUPS, verb

FILES = {
    "inventory.yaml": "In this directory: the inventory, where none is given and WGORCH_INVENTORY is not set.",
    "playbooks/": "Beside an inventory: its own order of steps.",
    "~/.ssh/config, ~/.ssh/known_hosts": "How hosts are reached, and their keys.",
    "~/.local/state/wgorch/": "The journals of runs, and what was applied last: a cache.",
    "/var/lib/wgorch/NETWORK/": "On each host: keys, start-up script, record. Nothing of it is read by another host.",
}


def page() -> str:
    """The page as a file for `man`."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield f'.TH WGORCH 1 "" "wgorch {__version__}" "User Commands"'
    yield from (".SH NAME", r"wgorch \- build WireGuard networks between sites, over SSH, from one inventory")
    yield from (".SH SYNOPSIS", r".B wgorch", r"\fIVERB\fR [\fIoptions\fR] [\fIINVENTORY\fR]")
    yield from (".SH EXAMPLES", *_literal(EXAMPLES.split("\n", 1)[1]))
    for group, names in GROUPS.items():
        yield f'.SH "{group.upper()}"'
        for name in names:
            yield from _verb(name)
    yield from (".SH EXIT STATUS", *_literal(EXITS.split("\n", 1)[1]))
    yield ".SH FILES"
    for path, text in FILES.items():
        yield from (".TP", rf"\fI{_escaped(path)}\fR", _escaped(text))
    yield from (".SH SEE ALSO", r"wg(8), wg\-quick(8), ssh_config(5), nft(8)")


def _verb(name: str) -> Iterator[str]:
    declared, parser = verb(name), argparse.ArgumentParser(add_help=False)
    declared.add_arguments(parser)
    yield from (f'.SS "wgorch {name}"', _escaped(f"{declared.SUMMARY}."))
    yield from _literal("\n".join(declared.EXAMPLES))
    for action in parser._actions:
        words = argument(action).replace("`", "").replace("\\|", "|")
        yield from (".TP", rf"\fB{_escaped(words)}\fR", _escaped(action.help or ""))


def _literal(text: str) -> Iterator[str]:
    yield from (".PP", ".nf", ".RS 4")
    yield from (_escaped(line.strip()) for line in text.split("\n") if line.strip())
    yield from (".RE", ".fi")


def _escaped(text: str) -> str:
    """Text that roff prints as it is."""
    plain = text.replace("\\", r"\e").replace("-", r"\-")
    plain = "".join(c if c.isascii() else rf"\[u{ord(c):04X}]" for c in plain)
    return rf"\&{plain}" if plain[:1] in (".", "'") else plain
