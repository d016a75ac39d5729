"""SSH: the one file that opens connections. Strict host keys, our own socket, one shared transport a jump host.

fabric holds the connection and paramiko speaks the protocol; who may be trusted, which keys are tried and how long
anything may take is decided here.
"""

from __future__ import annotations

import base64
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
from paramiko.auth_handler import AuthHandler
from paramiko.auth_strategy import AuthFailure, AuthStrategy, InMemoryPrivateKey

from wgorch.errors import Unreachable
from wgorch.remote.known_hosts import KnownHosts, fingerprint, load, lookup_name
from wgorch.remote.root import ROOT_SHELL
from wgorch.remote.ssh_config import Way, Ways

CONNECT_TIMEOUT_S = 10
LOGIN_TIMEOUT_S = 30
DEAD_AFTER_S = 15
"""A peer that acknowledges nothing for so long is gone."""
IDLE_S = 1.0
"""How often paramiko looks up from a connection on which nothing comes; ten times a second is what it does by itself."""
LOGINS_AT_ONCE = 8
"""Through one jump host, and to one server: sshd refuses more than 10 half-open logins by default."""

KEX = ("mlkem768x25519-sha256", "curve25519-sha256", "curve25519-sha256@libssh.org")

logging.getLogger("paramiko").setLevel(logging.CRITICAL)


class HostKeyUnknown(paramiko.SSHException):
    """Nobody told us this key."""


class HostKeyChanged(paramiko.SSHException):
    """Another key than the one we were told, or a revoked one."""


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

    def __init__(self, ways: Ways, ask: Callable[[str], str] | None = None) -> None:
        self.ways = ways
        self.handshakes = 0
        self._ask = ask or _ask_on_terminal
        self._known: dict[tuple[str, ...], KnownHosts] = {}
        self._open: dict[Way, fabric.Connection] = {}
        self._locks: dict[Way, threading.Lock] = {}
        self._gates: dict[str, threading.Semaphore] = {}
        self._keys: dict[str, list[Any]] = {}
        self._guard = threading.RLock()
        self._agent: list[Any] | None = None
        self._signing = threading.Lock()
        self._locked_keys: list[str] = []
        self._unusable: list[str] = []

    # --- opening

    def connect(self, host: str, way: Way) -> fabric.Connection:
        """The connection of a way, opened once. Raises Unreachable."""
        with self._guard:
            lock = self._locks.setdefault(way, threading.Lock())
        with lock:
            found = self._open.get(way)
            if found is None or not found.is_connected:
                found = self._login(host, way)
                self._open[way] = found
            return found

    def wire(self, host: str, way: Way, command: str = ROOT_SHELL, *, tty: bool = False) -> ChannelWire:
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

    def banner(self, host: str, way: Way, timeout_s: float = CONNECT_TIMEOUT_S) -> str:
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
                raise Unreachable(host, "reach its SSH again", f"no SSH banner but {line[:60]!r}")
            return line.decode("ascii", "replace").strip()
        except OSError as error:
            raise Unreachable(host, "reach its SSH again", f"{way}: {error or type(error).__name__}") from None
        finally:
            sock.close()

    def _login(self, host: str, way: Way) -> fabric.Connection:
        for attempt in range(4):
            gate = self._gate(way)
            with gate:
                sock = self._socket(host, way, CONNECT_TIMEOUT_S)
                try:
                    return self._handshake(host, way, sock)
                except _BannerLost as error:
                    sock.close()
                    if attempt == 3:
                        fix = "its sshd drops logins (MaxStartups?), or something else listens there"
                        raise Unreachable(host, "log in", f"{way}: no SSH banner ({error})", fix) from None
            # sshd drops connections at random while too many are half-open (MaxStartups).
            time.sleep(0.2 * 2**attempt * (0.5 + random.random()))
        raise AssertionError("unreachable")

    def _gate(self, way: Way) -> threading.Semaphore:
        first = way
        while first.via:
            first = first.via
        with self._guard:
            return self._gates.setdefault(f"{first.host}:{first.port}", threading.Semaphore(LOGINS_AT_ONCE))

    def _socket(self, host: str, way: Way, timeout_s: float) -> Any:
        if way.via is not None:
            jump = self.connect(host, way.via)
            try:
                return jump.transport.open_channel(
                    "direct-tcpip", (way.host, way.port), ("", 0), timeout=max(timeout_s, CONNECT_TIMEOUT_S)
                )
            except (paramiko.SSHException, EOFError, OSError) as error:
                saw = f"{way.via} cannot open {way.host}:{way.port}: {error}"
                raise Unreachable(
                    host, "connect", saw, "is the jump host allowed to forward, and the host up?"
                ) from None
        if way.proxy_command:
            command = way.proxy_command.replace("%h", way.host).replace("%p", str(way.port)).replace("%r", way.user)
            return paramiko.ProxyCommand(command)
        try:
            found = socket.getaddrinfo(way.host, way.port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            fix = "check the name, or give an address"
            raise Unreachable(host, f"find {way.host}", error.strerror or "no such name", fix) from None
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
        saw = f"{way.host} port {way.port}: {last.strerror or last if last else 'no address'} (after {waited:.1f} s)"
        raise Unreachable(host, "connect", saw, "is it up, and is this its SSH address?") from None

    def _handshake(self, host: str, way: Way, sock: Any) -> fabric.Connection:
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
            kinds = [kind for kind in options.key_types if any(_same_kind(kind, key.kind) for key in keys)]
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
                "auth_strategy": Identities(self, way),
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
            told, _, fix = str(error).partition("\n")
            connection.client.close()
            raise Unreachable(host, "know it by its host key", told, fix.replace("HOST", host)) from None
        except AuthFailure as error:
            asked = [source for source, why in error.result if isinstance(why, paramiko.AuthenticationException)]
            hung_up = bool(asked) and len(asked) < len(error.result)
            connection.client.close()
            if hung_up:
                saw = f"{way.host} hung up after {len(asked)} keys ({_shown(asked[0])} …)"
                fix = "sshd lets nobody try many (MaxAuthTries): name one, identity: ~/.ssh/…, in the inventory"
                raise Unreachable(host, f"log in as {way.user}", saw, fix) from None
            tried = ", ".join(_shown(source) for source, _ in error.result) or "no key was found to try"
            if error.result and not asked:
                tried += f": {error.result[0].result}"
            fix = f"put a public key of yours into {way.user}'s authorized_keys there"
            if self._locked_keys:
                tried += f"; not unlocked: {', '.join(self._locked_keys)}"
                fix = "give the passphrase on a terminal, or load the key into an agent: ssh-add"
            if self._unusable:
                tried += f"; not tried: {', '.join(self._unusable)}"
            raise Unreachable(host, f"log in as {way.user}", f"{way.host} refused: {tried}", fix) from None
        except (paramiko.SSHException, EOFError, OSError) as error:
            connection.client.close()
            if "banner" in str(error).lower() or isinstance(error, EOFError | ConnectionResetError):
                raise _BannerLost(str(error) or type(error).__name__) from None
            raise Unreachable(host, "log in", f"{way}: {error or type(error).__name__}") from None
        connection.transport.set_keepalive(5)
        return connection

    def _known_hosts(self, way: Way) -> KnownHosts:
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

    def identities(self, way: Way) -> Iterator[tuple[str, Any]]:
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
                                self._agent.append(_one_at_a_time(key, self._signing))
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
        if _is_security_key(path):
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


class QuickTransport(paramiko.Transport):
    """Tells who we are without waiting to hear that we may, which is a round trip less.

    With keys that sign at once: an agent may take its time, or never answer, and which signature an RSA key is to make
    is only known for sure from what the server says before it says that we may. Those go paramiko's own way.
    """

    auth_handler: Any

    def auth_publickey(self, username: str, key: Any, event: Any = None) -> Any:
        quick = isinstance(key, paramiko.Ed25519Key | paramiko.ECDSAKey) and self.active and self.initial_kex_done
        if not quick or event is not None:
            return super().auth_publickey(username, key, event)
        answered = threading.Event()
        self.auth_handler = handler = QuickLogin(self, asked=self.auth_handler is not None)
        handler.auth_publickey(username, key, answered)
        return handler.wait_for_response(answered)


class QuickLogin(AuthHandler):
    """One key's try: paramiko sends it when it hears that it may, and hears that from us, not from the server.

    `asked`: the server was asked whether we may, for an earlier key.
    """

    def __init__(self, transport: paramiko.Transport, *, asked: bool) -> None:
        super().__init__(transport)
        self._asked = asked

    def _request_auth(self) -> None:
        if not self._asked:
            super()._request_auth()
        accepted = paramiko.Message()
        accepted.add_string("ssh-userauth")
        accepted.rewind()
        super()._parse_service_accept(accepted)

    def _parse_service_accept(self, m: paramiko.Message) -> None:
        """The server's word that we may; we have done it by then."""


class Identities(AuthStrategy):
    """Tries each key once, and nothing but keys."""

    def __init__(self, connections: Connections, way: Way) -> None:
        super().__init__(ssh_config=paramiko.SSHConfig())
        self._connections, self._way = connections, way

    def get_sources(self) -> Iterator[Any]:
        for origin, key in self._connections.identities(self._way):
            yield OneKey(self._way.user, key, origin)


def _one_at_a_time(key: Any, lock: threading.Lock) -> Any:
    """An agent's key that waits for its turn: all of them share one socket, and answers carry no name."""
    sign = key.sign_ssh_data

    def signing(*args: Any, **options: Any) -> Any:
        with lock:
            return sign(*args, **options)

    key.sign_ssh_data = signing
    return key


class OneKey(InMemoryPrivateKey):
    """A key to try, and where it is from."""

    def __init__(self, user: str, key: Any, origin: str) -> None:
        super().__init__(user, key)
        self.origin = origin


def _shown(source: Any) -> str:
    return f"{source.origin} ({source.pkey.get_name()})"


SECURITY_KEY = "is a security key (sk-…), which paramiko cannot sign with"


def _is_security_key(path: str) -> bool:
    """True for a key whose other half is in a piece of hardware; its file begins as every OpenSSH key's does."""
    try:
        body = "".join(Path(path).read_text(encoding="ascii", errors="replace").splitlines()[1:-1])
        return b"sk-" in base64.b64decode(body[:400])[:120]
    except (OSError, ValueError):
        return False


class StrictPolicy(paramiko.MissingHostKeyPolicy):
    """Accepts a key that known_hosts or the inventory names, and no other. No key is ever added here."""

    def __init__(self, way: Way, known: KnownHosts) -> None:
        self._way, self._known = way, known

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        way, blob = self._way, key.asbytes()
        shown = f"{key.get_name()} {fingerprint(blob)}"
        known = self._known.keys(way.known_as or way.host, way.port)
        if any(k.revoked and k.blob == blob for k in known):
            raise HostKeyChanged(f"it shows the revoked key {shown}\ndo not connect; ask who runs that host")
        if way.host_key is not None:
            words = way.host_key.split()
            expected = words[-1]
            if expected in (fingerprint(blob), key.get_base64()):
                return
            told = way.host_key if expected.startswith("SHA256:") else f"{words[0]} {_print_of(expected)}"
            raise HostKeyChanged(
                f"it shows {shown}, but host_key says {told}\nif the host was set up anew, correct host_key"
            )
        name = lookup_name(way.known_as or way.host, way.port)
        if any(k.blob == blob for k in known if not k.revoked):
            return
        if others := [k for k in known if not k.revoked]:
            told = ", ".join(f"{k.kind} {fingerprint(k.blob)} ({k.place})" for k in others[:3])
            fix = f"if the host was set up anew: ssh-keygen -R '{name}', then wgorch trust HOST"
            raise HostKeyChanged(f"{name} shows {shown}, but known is {told}\n{fix}")
        raise HostKeyUnknown(
            f"{name} shows the unknown key {shown}\ncompare it with the host's own, then: wgorch trust HOST"
        )


def _print_of(encoded: str) -> str:
    try:
        return fingerprint(base64.b64decode(encoded))
    except ValueError:
        return encoded[:20]


def _same_kind(offered: str, known: str) -> bool:
    return offered == known or (known == "ssh-rsa" and offered.startswith("rsa-sha2-"))


def _config() -> Any:
    """A fabric configuration that reads no file. One for each connection: it is not safe to share."""
    return fabric.Config(ssh_config=paramiko.SSHConfig(), lazy=True)


def _ask_on_terminal(prompt: str) -> str:
    if not sys.stdin.isatty():
        raise paramiko.SSHException("no terminal to ask for a passphrase")
    return getpass.getpass(prompt)


class QuickSocket(socket.socket):
    """A socket that waits neither for Nagle nor for a delayed acknowledgement, and notices a dead peer."""

    ahead = b""

    def prepare(self) -> None:
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_AFTER_S * 1000)

    def recv(self, size: int, flags: int = 0) -> bytes:
        # paramiko asks for a packet in pieces; all that has come is taken at once.
        if not self.ahead:
            # Linux forgets this after each acknowledgement; without it every exchange costs 40 ms.
            if hasattr(socket, "TCP_QUICKACK"):
                with contextlib.suppress(OSError):
                    self.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            self.ahead = super().recv(max(size, 65536), flags)
        data, self.ahead = self.ahead[:size], self.ahead[size:]
        return data


class ChannelWire:
    """A Wire over one SSH channel."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel

    def send(self, data: bytes, timeout_s: float) -> None:
        self._channel.settimeout(timeout_s)
        try:
            self._channel.sendall(data)
        except TimeoutError:
            raise
        except OSError:
            # A shell that ended at once, maybe before it was told anything: what it said is still to be read.
            transport = self._channel.get_transport()
            if transport is None or not transport.is_active():
                raise

    def receive(self, timeout_s: float) -> bytes:
        end = time.monotonic() + timeout_s
        channel = self._channel
        while True:
            # paramiko does not notice a transport that died while a receive waits, so wait in short turns.
            if channel.recv_stderr_ready():
                channel.recv_stderr(65536)
            try:
                channel.settimeout(min(1.0, max(0.01, end - time.monotonic())))
                return bytes(channel.recv(65536))
            except TimeoutError:
                transport = channel.get_transport()
                if transport is None or not transport.is_active():
                    raise ConnectionError("the SSH connection is gone") from None
                if time.monotonic() >= end:
                    raise

    def close(self) -> None:
        self._channel.close()


def scan_host_key(connections: Connections, host: str, way: Way) -> Any:
    """The key that a host shows, without trusting it and without logging in."""
    sock = connections._socket(host, way, CONNECT_TIMEOUT_S)
    transport = paramiko.Transport(sock)
    try:
        transport.banner_timeout = LOGIN_TIMEOUT_S
        transport.start_client(timeout=LOGIN_TIMEOUT_S)
        return transport.get_remote_server_key()
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise Unreachable(host, "see its host key", f"{way}: {error or type(error).__name__}") from None
    finally:
        transport.close()
