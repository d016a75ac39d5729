"""What happens while it happens: a row a host on a terminal, plain lines with times elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from types import TracebackType
from typing import TYPE_CHECKING, Any

from wgorch.base.text import one_line, without_keys
from wgorch.events import Event
from wgorch.journal import Journal
from wgorch.report.console import plain

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

WORDS = {
    Event.CONNECT: "connecting",
    Event.GATHERED: "read",
    Event.LOCK: "locking",
    Event.ARM: "lease armed, changing",
    Event.APPLIED: "changed, read back",
    Event.VERIFY: "measuring",
    Event.TRACE: "watching",
    Event.VERIFIED: "measured",
    Event.CONFIRMED: "confirmed",
    Event.FINISHED: "done",
    Event.ROLL_BACK: "taking back",
    Event.ROLLED_BACK: "as before",
    Event.MISMATCH: "NOT as before",
    Event.FAILED: "failed",
    Event.WAITING: "waiting",
    Event.CHANGE: "changing",
}

ORDER = (
    (Event.CONNECT,),
    (Event.GATHERED,),
    (Event.LOCK,),
    (Event.ARM, Event.CHANGE),
    (Event.APPLIED,),
    (Event.VERIFY,),
    (Event.VERIFIED,),
    (Event.CONFIRMED,),
    (Event.FINISHED,),
)
PHASES = {event: phase for phase, events in enumerate(ORDER) for event in events}
"""How far a host is, by what happened on it last."""

MOST_ROWS = 30
"""Hosts beyond so many are counted, and only those in trouble have a row."""

STYLES = {Event.FAILED: "red", Event.MISMATCH: "red", Event.CONFIRMED: "green", Event.FINISHED: "green"}

QUIET_EVENTS = {Event.GATHERED, Event.VERIFIED}


class Progress:
    """A Listener that draws. `verbose` also tells each change as its host begins it."""

    def __init__(
        self, out: Any, hosts: list[str], journal: Journal | None = None, *, quiet: bool = False, verbose: int = 0
    ) -> None:
        self._out, self._hosts, self._journal = out, hosts, journal
        self._quiet, self._verbose = quiet, verbose
        self._began = time.monotonic()
        self._rows: dict[str, tuple[Event | None, str]] = {}
        self._guard = threading.Lock()
        self._lease_ends: float | None = None
        self._live: Live | None = None
        self._draws = not quiet and not verbose and getattr(out, "may_draw", True) and out.is_terminal

    def __enter__(self) -> Progress:
        self.resume()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def resume(self) -> None:
        """Draw from here on, where there is a terminal to draw on."""
        if self._draws and self._live is None:
            from rich.live import Live

            self._live = Live(
                console=getattr(self._out, "real", self._out),
                refresh_per_second=8,
                transient=True,
                get_renderable=self._draw,
            )
            self._live.start()

    def stop(self) -> None:
        """End the drawing; events until it is resumed are lines."""
        if self._live:
            self._live.stop()
            self._live = None

    def close(self) -> None:
        """Close the journal."""
        if self._journal:
            self._journal.close()

    def event(self, host: str, event: Event, detail: str = "") -> None:
        """Something happened on a host."""
        with self._guard:
            if self._journal:
                self._journal.write(event, host, detail=detail)
            if event is Event.ARM:
                self._lease_ends = time.monotonic() + float(detail or 0)
            elif event in (Event.CONFIRMED, Event.ROLLED_BACK, Event.FINISHED):
                self._lease_ends = None
            self._rows[host] = (event, detail)
            if self._live or self._quiet or event in QUIET_EVENTS or (event is Event.FAILED and not self._verbose):
                return
            elapsed = time.monotonic() - self._began
            said = (
                f"    {detail}"
                if event is Event.CHANGE
                else f"{WORDS[event]}{f' ({detail} s)' if event is Event.ARM else ''}"
            )
            if event in (Event.FAILED, Event.WAITING, Event.MISMATCH, Event.ROLL_BACK):
                said += f": {one_line(detail)}" if detail else ""
            self._out.print(plain(f"{elapsed:7.2f}s  {host:<12} {said}"))

    def _draw(self) -> Table:
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        shown = self._hosts if len(self._hosts) <= MOST_ROWS else self._worth_a_row()
        for host in shown:
            event, detail = self._rows.get(host, (None, ""))
            state = WORDS[event] if event else ""
            style = STYLES.get(event, "") if event else ""
            told = (
                detail
                if event in (Event.CHANGE, Event.WAITING, Event.FAILED, Event.MISMATCH, Event.ROLLED_BACK)
                else ""
            )
            table.add_row(plain(host, "bold"), plain(state, style), plain(one_line(told, 80), "dim"))
        ends = self._lease_ends
        parts = [f"{time.monotonic() - self._began:.1f} s"]
        if len(shown) < len(self._hosts):
            states = Counter(WORDS[self._last(host) or Event.CHANGE] for host in self._hosts)
            parts.append(", ".join(f"{count} {state}" for state, count in states.most_common()))
        if late := self._late():
            parts.append(f"waiting for {', '.join(late[:4])}{f' and {len(late) - 4} more' if len(late) > 4 else ''}")
        if ends:
            parts.append(f"undone in {max(0, ends - time.monotonic()):.0f} s unless confirmed")
        table.add_row(plain(""), plain("; ".join(parts), "dim"), plain(""))
        return table

    def _last(self, host: str) -> Event | None:
        return self._rows.get(host, (None, ""))[0]

    def _late(self) -> list[str]:
        """The hosts that the others wait for: behind the phase that somebody has ended."""
        places = {host: PHASES.get(event) if (event := self._last(host)) else None for host in self._hosts}
        known = [place for place in places.values() if place is not None]
        if not known or len(set(known)) == 1:
            return []
        return [host for host, place in places.items() if place is not None and place < max(known)]

    def _worth_a_row(self) -> list[str]:
        """Of many hosts those that failed, wait, or are waited for."""
        bad = [
            h for h in self._hosts if self._last(h) in (Event.FAILED, Event.WAITING, Event.MISMATCH, Event.ROLL_BACK)
        ]
        return list(dict.fromkeys([*bad, *self._late()]))[:MOST_ROWS]


def log_to_stderr(verbose: int) -> object:
    """For -v and -vv: the programs as they are sent, and (-vv) event came back."""

    def log(host: str, direction: str, text: str) -> None:
        if direction == "sent" or verbose > 1:
            arrow = ">" if direction == "sent" else "<"
            for line in text.split("\n"):
                # A key that stands alone in its line may be a preshared one.
                shown = without_keys(line) if len(line.strip()) == 44 else line
                sys.stderr.write(f"{host} {arrow} {one_line(shown, 400)}\n")

    return log if verbose else None
