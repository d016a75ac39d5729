"""Compile Changes into a straight-line POSIX sh script: every decision is made here, none on the host."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from wgorch.base.sh import EMPTY, Sh, comment, header_line, quote, quote_words, sh, sh_lines
from wgorch.base.value import value
from wgorch.host.library import PRELUDE, library, pieces_of
from wgorch.plan.batching import FORGET, batched
from wgorch.state.change import Change
from wgorch.state.state import State


@value
class Script:
    """A script: its head, the names of library functions that it contains, and its commands."""

    head: Sh
    pieces: tuple[str, ...]
    body: Sh

    @property
    def text(self) -> Sh:
        return sh_lines([self.head, *(library()[name] for name in self.pieces), self.body, EMPTY])


def script(title: str, state: State, changes: Iterable[Change], header: Mapping[str, str] | None = None) -> Script:
    """A script that makes the changes and says before each which one it is (``@at 3``)."""
    changes = list(changes)
    return _script(_head(title, state, header), _called(changes), [*batched(changes)] or [EMPTY])


def boot_script(
    state: State,
    changes: Iterable[Change],
    header: Mapping[str, str],
    interface: str,
    others: Iterable[str],
    table: int,
    detours: int = 0,
) -> Script:
    """The script that sets the whole State at every start of the host. `others`: interfaces it waits for.

    `detours`: table of a host with several relays, else 0.
    """
    title = "what this host does for its WireGuard network at every start, as a list of commands with their reasons"
    changes = list(changes)
    body = [EMPTY, sh("starting=yes")]
    body += [sh("wait_for_interface {other} || exit 1", other=quote(other)) for other in sorted(others)]
    words = quote_words([interface, state.mark, str(table)])
    several = quote_words([interface, state.mark, str(detours)])
    body += [sh("reset_failover {words}", words=several)] if detours else []
    body += [sh("reset_network {words} || exit 1", words=words), FORGET, *batched(changes)]
    resetting = {"wait_for_interface", "reset_network", *(["reset_failover"] if detours else [])}
    return _script(_head(title, state, header), _called(changes) | resetting, body)


def _script(head: Iterable[Sh], called: frozenset[str], body: Iterable[Sh]) -> Script:
    return Script(sh_lines(head), (PRELUDE, *pieces_of(called)), sh_lines([*body, sh("printf '@done\\n'")]))


def _called(changes: Iterable[Change]) -> frozenset[str]:
    """The words that may be a function's name: the first of each command, and what stands for some of them."""
    names = {cmd.argv[0] for change in changes for cmd in change.commands}
    return frozenset(names | {"set_value"} if "write_sysctl" in names else names)


def _head(title: str, state: State, header: Mapping[str, str] | None) -> Iterator[Sh]:
    yield sh("#!/bin/sh")
    yield comment(f"{state.mark}: {title}")
    for name, text in (header or {}).items():
        yield header_line(name, text)
    for name, run in sorted(state.runs.items()):
        yield header_line("run", json.dumps({"name": name, "command": run.command, "undo": run.undo}))
    yield sh("directory={place}", place=quote(state.directory))
