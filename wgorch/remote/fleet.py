"""All hosts of a run side by side: a phase is run on each, and all failures are told together."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from wgorch.errors import HostError
from wgorch.inventory.model import Host
from wgorch.remote.local import LocalWire
from wgorch.remote.root import PLAIN_SHELL, ROOT_SHELL, NoShell, Password, become_root, careful_shell, enter, new_nonce
from wgorch.remote.shell import Shell
from wgorch.remote.ssh.slim_import import slim_import
from wgorch.remote.timings import Clock, Span
from wgorch.remote.wire import Wire

if TYPE_CHECKING:
    from wgorch.remote.ssh.connections import Connections


T = TypeVar("T")


THREADS = 64


Log = Callable[[str, str, str], None]


class Fleet:
    """The sessions of a run, by host."""

    def __init__(self, hosts: Mapping[str, Host], log: Log | None = None, password: Password | None = None) -> None:
        self.hosts = hosts
        self._password = password
        self.shells: dict[str, Shell] = {}
        self._log = log
        self.clock = Clock()
        self._guard = threading.Lock()
        self._ssh: Connections | None = None
        most = max(1, min(len(hosts), THREADS))
        self._pool = ThreadPoolExecutor(max_workers=most, thread_name_prefix="host")
        self._aside = ThreadPoolExecutor(max_workers=most, thread_name_prefix="aside")

    def open(self, name: str) -> Shell:
        """A root shell on a host: the one that is open, or a new one. Raises Unreachable or Unfit."""
        shell = self.shells.get(name)
        if shell is None or shell.broken:
            with self.clock.span(name, "connect and log in"):
                wire, otherwise = self._root_shell(name)
            spans = self.clock.spans
            timed = lambda action, began: spans.append(Span(name, action, began, time.monotonic()))  # noqa: E731
            shell = Shell(name, wire, self._log, timed, otherwise)
            self.shells[name] = shell
        return shell

    def _root_shell(self, name: str) -> tuple[Wire, Callable[[], Wire] | None]:
        """A shell that is to be root's, and how to open another one where it turns out that it is not."""
        host = self.hosts[name]

        def careful() -> Wire:
            return self._careful_shell(name, tty=True)

        listens = bool(host.enter) or (self._password is not None and not self._is_root(host))
        if not listens:
            return self._wire(host, PLAIN_SHELL if self._is_root(host) else ROOT_SHELL), careful
        try:
            return self._careful_shell(name, tty=False), None
        except NoShell:
            return careful(), None

    def _careful_shell(self, name: str, *, tty: bool) -> Wire:
        host, nonce = self.hosts[name], new_nonce()
        wire = self._wire(host, careful_shell(nonce, tty=tty and not host.ssh.local), tty=tty)
        try:
            become_root(name, wire, nonce, self._password)
            if host.enter:
                enter(name, wire, host.enter)
        except BaseException:
            wire.close()
            raise
        return wire

    def _is_root(self, host: Host) -> bool:
        return os.geteuid() == 0 if host.ssh.local else self.connections.ways.of(host).user == "root"

    def _wire(self, host: Host, command: str, *, tty: bool = False) -> Wire:
        if host.ssh.local:
            return LocalWire(command)
        connections = self.connections
        return connections.wire(host.name, connections.ways.of(host), command, tty=tty)

    @property
    def connections(self) -> Connections:
        """The SSH connections; made, and paramiko imported, where the first one is needed."""
        with self._guard:
            if self._ssh is None:
                with self.clock.span("controller", "import fabric and paramiko"), slim_import():
                    from wgorch.remote.ssh.config import SshResolver
                    from wgorch.remote.ssh.connections import Connections, read_config

                self._ssh = Connections(SshResolver(read_config(), self.hosts))
            return self._ssh

    def check_ssh(self, name: str, timeout_s: float = 10) -> None:
        """A new connection to a host's sshd, as far as its banner. Raises Unreachable."""
        if not self.hosts[name].ssh.local:
            connections = self.connections
            with self.clock.span(name, "reach its SSH anew"):
                connections.banner(name, connections.ways.of(self.hosts[name]), timeout_s)

    def on_hosts(
        self, names: Iterable[str], work: Callable[[str], T], *, aside: bool = False
    ) -> tuple[dict[str, T], dict[str, HostError]]:
        """Run a phase on several hosts at once; what came back, and what failed, by host in the order asked.

        `aside`: while another phase is run on them.
        """
        pool = self._aside if aside else self._pool
        futures = {name: pool.submit(work, name) for name in names}
        done: dict[str, T] = {}
        failed: dict[str, HostError] = {}
        for name, future in futures.items():
            try:
                done[name] = future.result()
            except HostError as error:
                failed[name] = error
        return done, failed

    @property
    def handshakes(self) -> int:
        """SSH handshakes made so far, jump hosts included."""
        return self._ssh.handshakes if self._ssh else 0

    def close(self) -> None:
        """End all sessions."""
        for shell in self.shells.values():
            shell.close()
        if self._ssh:
            self._ssh.close()
        for pool in (self._pool, self._aside):
            pool.shutdown(wait=False, cancel_futures=True)
