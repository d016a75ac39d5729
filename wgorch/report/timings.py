"""`--profile`: where the time of a run went, phase by phase, and which host was the slowest."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from wgorch.remote.timings import Span, Timings, process_began
from wgorch.report.console import safe_text

NUMBERS = ("start s", "end s", "median ms", "max ms")


def render_profile(out: Console, clocks: Iterable[Timings]) -> None:
    """Print a row for each phase, and the totals. Seconds count from the start of the process."""
    start, now = process_began(), time.monotonic()
    spans = sorted((span for timings in clocks for span in timings.spans), key=lambda span: span.began)
    table = Table(box=None, pad_edge=False)
    for title in ("phase", *NUMBERS, "slowest host"):
        table.add_column(title, justify="right" if title in NUMBERS else "left")
    first = min((span.began for span in spans), default=now)
    _add_row(table, "startup: Python, inventory, imports", "0.00", f"{first - start:.2f}", "", "", "")
    for phase, its in _phases(spans):
        took = [span.ended - span.began for span in its]
        _add_row(
            table,
            phase,
            f"{min(span.began for span in its) - start:.2f}",
            f"{max(span.ended for span in its) - start:.2f}",
            f"{statistics.median(took) * 1000:.0f}",
            f"{max(took) * 1000:.0f}",
            max(its, key=lambda span: span.ended - span.began).host,
        )
    out.print(table)
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu, memory = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    waiting = f"{now - start:.2f} s total, {_busy(spans):.2f} s of it waiting for hosts"
    out.print(safe_text(f"{waiting}; controller: {cpu:.2f} s CPU, {memory:.0f} MiB peak memory"))


def _add_row(table: Table, *cells: str) -> None:
    table.add_row(*map(safe_text, cells))


def _phases(spans: Sequence[Span]) -> list[tuple[str, list[Span]]]:
    """Spans by phase: those of one name, at most one of each host, in order of their start."""
    found: list[tuple[str, list[Span]]] = []
    for span in spans:
        latest = next((its for phase, its in reversed(found) if phase == span.what), None)
        if latest is None or any(other.host == span.host for other in latest):
            latest = []
            found.append((span.what, latest))
        latest.append(span)
    return found


def _busy(spans: Iterable[Span]) -> float:
    """Seconds during which at least one host was busy."""
    total, end = 0.0, 0.0
    for span in (span for span in spans if span.host != "controller"):
        total += max(0.0, span.ended - max(span.began, end))
        end = max(end, span.ended)
    return total
