"""`status --watch`: refresh the session table with transfer rates until q or Ctrl-C."""

from __future__ import annotations

import contextlib
import select
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator, Mapping

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from wgorch.outcome import Status
from wgorch.report.console import safe_text
from wgorch.report.sessions import Session, sessions, size
from wgorch.report.status import session_table, summary, unreachable_lines
from wgorch.topology.topology import Topology

Counters = Mapping[tuple[str, str], tuple[float, int, int]]
"""By host and public key of the peer: monotonic time, bytes received, bytes sent."""


def watch(out: Console, read: Callable[[], tuple[Topology, Status]], every_s: float) -> None:
    """Render what `read` returns until q is pressed; off a terminal print one table below the other."""
    before: Counters = {}
    live = Live(console=getattr(out, "real", out), auto_refresh=False, screen=True) if out.is_terminal else None
    with _quit_key() as quits_within, live or contextlib.nullcontext():
        while True:
            began = time.monotonic()
            topology, status = read()
            screen, before = _render(topology, status, before)
            if live:
                live.update(screen, refresh=True)
            else:
                out.print(screen)
                sys.stdout.flush()
            if quits_within(max(0.2, every_s - (time.monotonic() - began))):
                return


def _render(topology: Topology, status: Status, before: Counters) -> tuple[Group, Counters]:
    """The screen, and the counters for the rates of the next one."""
    table = session_table(("in /s", "out /s"), right=("in /s", "out /s"))
    now: dict[tuple[str, str], tuple[float, int, int]] = {}
    for host, its in sessions(topology, status).items():
        managed = status.seen[host].is_managed(topology.inventory.network)
        for number, session in enumerate(its if managed else ()):
            counters = (time.monotonic(), session.traffic.received, session.traffic.sent)
            now[host, session.key] = counters
            _add_session(table, "" if number else host, session, _rates(before.get((host, session.key)), counters))
    errors = (safe_text(f"✗ {error}", "red") for error in status.errors)
    return Group(table, *unreachable_lines(status), *errors, summary(status), safe_text("q quits", "dim")), now


def _rates(before: tuple[float, int, int] | None, now: tuple[float, int, int]) -> tuple[float, float]:
    """Bytes received and sent a second; 0 at first."""
    elapsed = now[0] - before[0] if before else 0
    if not before or not elapsed:
        return 0.0, 0.0
    return (now[1] - before[1]) / elapsed, (now[2] - before[2]) / elapsed


def _add_session(table: Table, host: str, session: Session, rates: tuple[float, float]) -> None:
    table.add_row(
        safe_text(host, "bold"),
        safe_text(session.label),
        safe_text(session.traffic.endpoint or "-"),
        safe_text(session.age, session.style),
        *(safe_text(size(rate), "bold" if rate > 0 else "dim") for rate in rates),
    )


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return False


@contextlib.contextmanager
def _quit_key() -> Iterator[Callable[[float], bool]]:
    """A function that waits for some seconds; True if q was pressed. Off a terminal it only waits."""
    if not sys.stdin.isatty():
        yield _sleep
        return
    saved = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)

    def pressed(seconds: float) -> bool:
        ready, _, _ = select.select([sys.stdin], [], [], seconds)
        return bool(ready) and sys.stdin.read(1) in ("q", "Q", "\x1b")

    try:
        yield pressed
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, saved)
