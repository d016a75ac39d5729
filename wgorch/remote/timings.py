"""Timings of a run: spans by host and action, shown by `--profile`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


class Span(NamedTuple):
    """What one host was busy with, from `began` to `ended`: seconds of the monotonic clock."""

    host: str
    what: str
    began: float
    ended: float


@dataclass
class Timings:
    """Collects spans; several threads append to it."""

    spans: list[Span] = field(default_factory=list)

    def add(self, host: str, what: str, began: float) -> None:
        """Add a span that ends now."""
        self.spans.append(Span(host, what, began, time.monotonic()))

    @contextmanager
    def span(self, host: str, what: str) -> Iterator[None]:
        """Time the body, whether it succeeds or raises."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.add(host, what, began)


def process_began() -> float:
    """Start time of this process, by the monotonic clock."""
    stat = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace")
    ticks = int(stat.rpartition(")")[2].split()[19])
    return ticks / os.sysconf("SC_CLK_TCK") + time.monotonic() - time.clock_gettime(time.CLOCK_BOOTTIME)
