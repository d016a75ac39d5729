"""All hosts of a run side by side: a phase runs on each, and all failures are reported together."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from wgorch.base.sh import Sh, new_nonce
from wgorch.errors import HostError, Unreachable, WgorchError
from wgorch.inventory.model import Host
from wgorch.remote.answers import Answers
from wgorch.remote.clients import Clients, SshSession
from wgorch.remote.local import LocalWire
from wgorch.remote.root import PLAIN_SHELL, NoShell, Password, become_root, careful_shell, enter, root_shell
from wgorch.remote.shell import SESSION, Log, Shell
from wgorch.remote.timings import Timings
from wgorch.remote.wire import Wire
from wgorch.remote.wire_shell import WireShell

T = TypeVar("T")

RECONNECTS = 3
"""Attempts to connect to sshd again, which proves that a host can still be reached."""
BETWEEN_RECONNECTS_S = 2

MAX_THREADS = 64
"""Hosts that are worked on at once."""


class Fleet:
    """The sessions of a run, by host."""

    def __init__(
        self,
        hosts: Mapping[str, Host],
        log: Log | None = None,
        password: Password | None = None,
        *,
        answers: Answers | None = None,
        client: str | None = None,
    ) -> None:
        """`password`: sudo's; `answers`: what a login may ask; `client`: the SSH client, in place of the inventory's."""
        self.hosts = hosts
        self.shells: dict[str, Shell] = {}
        self.timings = Timings()
        self.clients = Clients(hosts, self.timings, answers, client)
        self._password = password
        self._log = log
        threads = max(1, min(len(hosts), MAX_THREADS))
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="host")
        self._aside = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="aside")

    def open(self, name: str) -> Shell:
        """A root shell on a host: the one that is open, or a new one. Raises Unreachable or Unfit."""
        shell = self.shells.get(name)
        if shell is None or shell.broken:
            with self.timings.span(name, "connect and log in"):
                wire, fallback = self._root_shell(name)
            shell = WireShell(name, wire, self._log, partial(self.timings.add, name), fallback)
            self.shells[name] = shell
            if self._log and (session := self.session(name)):
                self._log(name, SESSION, str(session))
        return shell

    def check_ssh(self, name: str, timeout_s: float = 10) -> None:
        """Connect to a host's sshd anew, as far as its banner; more than once, as some limit new ones. Raises Unreachable."""
        if self.hosts[name].ssh.local:
            return
        for left in reversed(range(RECONNECTS)):
            try:
                with self.timings.span(name, "reconnect by SSH"):
                    self.clients.banner(name, timeout_s)
                return
            except Unreachable:
                if not left:
                    raise
                time.sleep(BETWEEN_RECONNECTS_S)

    def on_hosts(
        self, names: Iterable[str], work: Callable[[str], T], *, aside: bool = False
    ) -> tuple[dict[str, T], dict[str, HostError]]:
        """Run a phase on several hosts at once; the results and the errors, by host in the order of `names`.

        `aside`: while another phase runs on them.
        """
        pool = self._aside if aside else self._pool
        futures = {name: pool.submit(work, name) for name in names}
        done: dict[str, T] = {}
        failed: dict[str, HostError] = {}
        unforeseen: Exception | None = None
        for name, future in futures.items():
            try:
                done[name] = future.result()
            except HostError as error:
                failed[name] = error
            except Exception as error:  # noqa: BLE001 - raised below, when no host is at work any more
                unforeseen = unforeseen or error
        if unforeseen:
            raise unforeseen
        return done, failed

    def session(self, name: str) -> SshSession | None:
        """How a host's session was made; None where it is this machine."""
        return None if self.hosts[name].ssh.local else self.clients.session(name)

    def address(self, name: str) -> str:
        """The address or name that SSH connects to for a host."""
        try:
            return self.clients.route(name).host
        except WgorchError:
            return self.hosts[name].ssh.host

    def key_exchanges(self, name: str) -> str:
        """The key exchanges that both ends of a host's SSH session offer, as text."""
        return self.clients.key_exchanges(name)

    @property
    def handshakes(self) -> int:
        """SSH handshakes made so far, jump hosts included."""
        return self.clients.handshakes

    def close(self) -> None:
        """End all sessions."""
        for shell in self.shells.values():
            shell.close()
        self.clients.close()
        for pool in (self._pool, self._aside):
            pool.shutdown(wait=False, cancel_futures=True)

    def _root_shell(self, name: str) -> tuple[Wire, Callable[[], Wire] | None]:
        """A wire to what should become a root shell, and how to open another one if it does not."""
        host = self.hosts[name]
        careful = partial(self._careful_shell, name, tty=True)
        if not host.enter and (self._password is None or self._is_root(host)):
            return self._wire(host, PLAIN_SHELL if self._is_root(host) else root_shell()), careful
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
        return os.geteuid() == 0 if host.ssh.local else self.clients.route(host.name).user == "root"

    def _wire(self, host: Host, command: Sh, *, tty: bool = False) -> Wire:
        if host.ssh.local:
            return LocalWire(command)
        return self.clients.wire(host.name, command, tty=tty)
