"""Sessions on the workers of a Dask cluster, where one machine should not drive all hosts.

Each host's session is an actor: it stays on one worker, and calls to it do not pass the scheduler. known_hosts, identities
and agents are the workers' own; no private key travels. All replies meet on the controller, which plans and decides as
without a cluster. A worker is never asked whether it is alive: every call has its own deadline.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from wgorch.base.extras import optional
from wgorch.base.sh import Sh
from wgorch.errors import HostError, Lost, Unfit, Unreachable, UsageError
from wgorch.inventory.model import Host
from wgorch.remote.answers import Answers
from wgorch.remote.clients import SshSession
from wgorch.remote.fleet import Fleet
from wgorch.remote.shell import Definitions, Log, Request, Shell, report_events

if TYPE_CHECKING:
    from distributed import Actor

CALL_S = 10
"""What a call may take beyond the deadline of its work: a call to a dead actor never returns."""

LOGIN_S = 6 * CALL_S
"""For a login, jump hosts included."""

Reply = tuple[str, Any]
"""``done`` and the result, or the name of an error and its arguments."""

DONE = "done"

ERRORS: dict[str, type[HostError]] = {kind.__name__: kind for kind in (Unreachable, Unfit, Lost, HostError)}
"""The errors that a reply can hold; a subclass travels as the first of these that it is."""


class Session:
    """One host's session, on a worker. Errors are returned as values: their classes need not travel.

    Its methods are coroutines that wait for its own threads: a worker has one thread for all its actors.
    """

    def __init__(self, hosts: Mapping[str, Host], name: str, client: str | None = None) -> None:
        # Answers that no person gives: a worker has no terminal.
        self._fleet, self._name = Fleet(hosts, answers=Answers(lambda _prompt: None), client=client), name
        self._thread = ThreadPoolExecutor(2, thread_name_prefix=f"session-{name}")

    async def connect(self) -> Reply:
        """Log in; the result is the number of handshakes that it took, jump hosts included, and the session."""

        def work() -> tuple[int, SshSession | None]:
            self._fleet.open(self._name)
            return self._fleet.handshakes, self._fleet.session(self._name)

        return await self._reply(work)

    async def exchange(
        self, program: Sh, action: str, deadline_s: float, requires: Definitions, preload: Definitions, live: bool
    ) -> Reply:
        """As `Shell.exchange`."""

        def work() -> str:
            shell = self._fleet.open(self._name)
            return shell.exchange(program, action, deadline_s, requires=requires, preload=preload, live=live)

        return await self._reply(work)

    async def check_ssh(self, timeout_s: float) -> Reply:
        """As `Fleet.check_ssh`."""
        return await self._reply(lambda: self._fleet.check_ssh(self._name, timeout_s))

    async def close(self) -> None:
        """End it."""
        self._fleet.close()
        self._thread.shutdown(wait=False)

    async def _reply(self, work: Callable[[], Any]) -> Reply:
        try:
            return DONE, await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except HostError as error:
            kind = next(name for name, kind in ERRORS.items() if isinstance(error, kind))
            return kind, (error.action, error.problem, error.hint)


class ClusterFleet(Fleet):
    """A Fleet whose sessions are on workers."""

    def __init__(
        self, hosts: Mapping[str, Host], scheduler: str, log: Log | None = None, client: str | None = None
    ) -> None:
        super().__init__(hosts, log, client=client)
        self._given_client = client
        make = optional("distributed", "--workers").Client
        try:
            self._client = make(scheduler, timeout=CALL_S)
            self._workers = sorted(self._client.scheduler_info(n_workers=-1)["workers"])
        except (OSError, TimeoutError, ValueError) as error:
            raise UsageError(f"cannot reach a scheduler at {scheduler}: {error}", "dask scheduler") from None
        if not self._workers:
            raise UsageError(f"the scheduler at {scheduler} has no workers", f"dask worker {scheduler}")
        self._turn = 0
        self._logins = 0
        self._counting = threading.Lock()

    def open(self, name: str) -> Shell:
        shell = self.shells.get(name)
        if shell is None or shell.broken:
            with self.timings.span(name, "connect and log in"):
                shell = RemoteShell(name, self._session(name), self._log, partial(self.timings.add, name))
                handshakes, shell.session = shell.call("connect", "log in", LOGIN_S)
            with self._counting:
                self._logins += handshakes
            self.shells[name] = shell
        return shell

    def check_ssh(self, name: str, timeout_s: float = 10) -> None:
        if not self.hosts[name].ssh.local:
            shell = self.open(name)
            assert isinstance(shell, RemoteShell)
            with self.timings.span(name, "reconnect by SSH"):
                shell.call("check_ssh", "reconnect by SSH", timeout_s, timeout_s)

    def session(self, name: str) -> SshSession | None:
        shell = self.shells.get(name)
        return shell.session if isinstance(shell, RemoteShell) else None

    @property
    def handshakes(self) -> int:
        return self._logins

    def close(self) -> None:
        super().close()
        self._client.close(timeout=2)

    def _session(self, name: str) -> Actor:
        with self._counting:
            self._turn += 1
            worker = self._workers[self._turn % len(self._workers)]
        # The worker whose turn it is may be gone; then the scheduler takes another one.
        future = self._client.submit(
            Session,
            self._on_route(name),
            name,
            self._given_client,
            actor=True,
            pure=False,
            workers=[worker],
            allow_other_workers=True,
        )
        try:
            actor: Any = future.result(timeout=CALL_S * 2)
        except Exception as error:  # whatever a cluster may end a task with
            raise Unreachable(name, "open a session", f"no worker takes it: {type(error).__name__}") from None
        return cast("Actor", actor)

    def _on_route(self, name: str) -> dict[str, Host]:
        """A host, and those of the inventory that are jump hosts before it."""
        found: dict[str, Host] = {}
        waiting = [name]
        while waiting:
            host = self.hosts[waiting.pop()]
            found[host.name] = host
            waiting += [jump.host for jump in host.ssh.via if jump.host in self.hosts and jump.host not in found]
        return found


class RemoteShell(Shell):
    """A Shell whose session is an actor."""

    def __init__(self, host: str, session: Actor, log: Log | None, timed: Callable[[str, float], None]) -> None:
        super().__init__(host, log, timed)
        self.session: SshSession | None = None
        self._session = session

    def call(self, method: str, action: str, deadline_s: float, *args: Any) -> Any:
        """Call a method of the session. Raises what it raised, or Lost if there is no answer in time."""
        if self.broken:
            raise Lost(self.host, action, "the session is already broken")
        try:
            kind, value = getattr(self._session, method)(*args).result(timeout=deadline_s + CALL_S)
        except Exception as error:  # a dead worker: many kinds of errors, or none before the deadline
            self.broken = True
            raise Lost(self.host, action, f"no answer from its worker ({type(error).__name__})") from None
        if kind == DONE:
            return value
        self.broken = ERRORS[kind] is Lost
        raise ERRORS[kind](self.host, *value)

    def close(self) -> None:
        if not self.broken:
            self.broken = True
            self._session.close()

    def _run(self, request: Request) -> str:
        # `on_line` cannot travel: events are reported at the end.
        words = (request.program, request.action, request.deadline_s, dict(request.requires), dict(request.preload))
        output: str = self.call("exchange", request.action, request.deadline_s, *words, request.live)
        if request.on_line:
            report_events(output.encode(), request.on_line)
        return output
