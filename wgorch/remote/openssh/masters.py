"""Jump hosts for ssh children: one master each, made first, so that all hosts behind it share one login."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from wgorch.remote.openssh.log import failure, open_refusal, session_kex
from wgorch.remote.openssh.wire import SshWire
from wgorch.remote.ssh.failures import Failure, LoginFailed, of_jump
from wgorch.remote.ssh.limits import PERSON_S
from wgorch.remote.ssh.needs import is_live
from wgorch.remote.ssh.route import SshRoute

Start = Callable[[str, SshRoute, str], SshWire]
"""Starts a master for a route at a socket; called with the host, for errors, the route and the socket."""


class Masters:
    """The masters of a run, by route."""

    def __init__(self, directory: Path, start: Start) -> None:
        self._directory, self._start = directory, start
        self._open: dict[SshRoute, tuple[str, SshWire | None]] = {}
        self._locks: dict[SshRoute, threading.Lock] = {}
        self._guard = threading.Lock()
        self._numbers = count()

    def socket(self, host: str, route: SshRoute) -> str:
        """The socket of a jump host's master: the person's own live one, or one made once. Raises LoginFailed."""
        with self._guard:
            lock = self._locks.setdefault(route, threading.Lock())
        with lock:
            found = self._open.get(route)
            if found is None or (found[1] is not None and found[1].process.poll() is not None):
                found = self._open[route] = self._make(host, route)
            return found[0]

    def kex(self, route: SshRoute) -> str:
        """The key exchange of a jump host's session."""
        found = self._open.get(route)
        return session_kex(found[1].log) if found and found[1] else ""

    def last_refusal(self, route: SshRoute) -> str:
        """Why a jump host did not open a connection, the last time; empty if it always did."""
        wire = self._open[route][1] if route in self._open else None
        if wire is None:
            return ""
        wire.has_more_log(0.2)
        return open_refusal(wire.log)

    def _make(self, host: str, route: SshRoute) -> tuple[str, SshWire | None]:
        if route.control_path and is_live(route.control_path):
            return route.control_path, None
        path = str(self._directory / f"m{next(self._numbers)}")
        wire = self._start(host, route, path)
        try:
            _wait(wire, path)
        except TimeoutError:
            wire.close()
            problem = f"jump host {route}: no answer within {PERSON_S} s"
            raise LoginFailed(Failure.NO_ANSWER, host, "log in", problem, "check the jump host") from None
        if is_live(path):
            return path, wire
        error = failure(host, route, wire.log)
        wire.close()
        raise of_jump(error, route)


def _wait(wire: SshWire, path: str) -> None:
    """Wait until a master listens, or has ended. Raises TimeoutError."""
    end = time.monotonic() + PERSON_S
    while not is_live(path):
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if not wire.has_more_log(min(left, 0.05)):
            return
