"""Held changes as their hosts tell of them: proven, in force, and unconfirmed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from wgorch.base.value import value
from wgorch.gather.observed import Observed


class Hold(NamedTuple):
    """What one host says of a change that is held there."""

    change_id: str
    who: str
    hosts: tuple[str, ...]
    """Those of the change."""
    left_s: int
    """Seconds until the host rolls it back; 0 where that is due, as after a reboot."""
    is_confirmed: bool = False
    """It is confirmed, and what comes after that is not done yet."""


@value
class Held:
    """A held change, as its hosts tell of it."""

    change_id: str
    by_host: Mapping[str, Hold]

    @property
    def who(self) -> str:
        return next(iter(self.by_host.values())).who

    @property
    def hosts(self) -> list[str]:
        """The hosts of the change, whether or not they were read."""
        return sorted({name for hold in self.by_host.values() for name in hold.hosts})

    @property
    def left_s(self) -> int:
        """Seconds until the first of its hosts rolls back; 0 if it is over on all of them."""
        return min((hold.left_s for hold in self.by_host.values() if hold.left_s), default=0)

    @property
    def is_confirmed(self) -> bool:
        """True where a host has confirmed it, so that the others are to follow."""
        return any(hold.is_confirmed for hold in self.by_host.values())

    @property
    def gone(self) -> list[str]:
        """Hosts of the change that hold it no more, or were not read."""
        return [name for name in self.hosts if name not in self.by_host or not self.by_host[name].left_s]


def hold_on(seen: Observed) -> Hold | None:
    """The change that is held on a host; None if there is none."""
    lock = seen.files.lock
    if lock is None or not seen.files.held_with:
        return None
    is_live, pending = lock.boot_id == seen.system.boot_id, seen.files.pending
    if not pending and not is_live:
        return None
    left = lock.until - GRACE_S - seen.clock.uptime if is_live else 0
    return Hold(lock.run, lock.who, seen.files.held_with, max(0, left), is_confirmed=not pending)


GRACE_S = 5
"""Seconds by which a lock outlasts its lease."""


def held_changes(seen: Mapping[str, Observed]) -> list[Held]:
    """The changes that are held on some hosts, and what is left of those that are over."""
    found: dict[str, dict[str, Hold]] = {}
    for name, there in seen.items():
        if hold := hold_on(there):
            found.setdefault(hold.change_id, {})[name] = hold
    return [Held(change_id, by_host) for change_id, by_host in found.items()]
