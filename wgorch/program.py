"""Changes as one POSIX sh program: straight on, every line an end, nothing left to decide on the host."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from itertools import chain

from wgorch.command import Change, Command, command, quote_words
from wgorch.firewalld import base_name
from wgorch.frozen import frozen
from wgorch.sh import text_of
from wgorch.state import ROUTE_PROTO, State, tool
from wgorch.steps.firewall import RESTORES
from wgorch.steps.peers import AT_ONCE
from wgorch.text import one_line


@frozen
class Program:
    """A program by what it is made of: its head, the names of our functions that it carries, and what it does."""

    head: str
    pieces: tuple[str, ...]
    body: str

    @property
    def text(self) -> str:
        return "\n".join([self.head, *(library()[name] for name in self.pieces), self.body, ""])


def program(title: str, state: State, changes: Iterable[Change], header: Mapping[str, str] | None = None) -> Program:
    """A program that makes the changes and says before each which one it is (``@at 3``)."""
    changes = list(changes)
    return _program(_head(title, state, header), _called(changes), [*_body(changes)] or [""])


def boot_program(
    state: State, changes: Iterable[Change], header: Mapping[str, str], interface: str, cards: Iterable[str], table: int
) -> Program:
    """The program that makes the whole state out of nothing, at every start of the host."""
    title = "what this host does for its WireGuard network at every start, as a list of commands with their reasons"
    changes = list(changes)
    body = ["", "starting=yes"]
    body += [f"wait_for_card {quote_words([card])} || exit 1" for card in sorted(cards)]
    body += [f"start_anew {quote_words([interface, state.mark, str(table)])} || exit 1", FORGET, *_body(changes)]
    return _program(_head(title, state, header), _called(changes) | {"wait_for_card", "start_anew"}, body)


def _program(head: Iterable[str], called: frozenset[str], body: Iterable[str]) -> Program:
    return Program("\n".join(head), (PRELUDE, *_pieces_of(called)), "\n".join([*body, "printf '@done\\n'"]))


_FUNCTION_COMMENT = re.compile(r"\A(?:#[^\n]*\n)*")
_FUNCTION = re.compile(r"^((?:#[^\n]*\n)*)([a-z_0-9]+)(\(\) \{ [^\n]*\}(?: #[^\n]*)?|\(\) \{.*?^\})\n", re.M | re.S)


def _called(changes: Iterable[Change]) -> frozenset[str]:
    """The words that may be a function's name: the first of each command, and what stands for some of them."""
    names = {cmd.argv[0] for change in changes for cmd in change.commands}
    return frozenset(names | {"set_value"} if "write" in names else names)


PRELUDE = "prelude"
"""The name of what every program of ours begins with."""


@cache
def library() -> dict[str, str]:
    """Our functions by name, each with its comment, and what every program begins with; those most often needed first."""
    prelude = re.sub(r"\n{2,}", "\n", _FUNCTION.sub("", text_of("remote", "prelude.sh")))
    text = "\n".join(text_of("remote", f"{name}.sh") for name in ("prelude", "boot_prelude", "packages", "firewalld"))
    return {PRELUDE: prelude} | {name: comment + name + rest for comment, name, rest in _FUNCTION.findall(text)}


@cache
def often_needed() -> frozenset[str]:
    """The names of the pieces that most changes need: all but those that install packages or speak to firewalld."""
    text = "\n".join(text_of("remote", f"{name}.sh") for name in ("prelude", "boot_prelude"))
    return frozenset({PRELUDE} | {name for _, name, _ in _FUNCTION.findall(text)})


@lru_cache(maxsize=256)
def _pieces_of(called: frozenset[str]) -> tuple[str, ...]:
    """Those of our functions that some names call, with what these call."""
    wanted: set[str] = set()
    waiting = {"at", "fail", *called}
    while waiting:
        name = waiting.pop()
        if name in library() and name not in wanted:
            wanted.add(name)
            waiting |= set(re.findall(r"[a-z_0-9]+", _FUNCTION_COMMENT.sub("", library()[name])))
    return tuple(name for name in library() if name in wanted - {PRELUDE})


def _functions(names: Iterable[str]) -> str:
    return "\n".join(library()[name] for name in names)


def _head(title: str, state: State, header: Mapping[str, str] | None) -> Iterator[str]:
    yield "#!/bin/sh"
    yield f"# {state.mark}: {title}"
    for name, value in (header or {}).items():
        yield f"#: {name} {value}"
    for name, run in sorted(state.runs.items()):
        yield f"#: run {json.dumps({'name': name, 'command': run.command, 'undo': run.undo})}"
    yield f"directory={quote_words([state.directory])}"


Numbered = tuple[int, Command]


def _body(changes: list[Change]) -> Iterator[str]:
    """The commands in order; neighbours of one kind are one command, since each process costs a host a millisecond.

    What is said of WireGuard may pass what is said of cards: wireguard-go, asked for the first time, has set an MTU of
    its own by the time it answers.
    """
    groups: dict[str, list[Numbered]] = {}
    begun: list[str] = []  # the changes that are to be told before the groups

    def flush() -> Iterator[str]:
        if begun:
            yield f"at {' '.join(begun)}"
        begun.clear()
        for kind in sorted(groups, key=lambda kind: kind == "ip"):
            yield from _together(kind, groups[kind])
        groups.clear()

    for number, change in enumerate(changes, 1):
        kinds = [_kind(cmd) for cmd in change.commands]
        if groups and kinds and not _fits(groups, kinds[0], change.commands[0]):
            yield from flush()
        yield from ("", f"# {_comment(f'{change.sign} {change.what}: {change.why}')}")
        begun.append(str(number))
        for cmd, kind in zip(change.commands, kinds, strict=True):
            if groups and not _fits(groups, kind, cmd):
                yield from flush()
            groups.setdefault(kind, []).append((number, cmd))
            if not kind:
                yield from flush()
    yield from flush()


def _fits(groups: Mapping[str, list[Numbered]], kind: str, cmd: Command) -> bool:
    """Whether a command can stand with those that wait."""
    if kind in groups:
        if cmd.argv[0] == "set_key":
            return False  # it comes before the peers
        if len(groups) == 1:
            return True
    return all(kind == other or (_is_free(kind) and _is_free(other)) for other in groups)


def _is_free(kind: str) -> bool:
    return kind == "ip" or kind.startswith("wg ")


_SPECIAL = re.compile(r"[\s'\"\\]")


def _kind(cmd: Command) -> str:
    """What a command can be put together with; empty where with nothing."""
    word = cmd.argv[0]
    if cmd.argv in RESTORES or word in ("note_table", "note_chain", "ensure_chain", "unjump", "drop_chain"):
        return "firewall"
    if word in ("set_value", "write"):
        return "values"
    if word == "ip":
        return _kind_of_ip(cmd)
    if cmd.argv[:2] == ("wg", "set") and cmd.argv[3] == "peer" and len(cmd.argv) < 20:
        return f"wg {cmd.argv[2]}"
    if word == "set_key":
        return f"wg {cmd.argv[1]}"
    return ""


@lru_cache(maxsize=1 << 14)
def _kind_of_ip(cmd: Command) -> str:
    if "" in cmd.argv or _SPECIAL.search("".join(cmd.argv)):
        return ""
    family = cmd.argv[1] if cmd.argv[1].startswith("-") else ""
    return f"ip{family}{' absent' if cmd.may_be_absent else ''}"


def _together(kind: str, group: list[Numbered]) -> Iterator[str]:
    """Neighbours of one kind, put together; what fails is told with the number of the last of them."""
    if not group:
        return
    last = group[-1][0]
    if kind == "firewall":
        yield from _firewall(group)
    elif kind == "values":
        pairs = {
            word: [w for _, c in group if c.argv[0] == word for w in c.argv[1:]] for word in ("set_value", "write")
        }
        own = ["--", *pairs["write"]] if pairs["write"] else []
        yield _render(last, command("set_value", *pairs["set_value"], *own))
    elif kind.startswith("ip") and len(group) > 1:
        family = [kind.removesuffix(" absent")[2:]] if kind.removesuffix(" absent") != "ip" else []
        force = ["-force"] if kind.endswith(" absent") else []
        lines = "\n".join(" ".join(c.argv[1 + len(family) :]) for _, c in group)
        yield _render(last, command("ip", *family, *force, "-batch", "-", stdin=lines, may_be_absent=bool(force)))
    elif kind.startswith("wg "):
        for some in (group[i : i + AT_ONCE] for i in range(0, len(group), AT_ONCE)):
            words = chain.from_iterable(c.argv[3:] for _, c in some[1:])
            yield _render(some[-1][0], Command((*some[0][1].argv, *words)))
    else:
        yield from (_render(number, cmd) for number, cmd in group)
        if any(cmd.argv[0] not in _LEAVES_RULES_ALONE for _, cmd in group):
            yield FORGET


FORGET = "rules4='' rules6=''"
"""What was asked of the firewall's rules holds until something may have changed them."""
_LEAVES_RULES_ALONE = ("make_interface", "end_interface", "clear_alias", "wg", "dial_by_name", "ip", "chmod")


def _comment(text: str) -> str:
    """Text that stays in one comment line whatever is in it."""
    return one_line(text).translate({0x201C: '"', 0x201D: '"', 0x2026: "..."}).encode("ascii", "replace").decode()


def _firewall(group: list[Numbered]) -> Iterator[str]:
    """All tables of one kind of IP in one call: it costs 15 ms on a host, however much it is given."""
    last = group[-1][0]
    for word in ("note_table", "note_chain", "ensure_chain", "unjump"):
        words = [w for _, c in group if c.argv[0] == word for w in c.argv[1:]]
        if words:
            yield _render(last, command(word, *words))
    for argv in RESTORES:
        tables: dict[str, list[str]] = {}
        for _, cmd in group:
            if cmd.argv == argv:
                table, *body = cmd.stdin.split("\n")
                tables.setdefault(table, []).extend(body[:-1])
        # Chains are declared before anything refers to them.
        text = [
            part
            for table, body in tables.items()
            for part in (table, *(b for b in body if b[0] == ":"), *(b for b in body if b[0] != ":"), "COMMIT")
        ]
        if text:
            yield _render(last, command(*argv, stdin="\n".join(text)))
    # What comes behind a restore in its change comes behind all of them.
    yield from (_render(number, cmd) for number, cmd in group if cmd.argv[0] == "drop_chain")
    yield FORGET


def _render(number: int, cmd: Command) -> str:
    first, *rest = cmd.render().split("\n")
    quietly = " 2>/dev/null || :" if cmd.may_be_absent else f" || fail {number}"
    return "\n".join([first + quietly, *rest])


def by_hand(state: State, changes: Iterable[Change]) -> list[str]:
    """What a person's shell needs before the commands of some changes: the directory, and the functions they call."""
    names = _pieces_of(_called(changes) | {"write_file"})
    place = quote_words([state.directory])
    lines = ["umask 077", f"mkdir -p -m 700 {place} && cd {place}"]
    lines += [f"boot_id=$(cat /proc/sys/kernel/random/boot_id) {FORGET}"]
    return [*lines, _functions(names)]


def probe_program(want: State, have: State, interface: str) -> str:
    """A program that prints what of the network runs on the host, without anything that moves by itself."""
    network = want.network
    paths = sorted({p for p in (*want.sysctls, *have.sysctls) if f"/conf/{interface}/" not in p})
    name = quote_words([interface])
    lines = [
        "#!/bin/sh",
        f"# {want.mark}: what of the network runs here; compared before a change and after it was taken back",
        f"ours() {{ # RULES: of all rules the tables' names, and what names a chain of ours\n{_OURS.format(network=network)}}}",
        f"if [ -d /sys/class/net/{name} ]; then",
        f"    for part in ifalias mtu; do cat /sys/class/net/{name}/$part; done",
        f"    ip -o address show dev {name} | sed 's/^[0-9]*: //'",
        f"    for part in public-key listen-port fwmark; do wg show {name} $part; done",
        f"    wg show {name} allowed-ips | while read -r key nets; do for net in $nets; do echo $key $net; done; done | sort",
        f"    wg show {name} persistent-keepalive | sort",
        f"    wg show {name} preshared-keys | sort | sha256sum",
        f"    ip route show dev {name}; ip -6 route show dev {name} | grep -v 'proto kernel'",
        "fi 2>/dev/null",
    ]
    exits = {way.rpartition(" table ")[2] for state in (want, have) for way in state.ways}
    if exits or want.policy or have.policy:
        lines.append(f"for f in -4 -6; do ip $f rule show | grep 'proto {ROUTE_PROTO}'; done")
        lines += [f"for f in -4 -6; do ip $f route show table {table}; done 2>/dev/null" for table in sorted(exits)]
    if want.dns or have.dns:
        lines.append("cat /etc/resolv.conf 2>/dev/null")
    if want.nft or have.nft:
        lines.append(f"nft list table inet wgorch-{network} 2>/dev/null")
    if want.firewalld or have.firewalld:
        base = base_name(network)
        asked = "; ".join(f"firewall-cmd --info-policy={base}-{end}" for end in ("in", "out", "udp"))
        lines.append(
            f"{{ firewall-cmd --info-zone={base}; {asked}; }} 2>/dev/null | grep -e rule -e ports: -e interfaces: -e forward:"
        )
    tools = {tool(chain.table) for state in (want, have) for chain in state.chains} | {"iptables"}
    for by in sorted(tools):
        rules = "rules6" if by.startswith("ip6") else "rules4"
        lines += [f'{rules}="$({by}-save 2>/dev/null)\n"', f'ours "${rules}"']
    if paths:
        lines.append(
            f"for path in {' '.join(paths)}; do line=; read -r line </proc/sys/$path; echo $line; done 2>/dev/null"
        )
    return "\n".join([*lines, ":", ""])


_OURS = """\
    set -f
    IFS='
'
    for line in $1; do case $line in '*'* | *wgorch-{network}-*) printf '%s\\n' "$line" ;; esac; done
    unset IFS
    set +f
"""
