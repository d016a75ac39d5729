"""wgorch's own files on a host: lock, records, start-up script, digests."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from wgorch.base.value import value
from wgorch.facts.grammar import MAX_LINES, integer, match, moment, public_key
from wgorch.state.state import Run


@value
class SavedSysctl:
    """A value that we changed and that could carry no mark: what it was, and what we made of it."""

    before: str
    ours: str


@value
class Lock:
    """Who holds the host. `until`: seconds of its uptime."""

    who: str
    since: int
    until: int
    boot_id: str
    run: str


def own_files(s: Mapping[str, list[str]], facts: Mapping[str, str]) -> dict[str, Any]:
    """What is told of our own files, and when."""
    files = _files([*s.get("keys", []), *s.get("files", [])])
    of_this_boot = files.recorded_boot_id == facts.get("boot_id", "")
    uptime = moment(s["moment"][0].split()[1])
    clock, _, at = facts["clock"].partition(" ")
    return {
        "key_file": "private_key" in files.names,
        "key_file_mode": files.key_mode,
        "key_file_public": files.public_key,
        "staged_keys": tuple(files.staged_keys),
        "source_key": files.offered,
        "keys_clean": files.keys_clean,
        "secrets": files.secrets,
        "installed": frozenset(files.installed),
        "boot": files.boot_digest,
        "boot_header": files.boot_header,
        "runs": files.runs,
        "units": {kind: sum_ if kind in files.enabled else "off" for kind, sum_ in files.units.items()},
        "watch": files.watch,
        "recorded": files.recorded if of_this_boot else {},
        "created_tables": files.tables if of_this_boot else frozenset(),
        "forwarded_all": files.forwarded_all if of_this_boot else "",
        "uptime": int(uptime),
        "clock": math.ceil(integer(clock) + uptime - moment(at)),
        "pending": "pending" in files.names,
        "reverting": "reverting" in files.names,
        "outcome": files.outcome,
        "lock": files.lock,
        "has_directory": "files" in s and bool(files.names or files.listed),
    }


class _Files:
    """The files of a network's directory."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.listed = False
        self.key_mode = self.public_key = self.boot_digest = self.outcome = self.offered = self.watch = ""
        self.staged_keys: list[str] = []
        self.keys_clean = True
        self.secrets: dict[str, str] = {}
        self.installed: set[str] = set()
        self.enabled: set[str] = set()
        self.units: dict[str, str] = {}
        self.boot_header: dict[str, str] = {}
        self.runs: dict[str, Run] = {}
        self.recorded: dict[str, SavedSysctl] = {}
        self.recorded_boot_id = ""
        self.tables: frozenset[str] = frozenset()
        self.forwarded_all = ""
        self.lock: Lock | None = None


def _files(lines: list[str]) -> _Files:
    files = _Files()
    lock: dict[str, str] = {}
    for line in lines[:MAX_LINES]:
        word, _, rest = line.partition(" ")
        if word == "has":
            files.names.add(rest)
        elif word == "public_key":
            files.public_key = public_key(rest) if rest else ""
        elif word == "next_key" and len(rest) == 44:
            files.staged_keys.append(public_key(rest.replace("_", "/")))
        elif word == "unsettled":
            files.keys_clean = False
        elif word == "offered":
            files.offered = public_key(rest) if rest else ""
        elif word == "secret":
            name, _, digest = rest.partition(" ")
            files.secrets[match(r"psk\.[a-z0-9.-]{1,80}", name)] = match(r"[0-9a-f]{64}", digest)
        elif word == "installed":
            files.installed.add(match(r"[A-Za-z0-9.+_-]{1,60}", rest))
        elif word == "watch":
            files.watch = match(r"[0-9a-f]{64}", rest.split(" ")[0])
        elif word == "boot" and rest.startswith("#: "):
            name, _, value = rest[3:].partition(" ")
            if name == "run":
                run = json.loads(value)
                files.runs[str(run["name"])] = Run(str(run["command"]), str(run["undo"]))
            else:
                files.boot_header[name] = value[:200]
        elif word == "digest":
            files.boot_digest = match(r"[0-9a-f]{64}", rest.split(" ")[0])
        elif word == "recorded":
            _record(files, rest)
        elif word == "outcome":
            files.outcome = rest[:300]
        elif word == "lock":
            name, _, value = rest.partition("=")
            lock[name] = value
        elif word == "unit":
            kind, _, sum_ = rest.partition(" ")
            files.units[match(r"systemd|openrc|runit|cron", kind)] = match(r"[0-9a-f]{64}", sum_)
        elif word == "enabled":
            files.enabled.add(rest)
        elif word == "total" or re.match(r"[-dlspcb][rwxsStT-]{9}", word):
            files.listed = True
            if line.split()[-1:] == ["private_key"]:
                files.key_mode = word[:10]
    if lock:
        files.lock = Lock(
            who=lock.get("who", "somebody")[:120],
            since=integer(lock.get("since") or "0"),
            until=integer(lock.get("until") or "0"),
            boot_id=lock.get("boot", ""),
            run=lock.get("run", ""),
        )
    return files


def _record(files: _Files, line: str) -> None:
    words = line.split(" ")
    if words[0] == "boot" and len(words) == 2:
        files.recorded_boot_id = words[1]
    elif words[0] == "sysctl" and len(words) == 4:
        files.recorded.setdefault(words[1], SavedSysctl(words[2], words[3]))
    elif words[0] == "all4" and len(words) == 2:
        files.forwarded_all = words[1]
    elif words[0] == "table" and len(words) == 2:
        files.tables |= {words[1]}
