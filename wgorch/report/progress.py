"""What happens while it happens: a row a host on a terminal, plain lines with times elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table

from wgorch.journal import Journal
from wgorch.report.console import plain
from wgorch.text import one_line, without_keys

WORDS = {
    "connect": "connecting",
    "gathered": "read",
    "lock": "locking",
    "stage": "staging",
    "arm": "lease armed, changing",
    "applied": "changed, read back",
    "verify": "measuring",
    "trace": "watching",
    "verified": "measured",
    "confirmed": "confirmed",
    "finished": "done",
    "revert": "taking back",
    "reverted": "as before",
    "unlike": "NOT as before",
    "failed": "failed",
    "waiting": "waiting",
}

QUIET_EVENTS = {"gathered", "verified"}


class Progress:
    """A Listener that draws. `verbose` also tells each change as its host begins it."""

    def __init__(
        self, out: Console, hosts: list[str], journal: Journal | None = None, *, quiet: bool = False, verbose: int = 0
    ) -> None:
        self._out, self._hosts, self._journal = out, hosts, journal
        self._quiet, self._verbose = quiet, verbose
        self._began = time.monotonic()
        self._rows: dict[str, tuple[str, str]] = {}
        self._guard = threading.Lock()
        self._lease_ends: float | None = None
        self._live: Live | None = None
        self._draws = out.is_terminal and not quiet and len(hosts) <= 40 and not verbose

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
            self._live = Live(console=self._out, refresh_per_second=8, transient=True, get_renderable=self._draw)
            self._live.start()

    def stop(self) -> None:
        """End the drawing; events until it is resumed are lines."""
        if self._live:
            self._live.stop()
            self._live = None

    def event(self, host: str, what: str, detail: str = "") -> None:
        """Something happened on a host."""
        with self._guard:
            if self._journal:
                self._journal.write(what, host, detail=detail)
            if what == "arm":
                self._lease_ends = time.monotonic() + float(detail or 0)
            elif what in ("confirmed", "reverted", "finished"):
                self._lease_ends = None
            self._rows[host] = (what, detail)
            if self._live or self._quiet or what in QUIET_EVENTS or (what == "failed" and not self._verbose):
                return
            elapsed = time.monotonic() - self._began
            said = (
                f"    {detail}"
                if what == "change"
                else f"{WORDS.get(what, what)}{f' ({detail} s)' if what == 'arm' else ''}"
            )
            if what in ("failed", "waiting", "unlike", "revert"):
                said += f": {one_line(detail)}" if detail else ""
            self._out.print(plain(f"{elapsed:7.2f}s  {host:<12} {said}"))

    def _draw(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for host in self._hosts:
            what, detail = self._rows.get(host, ("", ""))
            state = WORDS.get(what, "changing" if what == "change" else what)
            style = {"failed": "red", "unlike": "red", "confirmed": "green", "finished": "green"}.get(what, "")
            table.add_row(
                plain(host, "bold"), plain(state, style), plain(one_line(detail, 80) if what == "change" else "", "dim")
            )
        elapsed = time.monotonic() - self._began
        lease = (
            f", undone in {max(0, self._lease_ends - time.monotonic()):.0f} s unless confirmed"
            if self._lease_ends
            else ""
        )
        table.add_row(plain(""), plain(f"{elapsed:.1f} s{lease}", "dim"), plain(""))
        return table


def log_to_stderr(verbose: int) -> object:
    """For -v and -vv: the programs as they are sent, and (-vv) what came back."""

    def log(host: str, direction: str, text: str) -> None:
        if direction == "sent" or verbose > 1:
            arrow = ">" if direction == "sent" else "<"
            for line in text.split("\n"):
                # A key that stands alone in its line may be a preshared one.
                shown = without_keys(line) if len(line.strip()) == 44 else line
                sys.stderr.write(f"{host} {arrow} {one_line(shown, 400)}\n")

    return log if verbose else None
