"""Expand the tokens that `ssh -G` leaves in values, as ssh does when it uses them."""

from __future__ import annotations

import os
import pwd
import re
import socket
from pathlib import Path
from typing import NamedTuple

_TOKEN = re.compile(r"%(.)|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Meant(NamedTuple):
    """What the tokens of one target stand for. `asked`: its name as given; `home`: the user's folder."""

    asked: str
    host: str
    port: int
    user: str
    alias: str
    home: str


def expand(text: str, meant: Meant) -> str:
    """Expand %-tokens; an unknown one stays as it is."""
    return _TOKEN.sub(lambda found: _value(found, meant), text)


def expand_path(path: str, meant: Meant) -> str:
    """Expand the tilde, tokens and variables of a path."""
    if path.startswith("~"):
        name, slash, rest = path[1:].partition("/")
        path = f"{_home_of(name) if name else meant.home}{slash}{rest}"
    return expand(path, meant)


def unexpandable(path: str) -> bool:
    """True for a path with a token or variable that only ssh knows."""
    return any(
        (letter and letter not in "%dhikLlnpru") or (variable and variable not in os.environ)
        for letter, variable in _TOKEN.findall(path)
    )


def _value(found: re.Match[str], meant: Meant) -> str:
    if found[2]:
        return os.environ.get(found[2], found[0])
    local = socket.gethostname() if found[1] in "lL" else ""
    values = {
        "%": "%",
        "d": meant.home,
        "h": meant.host,
        "i": str(os.getuid()),
        "k": meant.alias or meant.asked,
        "L": local.partition(".")[0],
        "l": local,
        "n": meant.asked,
        "p": str(meant.port),
        "r": meant.user,
        "u": pwd.getpwuid(os.getuid()).pw_name if found[1] == "u" else "",
    }
    return values.get(found[1], found[0])


def _home_of(name: str) -> str:
    try:
        return pwd.getpwnam(name).pw_dir
    except KeyError:
        return str(Path("/nonexistent"))
