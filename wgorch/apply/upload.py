"""Render the sh that puts files and the referee on a host."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from wgorch.base.sh import Sh, here_document, quote, quote_words, sh, sh_lines
from wgorch.host import programs
from wgorch.host.library import library
from wgorch.plan.host import HostPlan
from wgorch.plan.script import Script
from wgorch.remote.shell import Definitions
from wgorch.steps.chains import RESTORES


def call_referee(words: Iterable[str]) -> Sh:
    """sh that calls the referee in the current directory; it ends the script."""
    return sh("set -- {words}; . ./referee", words=quote_words(words))


def word(text: str) -> str:
    """A reason as one word, for the host's journal."""
    return re.sub(r"[^a-z0-9-]+", "-", text.lower())[:60] or "asked"


def secret_file(name: str, secret: str) -> Sh:
    """sh that writes a file atomically and syncs it; its content is in no process's arguments."""
    line = sh(
        "{{ cat >{name}.$$ && {{ sync {name}.$$ 2>/dev/null || sync; }} && mv -f {name}.$$ {name} || {abort}; }}",
        name=quote(name),
        abort=abort_write(name),
    )
    return here_document(line, secret)


def write_file(name: str, *words: Sh) -> Sh:
    """sh that writes lines into a file with a builtin: no process, no pipe."""
    texts = sh_lines(words, by=" ")
    return sh("printf '%s\\n' {texts} >{name} || {abort}", texts=texts, name=quote(name), abort=abort_write(name))


def script_words(script: Script) -> list[Sh]:
    """A script as words of sh; the shell must have the definitions of its pieces."""
    return [
        quote(script.head),
        *(sh('"${{f_{piece}:?}}"', piece=quote(piece)) for piece in script.pieces),
        quote(script.body),
    ]


@cache
def referee() -> Definitions:
    """Definition of the referee's text, which every change puts on its hosts."""
    return {"referee": sh("referee={text}", text=quote(programs.referee()))}


@cache
def pieces(names: frozenset[str]) -> Definitions:
    """Definitions of library functions as variables, which scripts on the host are put together from."""
    return {
        f"f_{name}": sh("f_{name}={text}", name=quote(name), text=quote(text))
        for name, text in library().items()
        if name in names
    }


def abort_write(name: str) -> Sh:
    """sh that reports a file that could not be written, and ends the script."""
    return sh("{{ printf '@fail files %s\\n' {name}; exit 1; }}", name=quote(name))


def rule_tests(plan: HostPlan) -> Iterator[Sh]:
    """sh that lets `iptables-restore --test` check rules before their chains exist; silent where all are fine."""
    for argv in RESTORES:
        made = [c.stdin for ch in plan.do for c in ch.commands if c.argv == argv and "-X " not in c.stdin]
        if made:
            line = sh("{tool} --wait 10 --noflush --test 2>&1", tool=quote(argv[0]))
            yield sh(
                "tests=$({test}\n) || {{ printf '\\n@tests\\n%s\\n@fail rules\\n' \"$tests\"; exit 1; }}",
                test=here_document(line, "\n".join(made)),
            )
