"""Logging in, against a server of paramiko's at the other end of a pair of sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import paramiko
import pytest
from paramiko.common import MSG_NAMES

from wgorch.remote.ssh.login import QuickTransport

HOST_KEY = paramiko.ECDSAKey.generate()
STRANGER, FRIEND = paramiko.ECDSAKey.generate(), paramiko.ECDSAKey.generate()


class Late(paramiko.Transport):
    """A server that says that one may log in when somebody has tried to, or after a while."""

    def __init__(self, sock: socket.socket, after_s: float) -> None:
        super().__init__(sock)
        self.heard: list[str] = []
        self.after_s = after_s
        self.kept: Any = None

    def _send_message(self, data: Any) -> None:
        if MSG_NAMES[data.asbytes()[0]] == "service-accept":
            self.heard.append("asked")
            self.kept = data
            threading.Timer(self.after_s, self.allow).start()
        else:
            super()._send_message(data)

    def allow(self) -> None:
        kept, self.kept = self.kept, None
        if kept is not None and self.active:
            self.heard.append("may")
            super()._send_message(kept)

    def tried(self, key: paramiko.PKey) -> None:
        self.heard.append("stranger" if key == STRANGER else "friend")
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


def test_who_we_are_is_told_before_the_server_says_that_we_may() -> None:
    with ends() as (client, server):
        assert [] == client.auth_publickey("root", FRIEND)
        assert client.is_authenticated()
        assert ["asked", "friend", "may"] == server.heard


class Elsewhere(paramiko.PKey):
    """A key that somebody else signs with, as an agent does."""

    name = FRIEND.get_name()

    def get_name(self) -> str:
        return FRIEND.get_name()

    def asbytes(self) -> bytes:
        return FRIEND.asbytes()

    def sign_ssh_data(self, data: bytes, algorithm: str | None = None) -> Any:
        return FRIEND.sign_ssh_data(data, algorithm)


@pytest.mark.parametrize("key", [paramiko.RSAKey.generate(2048), Elsewhere()], ids=["rsa", "agent"])
def test_a_key_that_needs_the_servers_word_or_takes_its_time_waits(key: paramiko.PKey) -> None:
    with ends(after_s=0.2) as (client, server):
        with pytest.raises(paramiko.AuthenticationException):
            client.auth_publickey("root", STRANGER)
        server.heard.clear()
        client.auth_publickey("root", key)
        assert client.is_authenticated()
        assert ["asked", "may", "friend"] == server.heard


def test_one_asks_once_for_all_keys() -> None:
    with ends() as (client, server):
        for _ in range(2):
            with pytest.raises(paramiko.AuthenticationException):
                client.auth_publickey("root", STRANGER)
        client.auth_publickey("root", FRIEND)
        assert client.is_authenticated()
        assert ["asked", "stranger", "may", "stranger", "friend"] == server.heard


def test_a_key_that_cannot_sign_is_told_and_the_next_one_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        raise paramiko.SSHException("the agent says no")

    broken = paramiko.ECDSAKey.generate()
    monkeypatch.setattr(broken, "sign_ssh_data", refuse)
    with ends() as (client, server):
        with pytest.raises(paramiko.SSHException, match="the agent says no"):
            client.auth_publickey("root", broken)
        client.auth_publickey("root", FRIEND)
        assert client.is_authenticated()
        assert ["asked", "friend", "may"] == server.heard


def test_who_is_hung_up_on_signs_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    with ends() as (client, server):
        server.close()
        client.join(5)
        monkeypatch.setattr(FRIEND, "sign_ssh_data", lambda *_args: pytest.fail("it was asked to sign"))
        with pytest.raises(paramiko.SSHException, match="No existing session"):
            client.auth_publickey("root", FRIEND)
