"""SSH: the one file that opens connections. Strict host keys, our own socket, one shared transport a jump host.

fabric holds the connection and paramiko speaks the protocol; who may be trusted, which keys are tried and how long
anything may take is decided here.
"""

from __future__ import annotations

import contextlib
import copy
import getpass
import logging
import os
import random
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fabric
import paramiko
from paramiko.auth_strategy import AuthFailure

from wgorch.errors import Unreachable
from wgorch.remote.root import ROOT_SHELL
from wgorch.remote.ssh.config import SshResolver, SshRoute
from wgorch.remote.ssh.host_keys import HostKeyChanged, HostKeyUnknown, StrictPolicy, same_kind
from wgorch.remote.ssh.identities import SECURITY_KEY, Identities, is_security_key, one_at_a_time, origin_of
from wgorch.remote.ssh.known_hosts import KnownHosts, load
from wgorch.remote.ssh.limits import CONNECT_TIMEOUT_S, IDLE_S, KEX, LOGIN_TIMEOUT_S, LOGINS_AT_ONCE
from wgorch.remote.ssh.login import QuickTransport
from wgorch.remote.ssh.sockets import ChannelWire, QuickSocket

logging.getLogger("paramiko").setLevel(logging.CRITICAL)


def read_config() -> Any:
    """~/.ssh/config and /etc/ssh/ssh_config, parsed once; None where there are none."""
    found = None
    for path in (Path.home() / ".ssh" / "config", Path("/etc/ssh/ssh_config")):
        if path.is_file():
            found = found or paramiko.SSHConfig()
            with path.open(encoding="utf-8", errors="replace") as file:
                found.parse(file)
    return found


class Connections:
    """All SSH connections of a run; jump hosts are shared by those who need them."""

    def __init__(self, ways: SshResolver, ask: Callable[[str], str] | None = None) -> None:
        self.ways = ways
        self.handshakes = 0
        self._ask = ask or _ask_on_terminal
        self._known: dict[tuple[str, ...], KnownHosts] = {}
        self._open: dict[SshRoute, fabric.Connection] = {}
        self._locks: dict[SshRoute, threading.Lock] = {}
        self._gates: dict[str, threading.Semaphore] = {}
        self._keys: dict[str, list[Any]] = {}
        self._guard = threading.RLock()
        self._agent: list[Any] | None = None
        self._signing = threading.Lock()
        self._locked_keys: list[str] = []
        self._unusable: list[str] = []

    # --- opening

    def connect(self, host: str, way: SshRoute) -> fabric.Connection:
        """The connection of a way, opened once. Raises Unreachable."""
        with self._guard:
            lock = self._locks.setdefault(way, threading.Lock())
        with lock:
            found = self._open.get(way)
            if found is None or not found.is_connected:
                found = self._login(host, way)
                self._open[way] = found
            return found

    def wire(self, host: str, way: SshRoute, command: str = ROOT_SHELL, *, tty: bool = False) -> ChannelWire:
        """What a host's login shell makes of a command."""
        connection = self.connect(host, way)
        try:
            channel = connection.transport.open_session(timeout=LOGIN_TIMEOUT_S)
            if tty:
                channel.get_pty(term="dumb")
            channel.exec_command(command)
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise Unreachable(host, "open a shell", f"{way}: {error}", "is MaxSessions 0 there?") from None
        return ChannelWire(channel)

    def banner(self, host: str, way: SshRoute, timeout_s: float = CONNECT_TIMEOUT_S) -> str:
        """The first line that a new connection to a host's sshd says, by the way that the session came."""
        sock = self._socket(host, way, timeout_s)
        try:
            sock.settimeout(timeout_s)
            line = b""
            while not line.endswith(b"\n") and len(line) < 255:
                data = sock.recv(1)
                if not data:
                    break
                line += data
            if not line.startswith(b"SSH-"):
                raise Unreachable(host, "reconnect to SSH", f"no SSH banner but {line[:60]!r}")
            return line.decode("ascii", "replace").strip()
        except OSError as error:
            raise Unreachable(host, "reconnect to SSH", f"{way}: {error or type(error).__name__}") from None
        finally:
            sock.close()

    def _login(self, host: str, way: SshRoute) -> fabric.Connection:
        for attempt in range(4):
            gate = self._gate(way)
            with gate:
                sock = self._socket(host, way, CONNECT_TIMEOUT_S)
                try:
                    return self._handshake(host, way, sock)
                except _BannerLost as error:
                    sock.close()
                    if attempt == 3:
                        hint = "its sshd drops logins (MaxStartups?), or something else listens there"
                        raise Unreachable(host, "log in", f"{way}: no SSH banner ({error})", hint) from None
            # sshd drops connections at random while too many are half-open (MaxStartups).
            time.sleep(0.2 * 2**attempt * (0.5 + random.random()))
        raise AssertionError("unreachable")

    def _gate(self, way: SshRoute) -> threading.Semaphore:
        first = way
        while first.via:
            first = first.via
        with self._guard:
            return self._gates.setdefault(f"{first.host}:{first.port}", threading.Semaphore(LOGINS_AT_ONCE))

    def _socket(self, host: str, way: SshRoute, timeout_s: float) -> Any:
        if way.via is not None:
            jump = self.connect(host, way.via)
            try:
                return jump.transport.open_channel(
                    "direct-tcpip", (way.host, way.port), ("", 0), timeout=max(timeout_s, CONNECT_TIMEOUT_S)
                )
            except (paramiko.SSHException, EOFError, OSError) as error:
                problem = f"{way.via} cannot open {way.host}:{way.port}: {error}"
                raise Unreachable(
                    host, "connect", problem, "is the jump host allowed to forward, and the host up?"
                ) from None
        if way.proxy_command:
            command = way.proxy_command.replace("%h", way.host).replace("%p", str(way.port)).replace("%r", way.user)
            return paramiko.ProxyCommand(command)
        try:
            found = socket.getaddrinfo(way.host, way.port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            hint = "check the name, or give an address"
            raise Unreachable(host, f"resolve {way.host}", error.strerror or "no such name", hint) from None
        began = time.monotonic()
        last: OSError | None = None
        for family, kind, proto, _, address in found:
            sock = QuickSocket(family, kind, proto)
            try:
                sock.settimeout(timeout_s)
                sock.connect(address)
                sock.prepare()
                return sock
            except OSError as error:
                last = error
                sock.close()
        waited = time.monotonic() - began
        problem = (
            f"{way.host} port {way.port}: {last.strerror or last if last else 'no address'} (after {waited:.1f} s)"
        )
        raise Unreachable(host, "connect", problem, "is it up, and is this its SSH address?") from None

    def _handshake(self, host: str, way: SshRoute, sock: Any) -> fabric.Connection:
        known = self._known_hosts(way)
        name = way.known_as or way.host
        keys = known.keys(name, way.port)

        def transport(sock: Any, **kwargs: Any) -> paramiko.Transport:
            made = QuickTransport(sock, **kwargs)
            made.banner_timeout = LOGIN_TIMEOUT_S
            sock.settimeout(IDLE_S)
            options = made.get_security_options()
            options.kex = tuple(k for k in KEX if k in options.kex) or options.kex
            # Those first that check what they decrypt: paramiko compares other checksums byte by byte.
            options.ciphers = sorted(options.ciphers, key=lambda name: "-gcm" not in name)
            # Ask for the kinds of key that we know of it, or it may show another one that is not in our file.
            kinds = [kind for kind in options.key_types if any(same_kind(kind, key.kind) for key in keys)]
            if kinds:
                options.key_types = tuple(kinds)
            return made

        connection = fabric.Connection(
            host=way.host,
            user=way.user,
            port=way.port,
            # All is said here, or fabric looks for each in its configuration, a millisecond a host.
            config=_config(),
            gateway=False,
            forward_agent=False,
            connect_timeout=LOGIN_TIMEOUT_S,
            inline_ssh_env=True,
            connect_kwargs={
                "sock": sock,
                "transport_factory": transport,
                "auth_strategy": Identities(self.identities, way),
                "banner_timeout": LOGIN_TIMEOUT_S,
                "auth_timeout": LOGIN_TIMEOUT_S,
                "channel_timeout": LOGIN_TIMEOUT_S,
            },
        )
        connection.client.set_missing_host_key_policy(StrictPolicy(way, known))
        with self._guard:
            self.handshakes += 1
        try:
            connection.open()
        except (HostKeyUnknown, HostKeyChanged) as error:
            told, _, hint = str(error).partition("\n")
            connection.client.close()
            raise Unreachable(host, "verify its host key", told, hint.replace("HOST", host)) from None
        except AuthFailure as error:
            asked = [source for source, why in error.result if isinstance(why, paramiko.AuthenticationException)]
            hung_up = bool(asked) and len(asked) < len(error.result)
            connection.client.close()
            if hung_up:
                problem = f"{way.host} hung up after {len(asked)} keys ({origin_of(asked[0])} …)"
                hint = "sshd lets nobody try many (MaxAuthTries): name one, identity: ~/.ssh/…, in the inventory"
                raise Unreachable(host, f"log in as {way.user}", problem, hint) from None
            tried = ", ".join(origin_of(source) for source, _ in error.result) or "no key was found to try"
            if error.result and not asked:
                tried += f": {error.result[0].result}"
            hint = f"put a public key of yours into {way.user}'s authorized_keys there"
            if self._locked_keys:
                tried += f"; not unlocked: {', '.join(self._locked_keys)}"
                hint = "give the passphrase on a terminal, or load the key into an agent: ssh-add"
            if self._unusable:
                tried += f"; not tried: {', '.join(self._unusable)}"
            raise Unreachable(host, f"log in as {way.user}", f"{way.host} refused: {tried}", hint) from None
        except (paramiko.SSHException, EOFError, OSError) as error:
            connection.client.close()
            if "banner" in str(error).lower() or isinstance(error, EOFError | ConnectionResetError):
                raise _BannerLost(str(error) or type(error).__name__) from None
            raise Unreachable(host, "log in", f"{way}: {error or type(error).__name__}") from None
        connection.transport.set_keepalive(5)
        return connection

    def _known_hosts(self, way: SshRoute) -> KnownHosts:
        with self._guard:
            found = self._known.get(way.known_hosts_files)
            if found is None:
                found = load(Path(path) for path in way.known_hosts_files)
                self._known[way.known_hosts_files] = found
            return found

    def forget_known_hosts(self) -> None:
        """Read the files again at the next connection."""
        with self._guard:
            self._known.clear()

    # --- keys

    def identities(self, way: SshRoute) -> Iterator[tuple[str, Any]]:
        """The keys to try, in OpenSSH's order: those named, the agent's, the usual files."""
        named = list(way.identities)
        yield from ((path, key) for path in named for key in self._key(path))
        if not way.only_identities:
            yield from (("agent", key) for key in self._agent_keys())
            if not named:
                yield from ((path, key) for path in self.ways.default_identities() for key in self._key(path))

    def _agent_keys(self) -> list[Any]:
        with self._guard:
            if self._agent is None:
                self._agent = []
                if os.environ.get("SSH_AUTH_SOCK"):
                    with contextlib.suppress(paramiko.SSHException, OSError):
                        for key in paramiko.Agent().get_keys():
                            if key.get_name().startswith("sk-"):
                                self._unusable.append(f"a key of the agent {SECURITY_KEY}")
                            else:
                                self._agent.append(one_at_a_time(key, self._signing))
            return self._agent

    def _key(self, path: str) -> list[Any]:
        """The key in a file: with its certificate first, where one lies beside it; empty where there is none to use."""
        with self._guard:
            if path not in self._keys:
                key = self._load(path)
                plain = None
                if key is not None and key.public_blob is not None:
                    plain = copy.copy(key)
                    plain.public_blob = None
                self._keys[path] = [k for k in (key, plain) if k is not None]
            return self._keys[path]

    def _load(self, path: str) -> Any:
        if not Path(path).is_file():
            return None
        if is_security_key(path):
            self._unusable.append(f"{path} {SECURITY_KEY}")
            return None
        try:
            return paramiko.PKey.from_path(path)
        except (paramiko.PasswordRequiredException, TypeError, ValueError) as error:
            if isinstance(error, ValueError) and "password" not in str(error).lower():
                return None
        except (paramiko.SSHException, OSError):
            return None
        for _ in range(3):
            try:
                # paramiko's annotation says str, its code wants bytes.
                passphrase: Any = self._ask(f"Passphrase for {path}: ").encode()
            except paramiko.SSHException:
                break
            with contextlib.suppress(paramiko.SSHException, ValueError, TypeError):
                return paramiko.PKey.from_path(path, passphrase)
        self._locked_keys.append(path)
        return None

    def close(self) -> None:
        """End every connection."""
        for connection in self._open.values():
            with contextlib.suppress(Exception):
                connection.transport.close()
        self._open.clear()


class _BannerLost(Exception):
    """The connection ended before the server said who it is; worth another try, unlike a refused login."""


def _config() -> Any:
    """A fabric configuration that reads no file. One for each connection: it is not safe to share."""
    return fabric.Config(ssh_config=paramiko.SSHConfig(), lazy=True)


def _ask_on_terminal(prompt: str) -> str:
    if not sys.stdin.isatty():
        raise paramiko.SSHException("no terminal to ask for a passphrase")
    return getpass.getpass(prompt)


def scan_host_key(connections: Connections, host: str, way: SshRoute) -> Any:
    """The key that a host shows, without trusting it and without logging in."""
    sock = connections._socket(host, way, CONNECT_TIMEOUT_S)
    transport = paramiko.Transport(sock)
    try:
        transport.banner_timeout = LOGIN_TIMEOUT_S
        transport.start_client(timeout=LOGIN_TIMEOUT_S)
        return transport.get_remote_server_key()
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise Unreachable(host, "read its host key", f"{way}: {error or type(error).__name__}") from None
    finally:
        transport.close()
