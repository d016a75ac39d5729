"""Sessions on the workers of a Dask cluster, where one machine should not drive all hosts.

Each host's session is an actor: it stays on one worker, and is spoken to directly, not by way of the scheduler. known_hosts,
identities and agents are the workers' own; no private key travels. What the workers say meets on the controller, which
plans and decides as ever. Whether a worker lives is never asked: every call has a deadline of ours.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast

from wgorch import errors
from wgorch.errors import HostError, Lost, Unfit, Unreachable, UsageError
from wgorch.inventory.model import Host
from wgorch.remote.fleet import Fleet, Log
from wgorch.remote.shell import Definitions, Shell, events
from wgorch.remote.timings import Span

if TYPE_CHECKING:
    from distributed import Actor

CALL_S = 10
"""What a call may take beyond the deadline of what it asks for: a call to a dead actor would hang."""

Told = tuple[str, Any]


class Session:
    """One host's session, on a worker. Errors go back as values: their classes need not travel.

    Its methods are coroutines that wait for a thread of their own: a worker has one thread for all its actors.
    """

    def __init__(self, hosts: Mapping[str, Host], name: str) -> None:
        self._fleet, self._name = Fleet(hosts), name
        self._thread = ThreadPoolExecutor(2, thread_name_prefix=f"session-{name}")

    async def _told(self, work: Callable[[], Any]) -> Told:
        try:
            return "done", await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except HostError as error:
            kind = "Unfit" if isinstance(error, Unfit) else type(error).__name__
            return kind, (error.action, error.problem, error.hint)

    async def exchange(
        self, program: str, action: str, deadline_s: float, needs: Definitions, ahead: Definitions, live: bool
    ) -> Told:
        """As `Shell.exchange`."""

        def work() -> str:
            shell = self._fleet.open(self._name)
            return shell.exchange(program, action, deadline_s, needs=needs, ahead=ahead, live=live)

        return await self._told(work)

    async def connect(self) -> Told:
        """Log in; the handshakes that it took, jump hosts included."""

        def work() -> int:
            self._fleet.open(self._name)
            return self._fleet.handshakes

        return await self._told(work)

    async def check_ssh(self, timeout_s: float) -> Told:
        """As `Fleet.knock`."""
        return await self._told(lambda: self._fleet.check_ssh(self._name, timeout_s))

    async def close(self) -> None:
        """End it."""
        self._fleet.close()
        self._thread.shutdown(wait=False)


class ClusterFleet(Fleet):
    """A Fleet whose sessions are elsewhere."""

    def __init__(self, hosts: Mapping[str, Host], scheduler: str, log: Log | None = None) -> None:
        super().__init__(hosts, log)
        try:
            from distributed import Client
        except ImportError:
            raise UsageError("--workers needs Dask", "pip install 'wgorch[dask]'") from None
        try:
            make: Any = Client  # it has no types
            self._client = make(scheduler, timeout=CALL_S)
            self._workers = sorted(self._client.scheduler_info(n_workers=-1)["workers"])
        except (OSError, TimeoutError, ValueError) as error:
            raise UsageError(f"no Dask scheduler at {scheduler}: {error}", "dask scheduler") from None
        if not self._workers:
            raise UsageError(f"the Dask scheduler at {scheduler} has no workers", f"dask worker {scheduler}")
        self._turn = 0
        self._logins = 0
        self._counting = threading.Lock()

    def open(self, name: str) -> Shell:
        shell = self.shells.get(name)
        if shell is None or shell.broken:
            with self.clock.span(name, "connect and log in"):
                shell = RemoteShell(name, self._session(name), self._log, self.clock.spans)
                handshakes = shell.call("connect", "log in", CALL_S * 6)
            with self._counting:
                self._logins += handshakes
            self.shells[name] = shell
        return shell

    def _session(self, name: str) -> Actor:
        with self._counting:
            self._turn += 1
            worker = self._workers[self._turn % len(self._workers)]
        # Whoever is named first may be gone; then the scheduler takes another one.
        future = self._client.submit(
            Session, self._on_way(name), name, actor=True, pure=False, workers=[worker], allow_other_workers=True
        )
        try:
            actor: Any = future.result(timeout=CALL_S * 2)
        except Exception as error:  # whatever a cluster may end a task with
            raise Unreachable(name, "open a session", f"no worker takes it: {type(error).__name__}") from None
        return cast("Actor", actor)

    def _on_way(self, name: str) -> dict[str, Host]:
        """A host, and those of the file that are jump hosts on the way to it."""
        found: dict[str, Host] = {}
        waiting = [name]
        while waiting:
            host = self.hosts[waiting.pop()]
            found[host.name] = host
            waiting += [jump.host for jump in host.ssh.via if jump.host in self.hosts and jump.host not in found]
        return found

    def check_ssh(self, name: str, timeout_s: float = 10) -> None:
        if not self.hosts[name].ssh.local:
            shell = self.open(name)
            assert isinstance(shell, RemoteShell)
            with self.clock.span(name, "reach its SSH anew"):
                shell.call("knock", "reconnect to SSH", timeout_s, timeout_s)

    @property
    def handshakes(self) -> int:
        return self._logins

    def close(self) -> None:
        super().close()
        self._client.close(timeout=2)


class RemoteShell(Shell):
    """A Shell whose other end is an actor."""

    def __init__(self, host: str, session: Actor, log: Log | None, spans: list[Span]) -> None:
        def timed(action: str, began: float) -> None:
            spans.append(Span(host, action, began, time.monotonic()))

        super().__init__(host, _NoWire(), log, timed)
        self._session = session

    def call(self, method: str, action: str, deadline_s: float, *args: Any) -> Any:
        """Call the actor; what it returned. Raises what happened there, or Lost where nobody answers in time."""
        if self.broken:
            raise Lost(self.host, action, "the session is broken already")
        try:
            what, value = getattr(self._session, method)(*args).result(timeout=deadline_s + CALL_S)
        except Exception as error:  # a dead worker: many kinds of errors, or none before our deadline
            self.broken = True
            raise Lost(self.host, action, f"its worker gives no answer ({type(error).__name__})") from None
        if what == "done":
            return value
        self.broken = what == "Lost"
        kind = getattr(errors, what, HostError)
        raise kind(self.host, *value)

    def _answer(
        self,
        program: str,
        action: str,
        deadline_s: float,
        on_line: Callable[[str], None] | None,
        needs: Definitions,
        ahead: Definitions,
        live: bool,
    ) -> str:
        output: str = self.call(
            "exchange", action, deadline_s, program, action, deadline_s, dict(needs), dict(ahead), live
        )
        for line in events(output.encode()) if on_line else ():
            on_line(line.decode())  # type: ignore[misc]
        return output

    def close(self) -> None:
        if not self.broken:
            self.broken = True
            self._session.close()


class _NoWire:
    """Nothing is sent from here."""

    def send(self, data: bytes, timeout_s: float) -> None:
        raise OSError("the session is elsewhere")

    def receive(self, timeout_s: float) -> bytes:
        raise OSError("the session is elsewhere")

    def close(self) -> None:
        """Nothing to close."""
