"""Handle Ctrl-C, SIGTERM and SIGHUP: the first ends the phase and rolls back, the second leaves at once."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from threading import Event, Thread
from types import FrameType

from wgorch.errors import INTERRUPTED, WgorchError
from wgorch.remote.shell import Shell


class Interrupted(WgorchError):
    """Ctrl-C before anything was changed."""

    exit_code = INTERRUPTED

    def __init__(self, text: str, signal_number: int = signal.SIGINT) -> None:
        super().__init__(text)
        self.exit_code = 128 + signal_number


@contextlib.contextmanager
def at_prompt() -> Iterator[None]:
    """A question, which a signal ends at once. Raises Interrupted."""

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.stderr.write("\n")
        raise Interrupted("interrupted; nothing was changed", number)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, leave)
        yield
    except KeyboardInterrupt:  # readline clears a SIGINT that it sees first, and the handler does not run
        sys.stderr.write("\n")
        raise Interrupted("interrupted; nothing was changed") from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


ACKNOWLEDGED = (
    b"\rwgorch: interrupted: ending this phase and rolling back; interrupt again to leave at once, and each host rolls "
    b"back when its lease ends\n"
)


@dataclass
class Interrupts:
    """Ctrl-C: the first ends the phase and rolls back; at the second the run ends, and the leases roll back."""

    asked: int = 0
    """Number of the first signal; 0: none came."""

    def __enter__(self) -> Interrupts:
        self._before = {}
        self._pid = os.getpid()
        with contextlib.suppress(ValueError):  # not in the main thread
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                if number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                    continue  # nohup
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def check(self) -> None:
        """Raise Interrupted if a signal came; nothing may be changed yet."""
        if self.asked:
            raise Interrupted("interrupted; nothing was changed", self.asked)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if os.getpid() != self._pid:
            os._exit(128 + number)  # a helper that pyroute2 forked, which it ends by SIGTERM
        if self.asked:
            raise KeyboardInterrupt
        self.asked = number
        with contextlib.suppress(OSError):
            os.write(2, ACKNOWLEDGED)  # at once, whichever lock a display holds


LOOK_S = 0.2
"""Seconds between two looks for a signal while hosts measure."""


@contextlib.contextmanager
def cut_short(interrupts: Interrupts, shells: Mapping[str, Shell]) -> Iterator[None]:
    """A time in which hosts only measure: a signal ends their sessions, and what follows opens new ones."""
    done = Event()

    def watch() -> None:
        while not done.wait(LOOK_S):
            if interrupts.asked:
                for shell in list(shells.values()):
                    shell.close()
                return

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
