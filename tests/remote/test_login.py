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

from wgorch.remote.ssh import QuickTransport

HOST_KEY = paramiko.ECDSAKey.generate()
STRANGER, FRIEND = paramiko.ECDSAKey.generate(), paramiko.ECDSAKey.generate()


class Late(paramiko.Transport):
    """A server that says that one may log in only when somebody has tried to."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.heard: list[str] = []
        self.kept: Any = None

    def _send_message(self, data: Any) -> None:
        if MSG_NAMES[data.asbytes()[0]] == "service-accept":
            self.heard.append("asked")
            self.kept = data
        else:
            super()._send_message(data)

    def tried(self, key: paramiko.PKey) -> None:
        self.heard.append("friend" if key == FRIEND else "stranger")
        if self.kept is not None:
            super()._send_message(self.kept)
        self.kept = None


class Door(paramiko.ServerInterface):
    def __init__(self, server: Late) -> None:
        self._server = server

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self._server.tried(key)
        return paramiko.AUTH_SUCCESSFUL if (username, key) == ("root", FRIEND) else paramiko.AUTH_FAILED


@contextmanager
def ends() -> Iterator[tuple[QuickTransport, Late]]:
    here, there = socket.socketpair()
    server, client = Late(there), QuickTransport(here)
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
        assert ["asked", "friend"] == server.heard


def test_one_asks_once_for_all_keys() -> None:
    with ends() as (client, server):
        for _ in range(2):
            with pytest.raises(paramiko.AuthenticationException):
                client.auth_publickey("root", STRANGER)
        client.auth_publickey("root", FRIEND)
        assert client.is_authenticated()
        assert ["asked", "stranger", "stranger", "friend"] == server.heard


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
        assert ["asked", "friend"] == server.heard
