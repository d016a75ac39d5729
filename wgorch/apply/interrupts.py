"""Handle Ctrl-C, SIGTERM and SIGHUP: the first ends the phase and rolls back, the second leaves at once."""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass
from types import FrameType

from wgorch.errors import INTERRUPTED, WgorchError


class Interrupted(WgorchError):
    """Ctrl-C before anything was changed."""

    exit_code = INTERRUPTED


@dataclass
class Interrupts:
    """Ctrl-C: the first ends the phase and rolls back; at the second the run ends, and the leases roll back."""

    asked: bool = False

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

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if os.getpid() != self._pid:
            os._exit(128 + number)  # a helper that pyroute2 forked, which it ends by SIGTERM
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
