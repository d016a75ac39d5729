"""How far each host is in a run, by its latest event, and which hosts are worth a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from wgorch.events import Event

LABELS = {
    Event.CONNECT: "connecting",
    Event.GATHERED: "facts gathered",
    Event.LOCK: "locking",
    Event.ARM: "applying (lease armed)",
    Event.CHANGE: "applying",
    Event.APPLIED: "applied, verified on host",
    Event.VERIFY: "measuring paths",
    Event.VERIFIED: "paths measured",
    Event.TRACE: "capturing",
    Event.HELD: "held, unconfirmed",
    Event.CONFIRMED: "confirmed",
    Event.FINISHED: "done",
    Event.ROLL_BACK: "rolling back",
    Event.ROLLED_BACK: "rolled back",
    Event.MISMATCH: "NOT restored",
    Event.WAITING: "waiting",
    Event.FAILED: "failed",
}

STYLES = {Event.FAILED: "red", Event.MISMATCH: "red", Event.CONFIRMED: "green", Event.FINISHED: "green"}

SILENT = {Event.GATHERED, Event.VERIFIED}
"""Events without a line of their own."""

DETAILED = {Event.CHANGE, Event.WAITING, Event.FAILED, Event.MISMATCH, Event.ROLLED_BACK}
"""Events whose detail the live display shows."""

DETAILED_LINES = {Event.FAILED, Event.WAITING, Event.MISMATCH, Event.ROLL_BACK}
"""Events whose detail stands in their line."""

PROBLEMS = {Event.FAILED, Event.WAITING, Event.MISMATCH, Event.ROLL_BACK}

ORDER = (
    (Event.CONNECT,),
    (Event.GATHERED,),
    (Event.LOCK,),
    (Event.ARM, Event.CHANGE),
    (Event.APPLIED,),
    (Event.VERIFY,),
    (Event.VERIFIED,),
    (Event.CONFIRMED, Event.HELD),
    (Event.FINISHED,),
)
PHASES = {event: phase for phase, events in enumerate(ORDER) for event in events}

MAX_ROWS = 30
"""Number of hosts up to which each has a row; beyond it only notable hosts have one."""


class Phases:
    """The latest event of each host."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self.hosts = hosts
        self._latest: dict[str, tuple[Event, str]] = {}

    def record(self, host: str, event: Event, detail: str) -> None:
        """Record an event of a host."""
        self._latest[host] = (event, detail)

    def last(self, host: str) -> tuple[Event | None, str]:
        """The latest event of a host and its detail; None if there was none."""
        return self._latest.get(host, (None, ""))

    def counts(self) -> list[tuple[str, int]]:
        """The number of hosts by state, most frequent first."""
        return Counter(LABELS[self.last(host)[0] or Event.CONNECT] for host in self.hosts).most_common()

    def stragglers(self) -> list[str]:
        """Hosts that others wait for: behind the phase that another host has reached."""
        reached = {host: PHASES[event] for host in self.hosts if (event := self.last(host)[0]) in PHASES}
        return [host for host, phase in reached.items() if phase < max(reached.values())]

    def notable(self) -> Sequence[str]:
        """All hosts if few; of many those that failed, wait, roll back, or are waited for."""
        if len(self.hosts) <= MAX_ROWS:
            return self.hosts
        problems = [host for host in self.hosts if self.last(host)[0] in PROBLEMS]
        return list(dict.fromkeys([*problems, *self.stragglers()]))[:MAX_ROWS]
