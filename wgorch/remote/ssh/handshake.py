"""Log in over an open socket: algorithms, host key, keys to try; a failure becomes LoginFailed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, NamedTuple

import fabric
import paramiko
from paramiko.auth_strategy import AuthFailure, AuthSource, AuthStrategy, InMemoryPrivateKey

from wgorch.remote.answers import Answers
from wgorch.remote.ssh import algorithms
from wgorch.remote.ssh.failures import Failure, LoginFailed
from wgorch.remote.ssh.host_keys import HostKey, HostKeyRefused, kinds_to_ask, name_of, verify
from wgorch.remote.ssh.identities import Identities
from wgorch.remote.ssh.known_hosts import KnownHosts
from wgorch.remote.ssh.limits import IDLE_S, KEEPALIVE_S, LOGIN_TIMEOUT_S, PERSON_S
from wgorch.remote.ssh.login import transport_class
from wgorch.remote.ssh.peer import Tap, agreed, offer_in
from wgorch.remote.ssh.route import SshRoute

logging.getLogger("paramiko").setLevel(logging.CRITICAL)


class Login(NamedTuple):
    """A connection, and the key exchange that it was made by."""

    connection: fabric.Connection
    kex: str


def log_in(
    host: str, route: SshRoute, sock: Any, known: KnownHosts, identities: Identities, answers: Answers | None = None
) -> Login:
    """Log in to the SSH server at the other end of a socket. Raises LoginFailed."""
    attempt = _Attempt(host, route, Tap(sock), known)
    connection = fabric.Connection(
        host=route.host,
        user=route.user,
        port=route.port,
        # Everything is given here, or fabric looks it up in its configuration: a millisecond a host.
        config=_config(),
        gateway=False,
        forward_agent=False,
        connect_timeout=LOGIN_TIMEOUT_S,
        inline_ssh_env=True,
        connect_kwargs={
            "sock": attempt.tap,
            "transport_factory": attempt.transport,
            "auth_strategy": Proofs(identities, route, answers or Answers()),
            "banner_timeout": LOGIN_TIMEOUT_S,
            "auth_timeout": PERSON_S if answers and answers.allows_password else LOGIN_TIMEOUT_S,
            "channel_timeout": LOGIN_TIMEOUT_S,
        },
    )
    connection.client.set_missing_host_key_policy(_Verify(host, route, known))
    try:
        connection.open()
    except (paramiko.SSHException, HostKeyRefused, EOFError, OSError) as error:
        failure = attempt.failure(identities, error, connection.client.get_transport())
        connection.client.close()
        raise failure from None
    connection.transport.set_keepalive(KEEPALIVE_S)
    return Login(connection, attempt.kex)


def host_key_of(key: paramiko.PKey) -> HostKey:
    """A server's key as paramiko has it."""
    blob = key.public_blob
    if blob is None:
        return HostKey(key.get_name(), key.asbytes())
    return HostKey(key.get_name(), key.asbytes(), blob.key_type, blob.key_blob)


def _config() -> Any:
    """A fabric configuration that reads no file; one for each connection, since it is not thread-safe."""
    return fabric.Config(ssh_config=paramiko.SSHConfig(), lazy=True)


class _Verify(paramiko.MissingHostKeyPolicy):
    """Has every server key verified by `verify`; paramiko knows none."""

    def __init__(self, host: str, route: SshRoute, known: KnownHosts) -> None:
        self._host, self._route, self._known = host, route, known

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        verify(self._host, self._route, self._known, host_key_of(key))


class _Attempt:
    """One login: what is offered, and what a failure of it means."""

    def __init__(self, host: str, route: SshRoute, tap: Tap, known: KnownHosts) -> None:
        self.tap = tap
        self._host, self._route, self._known = host, route, known
        self._offered = algorithms.Offered((), (), (), ())

    @property
    def kex(self) -> str:
        """The key exchange that both sides agreed on."""
        offer = offer_in(self.tap.seen)
        return agreed(self._offered.kex, offer.kex) if offer else ""

    def transport(self, sock: Any, **options: Any) -> paramiko.Transport:
        """Make a transport; paramiko calls this with the socket."""
        transport = transport_class()(sock, **options)
        transport.banner_timeout = LOGIN_TIMEOUT_S
        # connect_timeout ends the key exchange before this does: paramiko would report it as end of file.
        transport.handshake_timeout = 2 * LOGIN_TIMEOUT_S
        sock.settimeout(IDLE_S)
        security = transport.get_security_options()
        lists = algorithms.offered(security, self._route, getattr(transport, "also_kex", ()))
        known = self._known.keys(name_of(self._route)) if self._route.host_key is None else ()
        self._offered = lists = lists._replace(host_keys=kinds_to_ask(lists.host_keys, known))
        security.kex, security.ciphers, security.digests = lists.kex, lists.ciphers, lists.macs
        security.key_types = lists.host_keys
        return transport

    def failure(self, identities: Identities, error: Exception, transport: Any) -> LoginFailed:
        """What a failed login is to its caller; by type and state, never by paramiko's text."""
        if isinstance(error, HostKeyRefused):
            return LoginFailed(error.failure, self._host, "verify host key", error.problem, error.hint)
        if isinstance(error, AuthFailure):
            return _refused(self._host, self._route, identities, error)
        offer = offer_in(self.tap.seen)
        if offer and (why := algorithms.missing(self._offered, offer)):
            hint = "allow a newer algorithm in its sshd_config; or install OpenSSH's client: --ssh-client openssh"
            return self._failed(Failure.ALGORITHMS, why, hint)
        # While it reads the banner, paramiko wraps every error in an SSHException.
        if any(isinstance(e, EOFError | ConnectionResetError) for e in (error, error.__context__)):
            hint = "check MaxStartups in its sshd_config, and that an SSH server listens there"
            return self._failed(Failure.DROPPED, "the server closed the connection", hint)
        # After connect_timeout paramiko goes on as if connected, and fails while the transport is still negotiating.
        waiting = transport is not None and transport.is_active() and not transport.initial_kex_done
        if waiting or isinstance(error.__context__, TimeoutError):
            hint = "check that an SSH server listens there"
            return self._failed(Failure.NO_ANSWER, f"no answer within {LOGIN_TIMEOUT_S} s", hint)
        if not offer:
            hint = "check the port: this is not an SSH server of protocol 2"
            return self._failed(Failure.NOT_SSH, str(error) or type(error).__name__, hint)
        return self._failed(Failure.OTHER, str(error) or type(error).__name__)

    def _failed(self, failure: Failure, problem: str, hint: str = "") -> LoginFailed:
        return LoginFailed(failure, self._host, "log in", f"{self._route}: {problem}", hint)


class Proofs(AuthStrategy):
    """Tries each key of a route once; then, where that is wanted, a password or what else the server asks for."""

    def __init__(self, identities: Identities, route: SshRoute, answers: Answers) -> None:
        super().__init__(ssh_config=paramiko.SSHConfig())
        self._identities, self._route, self._answers = identities, route, answers

    def get_sources(self) -> Iterator[AuthSource]:
        user = self._route.user
        for origin, key in self._identities.of(self._route):
            yield OneKey(user, key, origin)
        if self._answers.allows_password:
            yield Questions(user, self._answers)
            yield Password(user, self._answers)


class OneKey(InMemoryPrivateKey):
    """A key to try, and its origin: a path, or ``agent``."""

    def __init__(self, user: str, key: Any, origin: str) -> None:
        super().__init__(user, key)
        self.origin = origin

    def authenticate(self, transport: paramiko.Transport) -> Any:
        return _complete(super().authenticate(transport))

    def __str__(self) -> str:
        return f"{self.origin} ({self.pkey.get_name()})"


class Questions(AuthSource):
    """Keyboard-interactive: the server's prompts."""

    def __init__(self, user: str, answers: Answers) -> None:
        super().__init__(username=user)
        self._answers = answers

    def authenticate(self, transport: paramiko.Transport) -> Any:
        def answer(_title: str, _instructions: str, prompts: list[tuple[str, bool]]) -> list[str]:
            return [self._answers.login(text) or "" for text, _ in prompts]

        return _complete(transport.auth_interactive(self.username, answer))

    def __str__(self) -> str:
        return "keyboard-interactive"


class Password(AuthSource):
    """A password."""

    def __init__(self, user: str, answers: Answers) -> None:
        super().__init__(username=user)
        self._answers = answers

    def authenticate(self, transport: paramiko.Transport) -> Any:
        password = self._answers.login("password")
        if not password:
            raise paramiko.AuthenticationException("no password given")
        return _complete(transport.auth_password(self.username, password, fallback=False))

    def __str__(self) -> str:
        return "password"


class MoreWanted(paramiko.AuthenticationException):
    """The server accepted this proof, and wants another one, too."""

    def __init__(self, methods: list[str]) -> None:
        super().__init__(f"accepted, and {' or '.join(methods)} is wanted, too")
        self.methods = methods


def _complete(methods: list[str]) -> list[str]:
    """Raises MoreWanted where the login is not complete; paramiko would take it for a success."""
    if methods:
        raise MoreWanted(methods)
    return methods


def _refused(host: str, route: SshRoute, identities: Identities, failure: AuthFailure) -> LoginFailed:
    action = f"log in as {route.user}"
    # An attempt that ends otherwise had no server at the other end any more.
    answered = [source for source, why in failure.result if isinstance(why, paramiko.AuthenticationException)]
    methods = _methods(failure)
    if 0 < len(answered) < len(failure.result) and not methods:
        problem = f"{route.host} disconnected after {len(answered)} keys ({answered[0]} …)"
        hint = "sshd limits the attempts (MaxAuthTries): name the key in the inventory, identity: ~/.ssh/…"
        return LoginFailed(Failure.TOO_MANY, host, action, problem, hint)
    tried = ", ".join(str(source) for source, _ in failure.result) or "no key was found to try"
    if failure.result and not answered:
        tried += f": {failure.result[0].result}"
    hint = f"add your public key to {route.user}'s authorized_keys on the host"
    if methods and "publickey" not in methods:
        tried += f"; it accepts {', '.join(methods)}"
        hint = "give a password: --ask-ssh-password"
    if identities.locked:
        tried += f"; not unlocked: {', '.join(identities.locked)}"
        hint = "give the passphrase on a terminal, or load the key into an agent: ssh-add"
    if identities.unusable:
        tried += f"; not tried: {', '.join(identities.unusable)}"
    return LoginFailed(Failure.REFUSED, host, action, f"{route.host} refused: {tried}", hint)


def _methods(failure: AuthFailure) -> list[str]:
    """The methods that the server accepts, as far as it said so."""
    for _, why in failure.result:
        if isinstance(why, MoreWanted):
            return why.methods
        if isinstance(why, paramiko.BadAuthenticationType):
            return list(why.allowed_types)
    return []
