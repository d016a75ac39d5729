"""Read the replies of a host's scripts and referee.

    @at N             change N begins                       locked ID        this run holds the lock
    @stop N           the script's time was over at N       busy SECONDS     another run holds the lock
    @fail N | NAME    change N, or writing file NAME,       lost ID          its lock has ended
                      failed; output of it stands before    applied ID       done; the lease runs
    @tests, @fail rules   iptables-restore rejects rules    renewed ID LEFT  the lease was extended
    @wait TEXT        waiting for a package manager         confirmed ID TIME SUM    and where its journal ends now
                                                            held, finished, unlocked ID

and of a rollback: reverted, rebooted, nothing (ID), unlike, reverting (ID). The words are a protocol with referees of older
versions on hosts, and stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from wgorch.base.text import one_line, visible
from wgorch.gather.observed import Observed
from wgorch.inventory.model import Network
from wgorch.plan.host import HostPlan, changes_between
from wgorch.plan.journals import Head
from wgorch.plan.scope import in_scope
from wgorch.state.change import Change


class Word(StrEnum):
    """A word of the referee; the value is what it prints."""

    LOCKED = "locked"
    LOST = "lost"
    APPLIED = "applied"
    RENEWED = "renewed"
    HELD = "held"
    CONFIRMED = "confirmed"
    FINISHED = "finished"
    ROLLED_BACK = "reverted"
    BOOTED = "rebooted"
    """Rolled back by the last confirmed boot script."""
    UNTOUCHED = "nothing"
    MISMATCH = "unlike"
    """Neither as before nor as planned."""
    ROLLING_BACK = "reverting"


ROLLBACK_TEXTS = {
    Word.ROLLED_BACK: "as before the change",
    Word.UNTOUCHED: "nothing was changed",
    Word.BOOTED: "by its last confirmed boot script",
    Word.MISMATCH: "NOT as before the change, nor as planned",
    Word.ROLLING_BACK: "the rollback is still running",
}
"""How a rollback ended, as people read it."""


def says(output: str, word: Word, change_id: str) -> bool:
    """True where the referee printed a word about a change."""
    return re.search(rf"^{word} {change_id}\b", output, re.M) is not None


def rollback_of(output: str, change_id: str) -> Word | None:
    """The last word about a rollback of a change."""
    found = re.findall(rf"^({'|'.join(ROLLBACK_TEXTS)}) {change_id}\b", output, re.M)
    return Word(found[-1]) if found else None


def head_of(output: str, change_id: str) -> Head | None:
    """Where the journal of a host that confirmed ends; None where an older referee does not say."""
    hit = re.search(rf"^{Word.CONFIRMED} {change_id} (\d{{1,12}}) ([0-9a-f]{{64}})$", output, re.M)
    return Head(int(hit[1]), hit[2]) if hit else None


class Holder(NamedTuple):
    """Who holds a host's lock."""

    who: str
    since: int | None
    """UNIX time."""
    left_s: int
    is_hold: bool = False
    """True where a proven change waits there to be confirmed."""


def holder_of(output: str) -> Holder | None:
    """The run that holds the lock, where it is another."""
    busy = re.search(r"^busy (\d{1,9})$", output, re.M)
    if not busy:
        return None
    who = re.search(r"^who=(.*)$", output, re.M)
    since = re.search(r"^since=(\d{1,12})$", output, re.M)
    return Holder(
        who[1] if who else "another run", int(since[1]) if since else None, int(busy[1]), "\nheld=yes" in output
    )


def begun(line: str, changes: Sequence[Change]) -> Change | None:
    """The change that a line of output says has begun."""
    number = line[4:] if line.startswith("@at ") else ""
    return changes[int(number) - 1] if number.isdecimal() and 0 < int(number) <= len(changes) else None


def rejected_rules(output: str) -> str | None:
    """What iptables-restore says of rules that it rejects."""
    if "@fail rules" not in output.split("\n"):
        return None
    return one_line(output.rpartition("@tests\n")[2].partition("@fail rules")[0], 400)


def unwritable(output: str) -> list[str]:
    """Files that a host could not write, of those that are written last."""
    return [visible(path) for path in re.findall(r"^@unwritable (/\S{1,200})$", output, re.M)]


class Failure(NamedTuple):
    """What failed on a host, to stand behind "cannot", and how."""

    action: str
    problem: str


def failure_of(output: str, changes: Sequence[Change]) -> Failure | None:
    """The failure that a script reports: the change, and the lines printed since it began."""
    lines = output.split("\n")
    for i, line in enumerate(lines):
        if line.startswith(("@fail", "@stop")):
            number = line.split(" ")[-1]
            start = max((j for j, text in enumerate(lines[:i]) if text.startswith("@at ")), default=-1)
            printed = "; ".join(text for text in lines[start + 1 : i] if text.strip())[-400:] or "no output"
            change = begun(f"@at {number}", changes)
            return Failure(_action(change) if change else "write its files", printed)
    return None


def cut_short(output: str, changes: Sequence[Change]) -> Failure:
    """The failure of a script that ended without a word: it was killed, or hung until it was."""
    last = [change for line in output.split("\n") if (change := begun(line, changes))]
    if last:
        return Failure(_action(last[-1]), "it timed out or was killed")
    return Failure("apply the plan", one_line(output, 300) or "no reply from its referee")


def _action(change: Change) -> str:
    verb = {"+": "add", "-": "remove"}.get(change.sign, "change")
    return f"{verb} {change.what}"


def mismatches(plan: HostPlan, after: Observed, network: Network) -> list[str]:
    """Differences that are left although the host reports the changes as made."""
    have = after.state(network)
    steps = [s for s in dict.fromkeys(c.step for c in (*plan.do, *plan.undo)) if s and s != "run"]
    want = replace(plan.want, runs=have.runs)
    return [f"{c.what}: {c.why}" for c in changes_between(want, in_scope(have, want), steps)]
