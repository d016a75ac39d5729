"""Compile Changes into a straight-line POSIX sh script: every decision is made here, none on the host."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from wgorch.base.value import value
from wgorch.host.library import PRELUDE, functions, library, pieces_of
from wgorch.plan.batching import FORGET, batched
from wgorch.state.change import Change, quote_words
from wgorch.state.state import State


@value
class Script:
    """A script: its head, the names of library functions that it contains, and its commands."""

    head: str
    pieces: tuple[str, ...]
    body: str

    @property
    def text(self) -> str:
        return "\n".join([self.head, *(library()[name] for name in self.pieces), self.body, ""])


def script(title: str, state: State, changes: Iterable[Change], header: Mapping[str, str] | None = None) -> Script:
    """A script that makes the changes and says before each which one it is (``@at 3``)."""
    changes = list(changes)
    return _script(_head(title, state, header), _called(changes), [*batched(changes)] or [""])


def boot_script(
    state: State,
    changes: Iterable[Change],
    header: Mapping[str, str],
    interface: str,
    others: Iterable[str],
    table: int,
) -> Script:
    """The script that sets the whole State at every start of the host. `others`: interfaces it waits for."""
    title = "what this host does for its WireGuard network at every start, as a list of commands with their reasons"
    changes = list(changes)
    body = ["", "starting=yes"]
    body += [f"wait_for_interface {quote_words([other])} || exit 1" for other in sorted(others)]
    body += [f"reset_network {quote_words([interface, state.mark, str(table)])} || exit 1", FORGET, *batched(changes)]
    return _script(_head(title, state, header), _called(changes) | {"wait_for_interface", "reset_network"}, body)


def _script(head: Iterable[str], called: frozenset[str], body: Iterable[str]) -> Script:
    return Script("\n".join(head), (PRELUDE, *pieces_of(called)), "\n".join([*body, "printf '@done\\n'"]))


def _called(changes: Iterable[Change]) -> frozenset[str]:
    """The words that may be a function's name: the first of each command, and what stands for some of them."""
    names = {cmd.argv[0] for change in changes for cmd in change.commands}
    return frozenset(names | {"set_value"} if "write_sysctl" in names else names)


def _head(title: str, state: State, header: Mapping[str, str] | None) -> Iterator[str]:
    yield "#!/bin/sh"
    yield f"# {state.mark}: {title}"
    for name, text in (header or {}).items():
        yield f"#: {name} {text}"
    for name, run in sorted(state.runs.items()):
        yield f"#: run {json.dumps({'name': name, 'command': run.command, 'undo': run.undo})}"
    yield f"directory={quote_words([state.directory])}"


def by_hand(state: State, changes: Iterable[Change]) -> list[str]:
    """What a person's shell needs before the commands of some changes: the directory, and the functions they call."""
    names = pieces_of(_called(changes) | {"write_file"})
    place = quote_words([state.directory])
    lines = ["umask 077", f"mkdir -p -m 700 {place} && cd {place}"]
    lines += [f"boot_id=$(cat /proc/sys/kernel/random/boot_id) {FORGET}"]
    return [*lines, functions(names)]
