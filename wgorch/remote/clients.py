"""Which SSH client reaches which host: paramiko, or a child of OpenSSH's; chosen by need, and once after a failure."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

from wgorch.base.sh import Sh
from wgorch.errors import Unreachable, UsageError
from wgorch.inventory.model import AUTO, OPENSSH, PARAMIKO, Host
from wgorch.remote.answers import Answers
from wgorch.remote.ssh.config_dump import ssh_program
from wgorch.remote.ssh.failures import CURABLE, LoginFailed
from wgorch.remote.ssh.resolve import SshResolver, home_directory
from wgorch.remote.ssh.route import SshRoute
from wgorch.remote.ssh.slim_import import slim_import
from wgorch.remote.timings import Timings
from wgorch.remote.wire import Wire

if TYPE_CHECKING:
    from wgorch.remote.openssh.client import OpenSshClient
    from wgorch.remote.ssh.connections import Connections
    from wgorch.remote.ssh.host_keys import HostKey
    from wgorch.remote.ssh.proxy import Receiver

    class Client(Protocol):
        """What both clients do."""

        handshakes: int

        def wire(self, host: str, route: SshRoute, command: Sh, *, tty: bool = False) -> Wire:
            """A session on which the login shell runs a command. Raises Unreachable."""

        def open_socket(self, host: str, route: SshRoute, timeout_s: float) -> Receiver:
            """A connection to a route's SSH server. Raises Unreachable."""

        def scan(self, host: str, route: SshRoute) -> HostKey:
            """The key that a host presents, neither trusted nor used to log in. Raises Unreachable."""

        def kex(self, route: SshRoute) -> str:
            """The key exchange of a route's session; empty where it is unknown."""

        def close(self) -> None:
            """End every session."""


POST_QUANTUM = ("mlkem", "sntrup")
"""How the names of post-quantum key exchanges begin."""


class SshSession(NamedTuple):
    """How a host's session is made, and why so. `kex`: the key exchange; empty where it is unknown, as of a live ControlMaster."""

    client: str
    why: str
    kex: str = ""

    @property
    def is_post_quantum(self) -> bool:
        """True if what passes through it is safe from a quantum computer."""
        return self.kex.startswith(POST_QUANTUM)

    def __str__(self) -> str:
        safety = "post-quantum" if self.is_post_quantum else "classical"
        kex = f"{self.kex} ({safety})" if self.kex else "an unknown key exchange"
        return f"SSH by {self.client}, {kex}" + (f": {self.why}" if self.why else "")


class Clients:
    """The SSH sessions of a run. `given`: the client of all hosts, in place of the inventory's."""

    def __init__(
        self, hosts: Mapping[str, Host], timings: Timings, answers: Answers | None = None, given: str | None = None
    ) -> None:
        self._hosts, self._timings, self._given = hosts, timings, given
        self._answers = answers or Answers()
        self.fallbacks: dict[str, str] = {}
        """The hosts that OpenSSH's client reached after paramiko had failed, and why that was."""
        self._choices: dict[str, SshSession] = {}
        self._resolver: SshResolver | None = None
        self._paramiko: Connections | None = None
        self._openssh: OpenSshClient | None = None
        self._guard = threading.RLock()

    def route(self, name: str) -> SshRoute:
        """The route to a host. Raises UsageError."""
        with self._guard:
            if self._resolver is None:
                self._resolver = SshResolver(self._hosts)
        return self._resolver.of(self._hosts[name])

    def choice(self, name: str) -> SshSession:
        """The client of a host, without a connection. Raises UsageError."""
        if name not in self._choices:
            self._choices[name] = self._choose(name)
        return self._choices[name]

    def wire(self, name: str, command: Sh, *, tty: bool = False) -> Wire:
        """A session on which the login shell runs a command. Raises Unreachable."""
        route, choice = self.route(name), self.choice(name)
        try:
            return self._client(choice.client).wire(name, route, command, tty=tty)
        except LoginFailed as error:
            if not self._may_fall_back(name, choice, error):
                raise
            return self._fall_back(name, route, command, tty=tty, error=error)

    def banner(self, name: str, timeout_s: float) -> str:
        """The SSH banner on a new connection, by the route of the session. Raises Unreachable."""
        from wgorch.remote.ssh.proxy import banner

        route = self.route(name)
        sock = self._client(self.choice(name).client).open_socket(name, route, timeout_s)
        return banner(name, route, sock, timeout_s)

    def scan(self, name: str, hop: SshRoute) -> HostKey:
        """The key that one hop of a host's route presents. Raises Unreachable."""
        try:
            return self._client(self.choice(name).client).scan(name, hop)
        except Unreachable:
            if self._wanted(name) != AUTO or ssh_program() is None:
                raise
            return self._client(OPENSSH).scan(name, hop)

    def session(self, name: str) -> SshSession:
        """How a host's session was made."""
        choice = self.choice(name)
        return choice._replace(kex=self._client(choice.client).kex(self.route(name)))

    def key_exchanges(self, name: str) -> str:
        """The key exchanges that both ends of a host's session offer, as text. Raises Unreachable."""
        from wgorch.remote.ssh.algorithms import KEX
        from wgorch.remote.ssh.config_dump import ssh_algorithms
        from wgorch.remote.ssh.limits import CONNECT_TIMEOUT_S
        from wgorch.remote.ssh.peer import offered_by

        route, client = self.route(name), self.choice(name).client
        sock = self._client(client).open_socket(name, route, CONNECT_TIMEOUT_S)
        theirs = offered_by(sock, CONNECT_TIMEOUT_S)
        here = KEX if client == PARAMIKO else ssh_algorithms("kex")
        return (
            f"its SSH session is by {self.session(name).kex or 'an unknown key exchange'};"
            f" the server offers {', '.join(theirs.kex if theirs else ()) or 'nothing'}; {client} {', '.join(here)}"
        )

    @property
    def handshakes(self) -> int:
        """SSH handshakes made so far, jump hosts included."""
        return sum(client.handshakes for client in (self._paramiko, self._openssh) if client)

    def forget_known_hosts(self) -> None:
        """Read known_hosts again at the next connection."""
        if self._paramiko:
            self._paramiko.forget_known_hosts()

    def close(self) -> None:
        """End every session."""
        for client in (self._paramiko, self._openssh):
            if client:
                client.close()

    def _wanted(self, name: str) -> str:
        return self._given or self._hosts[name].ssh.client

    def _choose(self, name: str) -> SshSession:
        wanted = self._wanted(name)
        if wanted != AUTO:
            where = "--ssh-client" if self._given else "ssh.client"
            if wanted == OPENSSH and ssh_program() is None:
                raise UsageError(
                    f"{name}: there is no ssh program", "install openssh-client, or ssh: {client: paramiko}"
                )
            return SshSession(wanted, where)
        needs = ", ".join(dict.fromkeys(hop.needs_ssh for hop in self.route(name).hops if hop.needs_ssh))
        return SshSession(OPENSSH, needs) if needs and ssh_program() else SshSession(PARAMIKO, "")

    def _may_fall_back(self, name: str, choice: SshSession, error: LoginFailed) -> bool:
        curable = choice.client == PARAMIKO and error.failure in CURABLE
        return curable and self._wanted(name) == AUTO and ssh_program() is not None

    def _fall_back(self, name: str, route: SshRoute, command: Sh, *, tty: bool, error: LoginFailed) -> Wire:
        """Try OpenSSH's client once. Raises what paramiko met, where that fails for the same kind of reason."""
        try:
            wire = self._client(OPENSSH).wire(name, route, command, tty=tty)
        except LoginFailed as other:
            if other.failure is error.failure or other.failure in CURABLE:
                raise error from None
            raise
        except Unreachable:
            raise error from None
        self.fallbacks[name] = f"paramiko cannot {error.action}: {error.problem}"
        self._choices[name] = SshSession(OPENSSH, self.fallbacks[name])
        return wire

    def _client(self, kind: str) -> Client:
        with self._guard:
            return self._by_openssh() if kind == OPENSSH else self._by_paramiko()

    def _by_paramiko(self) -> Connections:
        if self._paramiko is None:
            with self._timings.span("controller", "import fabric and paramiko"), slim_import():
                from wgorch.remote.ssh.connections import Connections

            self._paramiko = Connections(home_directory(), self._answers)
        return self._paramiko

    def _by_openssh(self) -> OpenSshClient:
        if self._openssh is None:
            from wgorch.remote.openssh.client import OpenSshClient

            self._openssh = OpenSshClient(self._answers, light=lambda name: self._wanted(name) == AUTO)
        return self._openssh
