"""Log in over an open socket: algorithms, host key, keys to try; a failure becomes Unreachable."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import fabric
import paramiko
from paramiko.auth_strategy import AuthFailure

from wgorch.errors import Unreachable
from wgorch.remote.ssh.config import SshRoute
from wgorch.remote.ssh.host_keys import HostKeyRefused, StrictPolicy, kinds_to_ask
from wgorch.remote.ssh.identities import Identities, KeysOnly
from wgorch.remote.ssh.known_hosts import KnownHosts
from wgorch.remote.ssh.limits import IDLE_S, KEEPALIVE_S, KEX, LOGIN_TIMEOUT_S
from wgorch.remote.ssh.login import transport_class

logging.getLogger("paramiko").setLevel(logging.CRITICAL)


class Dropped(Exception):
    """The server closed the connection before it proved its identity; another attempt may succeed."""


def log_in(host: str, route: SshRoute, sock: Any, known: KnownHosts, identities: Identities) -> fabric.Connection:
    """Log in to the SSH server at the other end of a socket. Raises Unreachable or Dropped."""
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
            "sock": sock,
            "transport_factory": _transport_factory(route, known),
            "auth_strategy": KeysOnly(identities, route),
            "banner_timeout": LOGIN_TIMEOUT_S,
            "auth_timeout": LOGIN_TIMEOUT_S,
            "channel_timeout": LOGIN_TIMEOUT_S,
        },
    )
    connection.client.set_missing_host_key_policy(StrictPolicy(host, route, known))
    try:
        connection.open()
    except (paramiko.SSHException, EOFError, OSError) as error:
        failure = _failure(host, route, identities, error, connection.client.get_transport())
        connection.client.close()
        raise failure from None
    connection.transport.set_keepalive(KEEPALIVE_S)
    return connection


def _config() -> Any:
    """A fabric configuration that reads no file; one for each connection, since it is not thread-safe."""
    return fabric.Config(ssh_config=paramiko.SSHConfig(), lazy=True)


def _transport_factory(route: SshRoute, known: KnownHosts) -> Callable[..., paramiko.Transport]:
    def make(sock: Any, **options: Any) -> paramiko.Transport:
        transport = transport_class()(sock, **options)
        transport.banner_timeout = LOGIN_TIMEOUT_S
        # connect_timeout ends the key exchange before this does: paramiko would report it as end of file.
        transport.handshake_timeout = 2 * LOGIN_TIMEOUT_S
        sock.settimeout(IDLE_S)
        security = transport.get_security_options()
        security.kex = tuple(k for k in KEX if k in security.kex) or security.kex
        # GCM first: for the other ciphers paramiko computes and compares a MAC in Python.
        security.ciphers = sorted(security.ciphers, key=lambda name: "-gcm" not in name)
        if kinds := kinds_to_ask(security.key_types, route, known):
            security.key_types = kinds
        return transport

    return make


def _failure(host: str, route: SshRoute, identities: Identities, error: Exception, transport: Any) -> Exception:
    """What a failed login is to its caller; by type and state, never by paramiko's text."""
    if isinstance(error, HostKeyRefused):
        return Unreachable(host, "verify host key", error.problem, error.hint)
    if isinstance(error, AuthFailure):
        return _refused(host, route, identities, error)
    # While it reads the banner, paramiko wraps every error in an SSHException.
    if any(isinstance(e, EOFError | ConnectionResetError) for e in (error, error.__context__)):
        return Dropped(f"{route}: the server closed the connection")
    # After connect_timeout paramiko goes on as if connected, and fails while the transport is still negotiating.
    waiting = transport is not None and transport.is_active() and not transport.initial_kex_done
    if waiting or isinstance(error.__context__, TimeoutError):
        hint = "check that an SSH server listens there"
        return Unreachable(host, "log in", f"{route}: no answer within {LOGIN_TIMEOUT_S} s", hint)
    return Unreachable(host, "log in", f"{route}: {error or type(error).__name__}")


def _refused(host: str, route: SshRoute, identities: Identities, failure: AuthFailure) -> Unreachable:
    action = f"log in as {route.user}"
    # An attempt that ends otherwise had no server at the other end any more.
    answered = [source for source, why in failure.result if isinstance(why, paramiko.AuthenticationException)]
    if 0 < len(answered) < len(failure.result):
        problem = f"{route.host} disconnected after {len(answered)} keys ({answered[0]} …)"
        hint = "sshd limits the attempts (MaxAuthTries): name the key in the inventory, identity: ~/.ssh/…"
        return Unreachable(host, action, problem, hint)
    tried = ", ".join(str(source) for source, _ in failure.result) or "no key was found to try"
    if failure.result and not answered:
        tried += f": {failure.result[0].result}"
    hint = f"add your public key to {route.user}'s authorized_keys on the host"
    if identities.locked:
        tried += f"; not unlocked: {', '.join(identities.locked)}"
        hint = "give the passphrase on a terminal, or load the key into an agent: ssh-add"
    if identities.unusable:
        tried += f"; not tried: {', '.join(identities.unusable)}"
    return Unreachable(host, action, f"{route.host} refused: {tried}", hint)
