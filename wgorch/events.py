"""Events of a run: what happens on a host, in the order of its phases."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Event(StrEnum):
    """Something that happened on a host; the value is the event's name in the journal."""

    CONNECT = "connect"
    GATHERED = "gathered"
    LOCK = "lock"
    ARM = "arm"
    CHANGE = "change"
    APPLIED = "applied"
    VERIFY = "verify"
    VERIFIED = "verified"
    TRACE = "trace"
    HELD = "held"
    CONFIRMED = "confirmed"
    FINISHED = "finished"
    ROLL_BACK = "roll-back"
    ROLLED_BACK = "rolled-back"
    MISMATCH = "mismatch"
    WAITING = "waiting"
    FAILED = "failed"


class Listener(Protocol):
    """Receives events as they happen; several threads call it at once."""

    def event(self, host: str, event: Event, detail: str = "") -> None:
        """Take note of an event on a host; `detail` is for people."""
