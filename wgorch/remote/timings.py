"""Where the time of a run goes: spans by host and by what was done, told by `--profile`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


class Span(NamedTuple):
    """One thing that a host was busy with, in seconds of the monotonic clock."""

    host: str
    what: str
    began: float
    ended: float


@dataclass
class Clock:
    """Collects spans; several threads append to it."""

    spans: list[Span] = field(default_factory=list)

    @contextmanager
    def span(self, host: str, what: str) -> Iterator[None]:
        """Time what is done inside."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.spans.append(Span(host, what, began, time.monotonic()))


def process_began() -> float:
    """When this process was started, by the monotonic clock."""
    stat = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace")
    ticks = int(stat.rpartition(")")[2].split()[19])
    return ticks / os.sysconf("SC_CLK_TCK") + time.monotonic() - time.clock_gettime(time.CLOCK_BOOTTIME)
