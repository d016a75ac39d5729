"""The quick login, against a paramiko server at the other end of a pair of sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import paramiko
import pytest
from paramiko.common import MSG_NAMES

from wgorch.remote.ssh.login import QuickTransport, transport_class

HOST_KEY = paramiko.ECDSAKey.generate()
STRANGER, FRIEND = paramiko.ECDSAKey.generate(), paramiko.ECDSAKey.generate()


class Late(paramiko.Transport):
    """A server that accepts the service only after a key was tried, or after a while."""

    def __init__(self, sock: socket.socket, after_s: float) -> None:
        super().__init__(sock)
        self.events: list[str] = []
        self.after_s = after_s
        self.kept: Any = None

    def _send_message(self, data: Any) -> None:
        if MSG_NAMES[data.asbytes()[0]] == "service-accept":
            self.events.append("asked")
            self.kept = data
            threading.Timer(self.after_s, self.allow).start()
        else:
            super()._send_message(data)

    def allow(self) -> None:
        kept, self.kept = self.kept, None
        if kept is not None and self.active:
            self.events.append("may")
            super()._send_message(kept)

    def tried(self, key: paramiko.PKey) -> None:
        self.events.append("stranger" if key == STRANGER else "friend")
        self.allow()


class Door(paramiko.ServerInterface):
    def __init__(self, server: Late) -> None:
        self._server = server

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self._server.tried(key)
        return paramiko.AUTH_FAILED if key == STRANGER else paramiko.AUTH_SUCCESSFUL


@contextmanager
def ends(after_s: float = 10) -> Iterator[tuple[QuickTransport, Late]]:
    here, there = socket.socketpair()
    server, client = Late(there, after_s), QuickTransport(here)
    try:
        server.add_server_key(HOST_KEY)
        server.start_server(threading.Event(), Door(server))
        client.auth_timeout = 5
        client.start_client(timeout=5)
        yield client, server
    finally:
        client.close()
        server.close()


def test_the_key_is_sent_before_the_server_accepts_the_service() -> None:
    with ends() as (client, server):
        assert [] == client.auth_publickey("root", FRIEND)
        assert client.is_authenticated()
        assert ["asked", "friend", "may"] == server.events


class Elsewhere(paramiko.PKey):
    """A key that signs elsewhere, as an agent's does."""

    name = FRIEND.get_name()

    def get_name(self) -> str:
        return FRIEND.get_name()

    def asbytes(self) -> bytes:
        return FRIEND.asbytes()

    def sign_ssh_data(self, data: bytes, algorithm: str | None = None) -> Any:
        return FRIEND.sign_ssh_data(data, algorithm)


@pytest.mark.parametrize("key", [paramiko.RSAKey.generate(2048), Elsewhere()], ids=["rsa", "agent"])
def test_a_key_that_depends_on_the_server_or_may_take_its_time_waits(key: paramiko.PKey) -> None:
    with ends(after_s=0.2) as (client, server):
        with pytest.raises(paramiko.AuthenticationException):
            client.auth_publickey("root", STRANGER)
        server.events.clear()
        client.auth_publickey("root", key)
        assert client.is_authenticated()
        assert ["asked", "may", "friend"] == server.events


def test_the_service_is_requested_once_for_all_keys() -> None:
    with ends() as (client, server):
        for _ in range(2):
            with pytest.raises(paramiko.AuthenticationException):
                client.auth_publickey("root", STRANGER)
        client.auth_publickey("root", FRIEND)
        assert client.is_authenticated()
        assert ["asked", "stranger", "may", "stranger", "friend"] == server.events


def test_a_key_that_cannot_sign_is_reported_and_the_next_one_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        raise paramiko.SSHException("the agent says no")

    broken = paramiko.ECDSAKey.generate()
    monkeypatch.setattr(broken, "sign_ssh_data", refuse)
    with ends() as (client, server):
        with pytest.raises(paramiko.SSHException, match="the agent says no"):
            client.auth_publickey("root", broken)
        client.auth_publickey("root", FRIEND)
        assert client.is_authenticated()
        assert ["asked", "friend", "may"] == server.events


def test_after_the_server_closes_no_key_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    with ends() as (client, server):
        server.close()
        client.join(5)
        monkeypatch.setattr(FRIEND, "sign_ssh_data", lambda *_args: pytest.fail("it was asked to sign"))
        with pytest.raises(paramiko.SSHException, match="No existing session"):
            client.auth_publickey("root", FRIEND)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, QuickTransport), ("", QuickTransport), ("0", QuickTransport), ("1", paramiko.Transport)],
)
def test_the_environment_turns_the_quick_login_off(
    value: str | None, expected: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value is None:
        monkeypatch.delenv("WGORCH_PLAIN_LOGIN", raising=False)
    else:
        monkeypatch.setenv("WGORCH_PLAIN_LOGIN", value)

    assert expected is transport_class()
