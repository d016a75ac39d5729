"""Render the sh that puts files and the referee on a host."""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Iterator
from functools import cache

from wgorch.host import programs
from wgorch.host.library import library
from wgorch.plan.host import HostPlan
from wgorch.plan.script import Script
from wgorch.remote.shell import Definitions
from wgorch.steps.firewall import RESTORES


def call_referee(words: str) -> str:
    """sh that calls the referee in the current directory; it ends the script."""
    return f"set -- {words}; . ./referee"


def word(text: str) -> str:
    """A reason as one word, for the host's journal."""
    return re.sub(r"[^a-z0-9-]+", "-", text.lower())[:60] or "asked"


def secret_file(name: str, secret: str) -> str:
    """sh that writes a file atomically and syncs it; its content is in no process's arguments."""
    end = f"WGORCH-{secrets.token_hex(6)}"
    whole = f"{{ sync {name}.$$ 2>/dev/null || sync; }} && mv -f {name}.$$ {name}"
    return f"cat >{name}.$$ <<'{end}' && {whole} || {abort_write(name)}\n{secret.rstrip(chr(10))}\n{end}"


def write_file(name: str, *words: str) -> str:
    """sh that writes lines into a file with a builtin: no process, no pipe."""
    return f"printf '%s\\n' {' '.join(words)} >{name} || {abort_write(name)}"


def script_words(script: Script) -> list[str]:
    """A script as words of sh; the shell must have the definitions of its pieces."""
    return [
        shlex.quote(script.head),
        *(f'"${{f_{piece}:?}}"' for piece in script.pieces),
        shlex.quote(script.body),
    ]


@cache
def referee() -> Definitions:
    """Definition of the referee's text, which every change puts on its hosts."""
    return {"referee": f"referee={shlex.quote(programs.referee())}"}


@cache
def pieces(names: frozenset[str]) -> Definitions:
    """Definitions of library functions as variables, which scripts on the host are put together from."""
    return {f"f_{name}": f"f_{name}={shlex.quote(library()[name])}" for name in library() if name in names}


def abort_write(name: str) -> str:
    """sh that reports a file that could not be written, and ends the script."""
    return f"{{ printf '@fail files %s\\n' {shlex.quote(name)}; exit 1; }}"


def rule_tests(plan: HostPlan) -> Iterator[str]:
    """sh that lets `iptables-restore --test` check rules before their chains exist; silent where all are fine."""
    for argv in RESTORES:
        made = [c.stdin for ch in plan.do for c in ch.commands if c.argv == argv and "-X " not in c.stdin]
        if made:
            text = "\n".join(made)
            test = f"tests=$({argv[0]} --wait 10 --noflush --test 2>&1 <<'END'\n{text}\nEND\n)"
            yield f"{test} || {{ printf '\\n@tests\\n%s\\n@fail rules\\n' \"$tests\"; exit 1; }}"
