"""`--profile`: where the time of a run went, phase by phase, and who was waited for."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from wgorch.remote.timings import Span, Timings, process_began
from wgorch.report.console import plain


def draw_profile(out: Console, clocks: Iterable[Timings]) -> None:
    """A row for each thing that was done: when it began and ended, how long it took on a host, and who took longest."""
    start = process_began()
    now = time.monotonic()
    spans = sorted((span for timings in clocks for span in timings.spans), key=lambda span: span.began)
    table = Table(box=None, pad_edge=False)
    for title in ("what", "from s", "to s", "on a host: median ms", "longest ms", "waited for"):
        table.add_column(title, justify="left" if title in ("what", "waited for") else "right")
    first = min((span.began for span in spans), default=now)
    table.add_row(
        *map(plain, ("start of Python, inventory, plan's imports", "0.00", f"{first - start:.2f}", "", "", ""))
    )
    for what, some in _phases(spans):
        took = [span.ended - span.began for span in some]
        longest = max(some, key=lambda span: span.ended - span.began)
        table.add_row(
            plain(what),
            plain(f"{min(s.began for s in some) - start:.2f}"),
            plain(f"{max(s.ended for s in some) - start:.2f}"),
            plain(f"{statistics.median(took) * 1000:.0f}"),
            plain(f"{max(took) * 1000:.0f}"),
            plain(longest.host),
        )
    out.print(table)
    used = resource.getrusage(resource.RUSAGE_SELF)
    busy = _covered(spans)
    out.print(
        plain(
            f"{now - start:.2f} s in all; hosts were waited for during {busy:.2f} s; the controller used "
            f"{used.ru_utime + used.ru_stime:.2f} s of CPU and {used.ru_maxrss / 1024:.0f} MiB at most"
        )
    )


def _phases(spans: list[Span]) -> list[tuple[str, list[Span]]]:
    """Spans that belong together: the same wish, one after the other on each host."""
    found: list[tuple[str, list[Span]]] = []
    for span in spans:
        latest = next((some for what, some in reversed(found) if what == span.what), None)
        if latest is None or any(other.host == span.host for other in latest):
            latest = []
            found.append((span.what, latest))
        latest.append(span)
    return found


def _covered(spans: list[Span]) -> float:
    """Seconds in which at least one host was busy."""
    total, end = 0.0, 0.0
    for span in (s for s in spans if s.host != "controller"):
        total += max(0.0, span.ended - max(span.began, end))
        end = max(end, span.ended)
    return total
