"""Join neighbouring commands of one kind into one call: each process costs a host a millisecond."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain

from wgorch.base.sh import EMPTY, Sh, comment, quote_words, sh
from wgorch.state.change import Change, Command, command
from wgorch.steps.chains import RESTORES
from wgorch.steps.peers import AT_ONCE

Numbered = tuple[int, Command]


def batched(changes: list[Change]) -> Iterator[Sh]:
    """The commands in order; neighbours of one kind are one command: each process costs a host a millisecond.

    Commands of wg may move before those of ip: wireguard-go, at its first request, sets an MTU of its own.
    """
    groups: dict[str, list[Numbered]] = {}
    begun: list[str] = []  # numbers of the changes to report before the groups

    def flush() -> Iterator[Sh]:
        if begun:
            yield quote_words(["report_step", *begun])
        begun.clear()
        for kind in sorted(groups, key=lambda kind: kind == "ip"):
            yield from _together(kind, groups[kind])
        groups.clear()

    for number, change in enumerate(changes, 1):
        kinds = [_kind(cmd) for cmd in change.commands]
        if groups and kinds and not _fits(groups, kinds[0], change.commands[0]):
            yield from flush()
        yield from (EMPTY, comment(f"{change.sign} {change.what}: {change.why}"))
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


_SPECIAL = re.compile(r"[\s'\"\\#]")
"""What a line of `ip -batch` does not hold as a shell does; # begins a comment there."""


def _kind(cmd: Command) -> str:
    """What a command can be put together with; empty where with nothing."""
    word = cmd.argv[0]
    if cmd.argv in RESTORES or word in ("note_table", "note_chain", "ensure_chain", "remove_jump", "drop_chain"):
        return "firewall"
    if word in ("set_value", "write_sysctl"):
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


def _together(kind: str, group: list[Numbered]) -> Iterator[Sh]:
    """Neighbours of one kind as one command; a failure is reported with the number of the last of them."""
    if not group:
        return
    last = group[-1][0]
    if kind == "firewall":
        yield from _firewall(group)
    elif kind == "values":
        pairs = {
            word: [w for _, c in group if c.argv[0] == word for w in c.argv[1:]]
            for word in ("set_value", "write_sysctl")
        }
        own = ["--", *pairs["write_sysctl"]] if pairs["write_sysctl"] else []
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


FORGET = sh("rules4='' rules6=''")
"""What was asked of the firewall's rules holds until something may have changed them."""


_LEAVES_RULES_ALONE = ("make_interface", "end_interface", "clear_alias", "wg", "set_named_endpoint", "ip", "chmod")


def _firewall(group: list[Numbered]) -> Iterator[Sh]:
    """All tables of one kind of IP in one call: it costs 15 ms on a host, however much it is given."""
    last = group[-1][0]
    for word in ("note_table", "note_chain", "ensure_chain", "remove_jump"):
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


def _render(number: int, cmd: Command) -> Sh:
    return cmd.render(sh(" 2>/dev/null || :") if cmd.may_be_absent else sh(" || abort {number}", number=number))
