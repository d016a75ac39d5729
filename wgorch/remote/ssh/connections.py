"""Open SSH connections, one a route; a jump host's connection is shared by all hosts behind it."""

from __future__ import annotations

import contextlib
import random
import shlex
import threading
import time
from pathlib import Path
from typing import Any

import fabric
import paramiko

from wgorch.base.sh import Sh
from wgorch.errors import Unreachable
from wgorch.remote.answers import Answers
from wgorch.remote.ssh.channel import ChannelWire
from wgorch.remote.ssh.failures import RETRIED, Failure, LoginFailed, of_jump
from wgorch.remote.ssh.handshake import Login, host_key_of, log_in
from wgorch.remote.ssh.host_keys import HostKey
from wgorch.remote.ssh.identities import Identities
from wgorch.remote.ssh.known_hosts import KnownHosts, load
from wgorch.remote.ssh.limits import CONNECT_TIMEOUT_S, LOGIN_ATTEMPTS, LOGIN_TIMEOUT_S, LOGINS_AT_ONCE
from wgorch.remote.ssh.proxy import proxy_argv
from wgorch.remote.ssh.route import DEFAULT_KEYS, SshRoute
from wgorch.remote.ssh.sockets import connect_tcp


class Connections:
    """All SSH connections of a run by paramiko. `handshakes`: how many were made, those to jump hosts included."""

    def __init__(self, home: Path, answers: Answers | None = None) -> None:
        self._answers = answers or Answers()
        self.identities = Identities([str(home / ".ssh" / name) for name in DEFAULT_KEYS], self._answers)
        self.handshakes = 0
        self._kex: dict[SshRoute, str] = {}
        self._known: dict[tuple[str, ...], KnownHosts] = {}
        self._open: dict[SshRoute, fabric.Connection] = {}
        self._locks: dict[SshRoute, threading.Lock] = {}
        self._gates: dict[str, threading.Semaphore] = {}
        self._guard = threading.RLock()

    def connect(self, host: str, route: SshRoute) -> fabric.Connection:
        """The connection of a route, opened once. Raises Unreachable."""
        with self._guard:
            lock = self._locks.setdefault(route, threading.Lock())
        with lock:
            found = self._open.get(route)
            if found is None or not found.is_connected:
                found, self._kex[route] = self._log_in(host, route)
                self._open[route] = found
            return found

    def kex(self, route: SshRoute) -> str:
        """The key exchange of a route's connection."""
        return self._kex.get(route, "")

    def wire(self, host: str, route: SshRoute, command: Sh, *, tty: bool = False) -> ChannelWire:
        """A channel on which the login shell runs a command. Raises Unreachable."""
        connection = self.connect(host, route)
        try:
            channel = connection.transport.open_session(timeout=LOGIN_TIMEOUT_S)
            if tty:
                channel.get_pty(term="dumb")
            channel.exec_command(command)
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise Unreachable(
                host, "open a shell", f"{route}: {error}", "check MaxSessions in its sshd_config"
            ) from None
        return ChannelWire(channel)

    def open_socket(self, host: str, route: SshRoute, timeout_s: float) -> Any:
        """A socket to a route's SSH server: TCP, a channel of its jump host, or a ProxyCommand. Raises Unreachable."""
        if route.via is not None:
            jump = self._jump(host, route.via)
            try:
                return jump.transport.open_channel(
                    "direct-tcpip", (route.host, route.port), ("", 0), timeout=max(timeout_s, CONNECT_TIMEOUT_S)
                )
            except (paramiko.SSHException, EOFError, OSError) as error:
                why = error.text if isinstance(error, paramiko.ChannelException) else error
                problem = f"{route.via} cannot open {route.host}:{route.port}: {why}"
                hint = "check AllowTcpForwarding on the jump host, and that the host is up"
                raise LoginFailed(Failure.JUMP, host, "connect", problem, hint) from None
        if route.proxy_command:
            return paramiko.ProxyCommand(shlex.join(proxy_argv(route.proxy_command)))
        return connect_tcp(host, route.host, route.port, timeout_s)

    def _jump(self, host: str, route: SshRoute) -> fabric.Connection:
        """The connection of a jump host. Raises Unreachable, naming it."""
        try:
            return self.connect(host, route)
        except Unreachable as error:
            raise of_jump(error, route) from None

    def scan(self, host: str, route: SshRoute) -> HostKey:
        """The key that a host presents, neither trusted nor used to log in. Raises Unreachable."""
        sock = self.open_socket(host, route, CONNECT_TIMEOUT_S)
        transport = paramiko.Transport(sock)
        try:
            transport.banner_timeout = LOGIN_TIMEOUT_S
            transport.start_client(timeout=LOGIN_TIMEOUT_S)
            return host_key_of(transport.get_remote_server_key())
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise Unreachable(host, "read its host key", f"{route}: {str(error) or type(error).__name__}") from None
        finally:
            transport.close()

    def forget_known_hosts(self) -> None:
        """Read the files again at the next connection."""
        with self._guard:
            self._known.clear()

    def close(self) -> None:
        """End every connection."""
        for connection in self._open.values():
            with contextlib.suppress(Exception):
                connection.transport.close()
        self._open.clear()

    def _log_in(self, host: str, route: SshRoute) -> Login:
        """Log in; while too many logins are open (MaxStartups), sshd drops new ones at random, so try again."""
        for attempt in range(LOGIN_ATTEMPTS):
            with self._gate(route):
                sock = self.open_socket(host, route, CONNECT_TIMEOUT_S)
                known = self._known_hosts(route)
                with self._guard:
                    self.handshakes += 1
                try:
                    return log_in(host, route, sock, known, self.identities, self._answers)
                except LoginFailed as error:
                    sock.close()
                    if error.failure not in RETRIED or attempt == LOGIN_ATTEMPTS - 1:
                        raise
            time.sleep(0.2 * 2**attempt * (0.5 + random.random()))
        raise AssertionError("the last attempt returns or raises")

    def _gate(self, route: SshRoute) -> threading.Semaphore:
        first = route
        while first.via:
            first = first.via
        with self._guard:
            return self._gates.setdefault(f"{first.host}:{first.port}", threading.Semaphore(LOGINS_AT_ONCE))

    def _known_hosts(self, route: SshRoute) -> KnownHosts:
        with self._guard:
            found = self._known.get(route.known_hosts_files)
            if found is None:
                found = load(Path(path) for path in route.known_hosts_files)
                self._known[route.known_hosts_files] = found
            return found
