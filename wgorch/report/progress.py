"""Live progress of a run: a row for each host on a terminal, elsewhere a line for each event."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from wgorch.base.text import one_line, without_keys
from wgorch.events import Event
from wgorch.journal import Journal
from wgorch.remote.shell import RECEIVED, SENT, Log
from wgorch.report.console import safe_text
from wgorch.report.phases import DETAILED, DETAILED_LINES, LABELS, SILENT, STYLES, Phases

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

MAX_NAMES = 4
"""Hosts named in the last line."""


class Progress:
    """A Listener that renders events. `verbose`: print each change as its host begins it."""

    def __init__(
        self, out: Any, hosts: list[str], journal: Journal | None = None, *, quiet: bool = False, verbose: int = 0
    ) -> None:
        self._out, self._journal = out, journal
        self._phases = Phases(hosts)
        self._quiet, self._verbose = quiet, verbose
        self._began, self._stopped = time.monotonic(), 0.0
        self._guard = threading.Lock()
        self._lease_ends: float | None = None
        self._live: Live | None = None
        self._renders = not quiet and not verbose and getattr(out, "may_be_terminal", True) and out.is_terminal

    def __enter__(self) -> Progress:
        self.resume()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def resume(self) -> None:
        """Start the live display, if there is a terminal, and the clock again."""
        if self._stopped:
            self._began += time.monotonic() - self._stopped
            self._stopped = 0.0
        if self._renders and self._live is None:
            from rich.live import Live

            self._live = Live(
                console=getattr(self._out, "real", self._out),
                refresh_per_second=8,
                transient=True,
                get_renderable=self.render,
            )
            self._live.start()

    def stop(self) -> None:
        """Stop the live display, and the clock, which a person's thinking is no part of; events are lines meanwhile."""
        self._stopped = time.monotonic()
        if self._live:
            self._live.stop()
            self._live = None

    def close(self) -> None:
        """Close the journal."""
        if self._journal:
            self._journal.close()

    def event(self, host: str, event: Event, detail: str = "") -> None:
        """Record an event of a host; print it unless the live display shows it."""
        with self._guard:
            if self._journal:
                self._journal.write(event, host, detail=detail)
            if event is Event.ARM:
                self._lease_ends = time.monotonic() + float(detail or 0)
            elif event in (Event.CONFIRMED, Event.ROLLED_BACK, Event.FINISHED):
                self._lease_ends = None
            self._phases.record(host, event, detail)
            if self._live or self._quiet or event in SILENT or (event is Event.FAILED and not self._verbose):
                return
            elapsed = time.monotonic() - self._began
            self._out.print(safe_text(f"{elapsed:7.2f}s  {host:<12} {_line(event, detail)}"))

    def render(self) -> Table:
        """The live display: a row for each host (of many, for each notable one) and a summary."""
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        hosts = self._phases.notable()
        for host in hosts:
            event, detail = self._phases.last(host)
            label, style = (LABELS[event], STYLES.get(event, "")) if event else ("", "")
            text = one_line(detail, 80) if event in DETAILED else ""
            table.add_row(safe_text(host, "bold"), safe_text(label, style), safe_text(text, "dim"))
        table.add_row(safe_text(""), safe_text("; ".join(self._summary(len(hosts))), "dim"), safe_text(""))
        return table

    def _summary(self, rows: int) -> list[str]:
        """Elapsed time, the number of hosts by state if not all have a row, stragglers, and the lease."""
        parts = [f"{time.monotonic() - self._began:.1f} s"]
        if rows < len(self._phases.hosts):
            parts.append(", ".join(f"{number} {label}" for label, number in self._phases.counts()))
        if late := self._phases.stragglers():
            more = f" and {len(late) - MAX_NAMES} more" if len(late) > MAX_NAMES else ""
            parts.append(f"waiting for {', '.join(late[:MAX_NAMES])}{more}")
        if self._lease_ends:
            parts.append(f"rolls back in {max(0, self._lease_ends - time.monotonic()):.0f} s unless confirmed")
        return parts


def _line(event: Event, detail: str) -> str:
    """An event as a line of the log."""
    if event is Event.CHANGE:
        return f"    {detail}"
    if event is Event.ARM:
        return f"{LABELS[event]}: {detail} s"
    return f"{LABELS[event]}: {one_line(detail)}" if detail and event in DETAILED_LINES else LABELS[event]


def log_to_stderr(verbose: int) -> Log | None:
    """A log of the sessions and the scripts sent to hosts (-v), and of their replies (-vv); None if not verbose."""

    def log(host: str, direction: str, text: str) -> None:
        if direction != RECEIVED or verbose > 1:
            arrow = {SENT: ">", RECEIVED: "<"}.get(direction, "=")
            for line in text.split("\n"):
                # A key alone on its line may be a preshared key.
                safe = without_keys(line) if len(line.strip()) == 44 else line
                sys.stderr.write(f"{host} {arrow} {one_line(safe, 400)}\n")

    return log if verbose else None
