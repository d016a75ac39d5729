"""A login against servers at the other end of a pair of sockets: which of them are tried again, and what is reported."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import paramiko
import pytest

from wgorch.remote.ssh import handshake
from wgorch.remote.ssh.failures import Failure, LoginFailed
from wgorch.remote.ssh.handshake import log_in
from wgorch.remote.ssh.identities import Identities, Identity
from wgorch.remote.ssh.known_hosts import KnownHosts, fingerprint
from wgorch.remote.ssh.route import SshRoute

HOST_KEY, KEY = paramiko.ECDSAKey.generate(), paramiko.ECDSAKey.generate()
ROUTE = SshRoute("192.0.2.1", 22, "root")


class Keys(Identities):
    """Some keys, in place of files and an agent."""

    def __init__(self, *keys: paramiko.PKey) -> None:
        super().__init__([])
        self._keys = keys

    def of(self, route: SshRoute) -> Iterator[Identity]:
        yield from (Identity(f"key{i}", key) for i, key in enumerate(self._keys))


def known(*keys: paramiko.PKey) -> KnownHosts:
    found = KnownHosts()
    found.read("".join(f"192.0.2.1 {k.get_name()} {k.get_base64()}\n" for k in keys), "known_hosts")
    return found


Server = Callable[[socket.socket], None]

OPEN: list[socket.socket] = []
"""Both ends of every attempt, closed when its test has ended."""


@pytest.fixture(autouse=True)
def close_sockets() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


def attempt(server: Server, identities: Identities | None = None, hosts: KnownHosts | None = None) -> Any:
    """Log in to a server that runs in a thread."""
    here, there = socket.socketpair()
    OPEN.extend((here, there))
    thread = threading.Thread(target=server, args=(there,), daemon=True)
    thread.start()
    try:
        return log_in("home", ROUTE, here, hosts or known(HOST_KEY), identities or Keys(KEY)).connection
    except BaseException:
        here.close()
        raise


# --- servers that are none


def closes(sock: socket.socket) -> None:
    sock.close()


def closes_after(text: bytes) -> Server:
    def server(sock: socket.socket) -> None:
        sock.sendall(text)
        sock.recv(4096)
        sock.close()

    return server


def resets(sock: socket.socket) -> None:
    """As a TCP reset looks from here: unread bytes are discarded."""
    time.sleep(0.2)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.mark.parametrize(
    "server",
    [
        closes,
        resets,
        closes_after(b"Not allowed at this time\r\n"),
        closes_after(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        closes_after(b"SSH-2.0-OpenSSH_9.6\r\n"),
    ],
    ids=["at once", "reset", "a line of text", "a web server", "after its banner"],
)
def test_a_server_that_closes_before_it_proves_its_identity_is_tried_again(server: Server) -> None:
    with pytest.raises(LoginFailed, match=r"root@192\.0\.2\.1: the server closed the connection") as raised:
        attempt(server)

    assert Failure.DROPPED is raised.value.failure


def says(text: bytes) -> Server:
    def server(sock: socket.socket) -> None:
        sock.sendall(text)
        with contextlib.suppress(OSError):
            while sock.recv(4096):
                pass

    return server


@pytest.mark.parametrize(
    "text", [b"SSH-1.5-old\r\n", b"SSH-nothing\r\n", b"banner\r\n" * 101], ids=["SSH 1", "no version", "much text"]
)
def test_a_server_that_speaks_something_else_is_not_tried_again(text: bytes) -> None:
    with pytest.raises(LoginFailed) as raised:
        attempt(says(text))

    assert "log in" == raised.value.action
    assert raised.value.problem.startswith("root@192.0.2.1: ")


@pytest.mark.parametrize(
    "text", [b"", b"SSH-2.0-slow\r\n", b"one line\r\n"], ids=["silent", "after its banner", "text"]
)
def test_a_silent_server_is_waited_for_once(text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, "LOGIN_TIMEOUT_S", 1)
    monkeypatch.setattr(handshake, "IDLE_S", 0.1)

    with pytest.raises(LoginFailed) as raised:
        attempt(says(text))

    assert ("log in", "root@192.0.2.1: no answer within 1 s") == (raised.value.action, raised.value.problem)


# --- servers that are some


class Door(paramiko.ServerInterface):
    """Lets in the one key, and hangs up after so many others."""

    def __init__(self, transport: paramiko.Transport, attempts: int = 9) -> None:
        self._transport, self._left = transport, attempts

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self._left -= 1
        if self._left < 0:
            self._transport.close()
        return paramiko.AUTH_SUCCESSFUL if key == KEY else paramiko.AUTH_FAILED


def sshd(attempts: int = 9, key: paramiko.PKey = HOST_KEY) -> Server:
    def server(sock: socket.socket) -> None:
        transport = paramiko.Transport(sock)
        transport.add_server_key(key)
        with contextlib.suppress(Exception):
            transport.start_server(server=Door(transport, attempts))
        time.sleep(5)

    return server


@pytest.mark.parametrize("plain", ["", "0", "1"])
def test_a_known_server_lets_a_known_key_in(plain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WGORCH_PLAIN_LOGIN", plain)
    connection = attempt(sshd())

    assert connection.transport.is_authenticated()
    assert (type(connection.transport) is paramiko.Transport) == (plain == "1")
    connection.close()


def test_an_unknown_host_key_gets_no_login() -> None:
    with pytest.raises(LoginFailed) as raised:
        attempt(sshd(), hosts=known(paramiko.ECDSAKey.generate()))

    assert "verify host key" == raised.value.action
    assert fingerprint(HOST_KEY.asbytes()) in raised.value.problem


def test_a_refused_login_names_the_keys_that_were_tried() -> None:
    others = [paramiko.ECDSAKey.generate() for _ in range(2)]
    with pytest.raises(LoginFailed) as raised:
        attempt(sshd(), Keys(*others))

    error = raised.value
    expected = "192.0.2.1 refused: key0 (ecdsa-sha2-nistp256), key1 (ecdsa-sha2-nistp256)"
    assert ("log in as root", expected) == (error.action, error.problem)


def test_without_a_key_there_is_none_to_try() -> None:
    identities = Keys()
    identities.locked.append("~/.ssh/id_ed25519")
    identities.unusable.append("~/.ssh/id_dsa is of a kind that paramiko does not support")
    with pytest.raises(LoginFailed) as raised:
        attempt(sshd(), identities)

    assert raised.value.problem == (
        "192.0.2.1 refused: no key was found to try; not unlocked: ~/.ssh/id_ed25519; "
        "not tried: ~/.ssh/id_dsa is of a kind that paramiko does not support"
    )
    assert "ssh-add" in raised.value.hint


def test_a_server_that_disconnects_after_some_keys_is_reported_as_such() -> None:
    others = [paramiko.ECDSAKey.generate() for _ in range(5)]
    with pytest.raises(LoginFailed) as raised:
        attempt(sshd(attempts=2), Keys(*others))

    assert raised.value.problem.startswith("192.0.2.1 disconnected after ")
    assert "MaxAuthTries" in raised.value.hint


def test_the_kind_of_key_that_is_known_is_asked_for() -> None:
    """A server with several keys would present the one of the client's first choice."""
    other = paramiko.RSAKey.generate(2048)

    def server(sock: socket.socket) -> None:
        transport = paramiko.Transport(sock)
        for key in (other, HOST_KEY):
            transport.add_server_key(key)
        with contextlib.suppress(Exception):
            transport.start_server(server=Door(transport))
        time.sleep(5)

    connection = attempt(server)
    assert HOST_KEY == connection.transport.get_remote_server_key()
    connection.close()
