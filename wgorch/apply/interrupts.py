"""Handle Ctrl-C, SIGTERM and SIGHUP: the first ends the phase and rolls back, the second leaves at once."""

from __future__ import annotations

import contextlib
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
        with contextlib.suppress(ValueError):  # not in the main thread
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                    self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
