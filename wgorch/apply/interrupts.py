"""Handle Ctrl-C: the first ends the phase and rolls back, the second leaves at once."""

from __future__ import annotations

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
        try:
            self._before = signal.signal(signal.SIGINT, self._on_signal)
        except ValueError:  # not in the main thread
            self._before = None
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
