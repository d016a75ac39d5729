"""Changes as one POSIX sh program: straight on, every line an end, nothing left to decide on the host."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from wgorch.command import Change, Command, command, quote_words
from wgorch.sh import text_of
from wgorch.state import ROUTE_PROTO, State, tool
from wgorch.steps.firewall import RESTORES
from wgorch.text import one_line


def program(title: str, state: State, changes: Iterable[Change], header: Mapping[str, str] | None = None) -> str:
    """A program that makes the changes and says before each which one it is (``@at 3``)."""
    return "\n".join(
        [*_head(title, state, header), text_of("remote", "prelude.sh"), *_body(list(changes)), "printf '@done\\n'", ""]
    )


def boot_program(
    state: State, changes: Iterable[Change], header: Mapping[str, str], interface: str, cards: Iterable[str]
) -> str:
    """The program that makes the whole state out of nothing, at every start of the host."""
    title = "what this host does for its WireGuard network at every start, as a list of commands with their reasons"
    lines = [*_head(title, state, header), text_of("remote", "prelude.sh"), text_of("remote", "boot_prelude.sh")]
    lines += [f"wait_for_card {quote_words([card])} || exit 1" for card in sorted(cards)]
    lines.append(f"start_anew {quote_words([interface, state.mark])} || exit 1")
    return "\n".join([*lines, *_body(list(changes)), "printf '@done\\n'", ""])


def _head(title: str, state: State, header: Mapping[str, str] | None) -> Iterator[str]:
    yield "#!/bin/sh"
    yield f"# {state.mark}: {title}"
    for name, value in (header or {}).items():
        yield f"#: {name} {value}"
    for name, run in sorted(state.runs.items()):
        yield f"#: run {json.dumps({'name': name, 'command': run.command, 'undo': run.undo})}"
    yield f"directory={quote_words([state.directory])}"


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    command: Command


def _body(changes: list[Change]) -> Iterator[str]:
    restores: list[_Line] = []
    behind: list[str] = []  # what comes behind a restore in its change comes behind all of them
    for number, change in enumerate(changes, 1):
        if restores and not any(_is_restore(c) for c in change.commands):
            yield from (*_restore(restores), *behind)
            restores, behind = [], []
        yield ""
        yield f"# {_comment(f'{change.sign} {change.what}: {change.why}')}"
        yield f"at {number}"
        for cmd in change.commands:
            if _is_restore(cmd):
                restores.append(_Line(number, cmd))
            elif restores and restores[-1].number == number:
                behind.append(_render(number, cmd))
            else:
                yield _render(number, cmd)
    yield from (*_restore(restores), *behind)


def _comment(text: str) -> str:
    """Text that stays in one comment line whatever is in it."""
    return one_line(text).translate({0x201C: '"', 0x201D: '"', 0x2026: "..."}).encode("ascii", "replace").decode()


def _is_restore(cmd: Command) -> bool:
    return cmd.argv in RESTORES


def _restore(lines: list[_Line]) -> Iterator[str]:
    """All tables of one kind of IP in one call: it costs 15 ms on a host, however much it is given."""
    for argv in RESTORES:
        tables: dict[str, list[str]] = {}
        for line in (line for line in lines if line.command.argv == argv):
            table, *body = line.command.stdin.split("\n")
            tables.setdefault(table, []).extend(body[:-1])
        # Chains are declared before anything refers to them.
        text = [
            part
            for table, body in tables.items()
            for part in (table, *(b for b in body if b[0] == ":"), *(b for b in body if b[0] != ":"), "COMMIT")
        ]
        if text:
            yield _render(lines[-1].number, command(*argv, stdin="\n".join(text)))


def _render(number: int, cmd: Command) -> str:
    first, *rest = cmd.render().split("\n")
    quietly = " 2>/dev/null || :" if cmd.may_be_absent else f" || fail {number}"
    return "\n".join([first + quietly, *rest])


def by_hand(state: State, changes: Iterable[Change]) -> list[str]:
    """What a person's shell needs before the commands of some changes: the directory, and the functions they call."""
    prelude = text_of("remote", "prelude.sh")
    functions = dict(re.findall(r"^([a-z_]+)(\(\) \{ [^\n]*\}|\(\) \{.*?^\})$", prelude, re.M | re.S))
    wanted: list[str] = []
    waiting = {c.argv[0] for change in changes for c in change.commands} | {"write_file"}
    while waiting:
        name = waiting.pop()
        if name in functions and name not in wanted:
            wanted.append(name)
            waiting |= {word for word in re.findall(r"[a-z_]+", functions[name]) if word in functions}
    place = quote_words([state.directory])
    lines = ["umask 077", f"mkdir -p -m 700 {place} && cd {place}"]
    lines += ["boot_id=$(cat /proc/sys/kernel/random/boot_id)"]
    return lines + [name + functions[name] for name in functions if name in wanted]


def probe_program(want: State, have: State, interface: str) -> str:
    """A program that prints what of the network runs on the host, without anything that moves by itself."""
    network = want.network
    paths = sorted({p for p in (*want.sysctls, *have.sysctls) if f"/conf/{interface}/" not in p})
    name = quote_words([interface])
    lines = [
        "#!/bin/sh",
        f"# {want.mark}: what of the network runs here; compared before a change and after it was taken back",
        f"if [ -d /sys/class/net/{name} ]; then",
        f"    for part in ifalias mtu; do cat /sys/class/net/{name}/$part; done",
        f"    ip -o address show dev {name} | sed 's/^[0-9]*: //'",
        f"    for part in public-key listen-port; do wg show {name} $part; done",
        f"    for part in allowed-ips persistent-keepalive; do wg show {name} $part | sort; done",
        f"    ip route show dev {name}; ip -6 route show dev {name} proto {ROUTE_PROTO}",
        "fi 2>/dev/null",
    ]
    tools = {tool(chain.table) for state in (want, have) for chain in state.chains} | {"iptables"}
    lines += [f"{by}-save 2>/dev/null | grep -e '^[*]' -e wgorch-{network}-" for by in sorted(tools)]
    lines += [f"cat /proc/sys/{path}" for path in paths]
    return "\n".join([*lines, "exit 0", ""])
