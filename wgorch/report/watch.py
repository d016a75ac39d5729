"""`status --watch`: the same table again and again, with rates; q or Ctrl-C ends it."""

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

from wgorch.base.wgkey import names_by_key
from wgorch.outcome import Status
from wgorch.report.console import plain
from wgorch.report.status import STALE_S, size
from wgorch.topology.topology import Topology

Counts = Mapping[tuple[str, str], tuple[float, int, int]]


def watch(out: Console, ask: Callable[[], tuple[Topology, Status]], every_s: float) -> None:
    """Draw what `ask` tells, until q is pressed. Not on a terminal: one table each time, below the last one."""
    before: Counts = {}
    live = Live(console=getattr(out, "real", out), auto_refresh=False, screen=True) if out.is_terminal else None
    with _keys() as pressed, live or contextlib.nullcontext():
        while True:
            began = time.monotonic()
            topology, status = ask()
            table, before = _table(topology, status, before)
            if live:
                live.update(table, refresh=True)
            else:
                out.print(table)
                sys.stdout.flush()
            if pressed(max(0.2, every_s - (time.monotonic() - began))):
                return


def _table(topology: Topology, status: Status, before: Counts) -> tuple[Group, Counts]:
    network = topology.inventory.network
    names = names_by_key(status.keys)
    table = Table(box=None, pad_edge=False)
    for title in ("host", "peer", "endpoint", "handshake", "in /s", "out /s"):
        table.add_column(title, justify="right" if title in ("handshake", "in /s", "out /s") else "left")
    now: dict[tuple[str, str], tuple[float, int, int]] = {}
    for host, error in status.unreachable.items():
        table.add_row(plain(host, "bold"), plain(f"not reached: {error.problem}", "red"))
    for host, seen in status.seen.items():
        rows = sorted(seen.traffic.items(), key=lambda pair: names.get(pair[0], pair[0]))
        for number, (key, traffic) in enumerate(rows if seen.is_managed(network) else []):
            moment, received, sent = before.get((host, key), (0.0, 0, 0))
            now[host, key] = (time.monotonic(), traffic.received, traffic.sent)
            took = now[host, key][0] - moment if moment else 0
            rates = [(traffic.received - received) / took, (traffic.sent - sent) / took] if took else [0.0, 0.0]
            age = max(0, seen.clock - traffic.handshake) if traffic.handshake else None
            style = "red" if age is None else "yellow" if age > STALE_S else "green"
            table.add_row(
                plain(host if not number else "", "bold"),
                plain(names.get(key, f"{key[:8]}…")),
                plain(traffic.endpoint or "-"),
                plain("never" if age is None else f"{age} s ago", style),
                *(plain(size(rate), "bold" if rate > 0 else "dim") for rate in rates),
            )
    drift = sum(len(plan.changes) for plan in status.plans.values())
    good = not (drift or status.trouble or status.unreachable)
    end = plain("✓ as the inventory says" if good else f"✗ {drift} changes would make it as the inventory says", "")
    return Group(table, *(plain(f"✗ {text}", "red") for text in status.trouble), end, plain("q ends", "dim")), now


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return False


@contextlib.contextmanager
def _keys() -> Iterator[Callable[[float], bool]]:
    """Waits for some seconds, and tells whether somebody pressed q."""
    if not sys.stdin.isatty():
        yield _sleep
        return
    kept = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)

    def pressed(seconds: float) -> bool:
        ready, _, _ = select.select([sys.stdin], [], [], seconds)
        return bool(ready) and sys.stdin.read(1) in ("q", "Q", "\x1b")

    try:
        yield pressed
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, kept)
