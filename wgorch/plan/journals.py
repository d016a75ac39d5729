"""The journals of the hosts: whether each still is as its host wrote it.

Each line has the SHA-256 of all lines before it, and other hosts keep where a journal ended at its last confirmation.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

WITNESSES = 3
"""Number of other hosts that keep where a host's journal ended."""
CONTROLLER = "this controller"
"""The witness that is no host."""


AT_ONCE = 2
"""Number of lines that a process may overlook, since others wrote them at the same moment."""


class Head(NamedTuple):
    """Where a journal ended when a change was confirmed."""

    when: int
    """UNIX time of its host."""
    total: str
    """SHA-256 of the journal, in hex."""


class HostJournal(NamedTuple):
    """The journal of a host, and the heads of others that it keeps."""

    text: str = ""
    heads: Mapping[str, Head] = {}
    is_member: bool = False
    """True where the host carries the network, and so has a journal."""


class Check(NamedTuple):
    """What a look at all journals found."""

    faults: Mapping[str, Sequence[str]]
    """By host, what is not as it was written."""
    notes: Mapping[str, Sequence[str]]
    """By host, what could not be judged."""
    checked: Sequence[str] = ()
    """The hosts that have a journal."""


_HEAD = re.compile(r"(\S{1,64}) ([0-9]{1,12}) ([0-9a-f]{64})")
_SUM = re.compile(r"time=[0-9]+ run=\S+ sum=([0-9a-f]{64}|-) ")
_TIME = re.compile(r"time=([0-9]{1,12}) ")


def head_words(name: str, heads: Mapping[str, Head]) -> list[str]:
    """The heads that a host is to keep, each as a line: of the hosts that come next by name."""
    others = sorted(heads)
    later = [other for other in others if other > name] + [other for other in others if other < name]
    return [f"{other} {heads[other].when} {heads[other].total}" for other in later[:WITNESSES]]


def parse_heads(text: str) -> dict[str, Head]:
    """The heads in a host's file; lines that are none are left out."""
    hits = (_HEAD.fullmatch(line) for line in text.split("\n"))
    return {hit[1]: Head(int(hit[2]), hit[3]) for hit in hits if hit}


def parse_journal(answer: str, mark: str) -> HostJournal:
    """The answer of a host: journal, heads, and whether it carries the network, each behind a line with the mark."""
    _, _, rest = answer.partition(f"{mark} journal\n")
    text, _, rest = rest.partition(f"{mark} heads\n")
    heads, _, rest = rest.partition(f"{mark} end")
    return HostJournal(text, parse_heads(heads), is_member=rest.strip() == "member")


def check(journals: Mapping[str, HostJournal], known: Mapping[str, Head]) -> Check:
    """Check every journal in itself, and against what other hosts keep of it. `known`: the heads that this controller keeps."""
    faults: dict[str, list[str]] = {}
    notes: dict[str, list[str]] = {}
    for name, journal in journals.items():
        witnesses = {other: its.heads[name] for other, its in journals.items() if other != name and name in its.heads}
        witnesses |= {CONTROLLER: known[name]} if name in known else {}
        found = _Found([], [])
        _judge(journal, witnesses, found)
        faults |= {name: found.faults} if found.faults else {}
        notes |= {name: found.notes} if found.notes else {}
    return Check(faults, notes, [name for name, journal in journals.items() if journal.text])


class _Found(NamedTuple):
    faults: list[str]
    notes: list[str]


def _judge(journal: HostJournal, witnesses: Mapping[str, Head], found: _Found) -> None:
    if not journal.text:
        if journal.is_member:
            found.faults.append("its journal is gone")
        elif witnesses:
            found.notes.append("it has no journal, as after a teardown")
        return
    totals = _totals(journal.text)
    found.faults.extend(_breaks(journal.text, totals))
    begin = _TIME.match(journal.text)
    begun = int(begin[1]) if begin else 0
    current = {other: head for other, head in witnesses.items() if head.when >= begun}
    if earlier := witnesses.keys() - current.keys():
        what = f"{_listed([*earlier])} saw an earlier journal: it was torn down since, or its journal was replaced"
        # The journal itself says when it began: one that no other host has seen proves no teardown.
        (found.notes if current else found.faults).append(what)
    ended = [other for other, head in current.items() if head.total not in totals]
    if ended:
        found.faults.append(f"it is not what {_listed(ended)} saw: lines were cut off or changed")
    if not witnesses:
        found.notes.append("no other host saw it: its last line could be edited, and lines be cut from its end")
    if len(totals) > 2 and {hit[1] for hit in map(_SUM.match, _lines(journal.text)) if hit} == {"-"}:
        found.notes.append("the host has no sha256sum: edits cannot be found")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(sorted(names))


def _lines(text: str) -> list[str]:
    """The lines with their ends; the last one may have been cut."""
    return re.findall(r"[^\n]*\n|[^\n]+$", text)


def _totals(text: str) -> list[str]:
    """The sum of the text up to each line, from none to all of them."""
    so_far = hashlib.sha256()
    found = [so_far.hexdigest()]
    for line in _lines(text):
        so_far.update(line.encode())
        found.append(so_far.hexdigest())
    return found


def _breaks(text: str, totals: Sequence[str]) -> Iterator[str]:
    """The first place where the lines are not those that were written; what comes later rests on it."""
    bare: list[int] = []
    good = 0
    lines = _lines(text)
    for number, line in enumerate(lines, 1):
        hit = _SUM.match(line)
        total = hit[1] if hit else ""
        if total == "-" and (number == 1 or not good):
            continue
        if not hit or total == "-":
            bare += [number] if good else []
            continue
        # Processes that write at once do not see each other's lines.
        at_once = line not in lines[max(0, number - 1 - AT_ONCE) : number - 1] and good == number - 1
        seen = totals[max(0, number - 1 - AT_ONCE) : number] if at_once else totals[number - 1 : number]
        if total not in seen:
            yield _place(good, number)
            return
        good, bare = number, []
    if bare:
        yield f"line {bare[0]} has no sum of the lines before it: it was written by hand, or by an older version"


def _place(good: int, number: int) -> str:
    if number == 1:
        return "lines before the first were removed"
    if good == number - 1:
        return f"line {good} was edited, or lines between it and line {number} were removed, added or moved"
    return f"lines {good or 1} to {number - 1} are not those that stood before line {number}"
