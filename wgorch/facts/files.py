"""wgorch's own files on a host: lock, records, start-up script, outcome of the last change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from wgorch.base.value import value
from wgorch.facts.grammar import integer, match, words
from wgorch.facts.listing import Entry, entry
from wgorch.facts.part import Answers, Part, Reread
from wgorch.facts.system import facts_of
from wgorch.state.state import Run

PART = Part(
    {"files": Reread.ALWAYS, "keys": Reread.UNDER_LOCK},
    moves_in_prepare=frozenset({"installed"}),
    labels={"boot": "the boot script", "boot_header": "the boot script's header", "saved": "saved sysctls"},
)

FORMAT = 2
"""Format of the files in a network's directory that this version writes; hosts of version 0.1 have 1, unwritten."""


FORMAT_SINCE = "0.2"
"""The first version that writes this format; hosts carry it, so that an older program can say which one to get."""


APPROVE = "approve"
"""The line of the start-up script's header with the rule for approvals."""
MAX_APPROVAL = 200_000
"""Characters of it."""


@value
class SavedSysctl:
    """A sysctl that wgorch changed: it carries no mark, so its former value is saved on the host."""

    before: str
    applied: str


@value
class Lock:
    """Holder of a host's lock."""

    who: str
    since: int
    """UNIX time."""
    until: int
    """Seconds of the host's uptime."""
    boot_id: str
    run: str


@value
class Files:
    """Files of one network in its directory on one host."""

    installed: frozenset[str] = frozenset()
    """Packages that wgorch installed."""
    boot: str = ""
    """SHA-256 of the confirmed start-up script."""
    boot_header: Mapping[str, str] = field(default_factory=dict)
    approval: str = field(default="", compare=False)
    """The number of a revision, and the rule for approvals since then, as the start-up script has it; empty without one."""
    runs: Mapping[str, Run] = field(default_factory=dict)
    """Steps of the user's playbook, as the start-up script carries them."""
    saved: Mapping[str, SavedSysctl] = field(default_factory=dict)
    """By path below /proc/sys; of this boot only."""
    created_tables: frozenset[str] = frozenset()
    """iptables tables that exist because of wgorch."""
    needed: frozenset[tuple[str, str]] = field(default=frozenset(), compare=False)
    """Sysctls that other networks of wgorch on the host set at their start: path and value."""
    damaged: bool = False
    """The record of what was changed cannot be read: what was there before is not known."""
    forwarded_all: str = ""
    """Value of net.ipv4.conf.all.forwarding when the first sysctl was saved."""
    pending: bool = field(default=False, compare=False)
    reverting: bool = field(default=False, compare=False)
    outcome: str = field(default="", compare=False)
    lock: Lock | None = field(default=None, compare=False)
    held_with: tuple[str, ...] = field(default=(), compare=False)
    """Where a change is held unconfirmed, its hosts."""
    listing: tuple[Entry, ...] = field(default=(), compare=False)
    """The network's directory, its parent, and wgorch's files in it."""

    @property
    def has_directory(self) -> bool:
        """True where the network has a directory."""
        return any(e.is_directory_of_network for e in self.listing)

    @property
    def format(self) -> int:
        """Format number of the files; 0 where there are none."""
        if not self.boot:
            return 0
        known = self.boot_header.get("format", "1")
        return int(known) if known.isdecimal() and len(known) < 9 else FORMAT + 1


def read(answers: Answers) -> Files:
    """The Files in a host's answers. Raises NotAnAnswer, ValueError or LookupError."""
    lines = list(words([*answers.get("keys", []), *answers.get("files", [])]))
    names = {rest for word, rest in lines if word == "has"}
    header = [rest[3:].partition(" ") for word, rest in lines if word == "boot" and rest.startswith("#: ")]
    recorded = [rest for word, rest in lines if word == "recorded"]
    saved, tables, forwarded_all = _records(recorded, answers)
    outcomes = [rest[:300] for word, rest in lines if word == "outcome"]
    digests = [match(r"[0-9a-f]{64}", rest.split(" ")[0]) for word, rest in lines if word == "digest"]
    return Files(
        installed=frozenset(match(r"[A-Za-z0-9.+_-]{1,60}", rest) for word, rest in lines if word == "installed"),
        boot=digests[-1] if digests else "",
        boot_header={name: text[:200] for name, _, text in header if name not in ("run", APPROVE)},
        approval=next((text[:MAX_APPROVAL] for name, _, text in header if name == APPROVE), ""),
        runs=dict(_user_step(text) for name, _, text in header if name == "run"),
        saved=saved,
        needed=frozenset(pair for word, rest in lines if word == "set_value" for pair in _set_values(rest)),
        created_tables=tables,
        damaged="recorded" in names and not _is_record(recorded),
        forwarded_all=forwarded_all,
        pending="pending" in names,
        reverting="reverting" in names,
        outcome=outcomes[-1] if outcomes else "",
        lock=_lock([rest for word, rest in lines if word == "lock"]),
        held_with=_held_with([rest for word, rest in lines if word == "hold"], lines),
        listing=tuple(found for word, rest in lines if (found := entry(word, rest))),
    )


def _held_with(held: list[str], lines: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The hosts of a held change; none where the lock is not that change's."""
    owner = next((rest for word, rest in lines if word == "lock" and rest.startswith("run=")), "")
    its = [match(r"[a-z0-9-]{1,40}", name) for name in held[1:]]
    return tuple(its) if held and held[0] == owner else ()


def _user_step(text: str) -> tuple[str, Run]:
    import json

    run = json.loads(text)
    return str(run["name"]), Run(str(run["command"]), str(run["undo"]))


def _set_values(words: str) -> Iterator[tuple[str, str]]:
    """The pairs of path and value that a start-up script's line sets, but those of its own interface."""
    pairs = words.partition(" -- ")[0].partition(" || ")[0].split(" ")
    return zip(pairs[::2], pairs[1::2], strict=False)


def _lock(lines: list[str]) -> Lock | None:
    found = {name: text for name, _, text in (line.partition("=") for line in lines)}
    if not found:
        return None
    return Lock(
        who=found.get("who", "unknown")[:120],
        since=integer(found.get("since") or "0"),
        until=integer(found.get("until") or "0"),
        boot_id=found.get("boot", ""),
        run=found.get("run", ""),
    )


_RECORDS = {"boot": 1, "sysctl": 3, "all4": 1, "table": 1, "chain": 1}
"""How many words each kind of record has."""


def _is_record(lines: list[str]) -> bool:
    """True for the lines of a whole record: it begins with the boot that it is of."""
    kinds = [line.split(" ") for line in lines]
    known = all(len(rest) == _RECORDS.get(kind) for kind, *rest in kinds)
    return bool(kinds) and kinds[0][0] == "boot" and known


def _records(lines: Iterable[str], answers: Answers) -> tuple[dict[str, SavedSysctl], frozenset[str], str]:
    """Saved sysctls, created tables and the former forwarding switch; nothing where they are of another boot."""
    boot_id, forwarded_all = "", ""
    saved: dict[str, SavedSysctl] = {}
    tables: set[str] = set()
    for kind, *rest in (line.split(" ") for line in lines):
        if kind == "boot" and len(rest) == 1:
            boot_id = rest[0]
        elif kind == "sysctl" and len(rest) == 3:
            saved.setdefault(rest[0], SavedSysctl(rest[1], rest[2]))
        elif kind == "all4" and len(rest) == 1:
            forwarded_all = rest[0]
        elif kind == "table" and len(rest) == 1:
            tables.add(rest[0])
    if boot_id != facts_of(answers).get("boot_id", ""):
        return {}, frozenset(), ""
    return saved, frozenset(tables), forwarded_all
