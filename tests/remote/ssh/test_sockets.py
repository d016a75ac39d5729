"""The socket below SSH: it reads ahead, and tries each address of a name."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from wgorch.errors import Unreachable
from wgorch.remote.ssh.sockets import QuickSocket, connect_tcp


def test_what_has_come_is_read_at_once_and_handed_out_in_pieces() -> None:
    here, there = socket.socketpair()
    quick = QuickSocket(here.family, here.type, here.proto, here.detach())
    try:
        there.sendall(b"0123456789")
        assert b"0123" == quick.recv(4)
        assert b"456789" == quick.ahead
        there.close()
        assert [b"456", b"789", b""] == [quick.recv(3) for _ in range(3)]
    finally:
        quick.close()


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let a name have these addresses, of which only 192.0.2.2 answers; those that are tried."""
    tried: list[str] = []
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 22)) for address in addresses]

    def connect(_self: Any, place: tuple[str, int]) -> None:
        tried.append(place[0])
        if place[0] == "192.0.2.3":
            raise TimeoutError("timed out")
        if place[0] != "192.0.2.2":
            raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: found)
    monkeypatch.setattr(QuickSocket, "connect", connect)
    return tried


def test_the_addresses_of_a_name_are_tried_until_one_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = resolve_to(monkeypatch, "192.0.2.1", "192.0.2.2", "192.0.2.4")
    sock = connect_tcp("home", "home.example", 22, 1)

    assert ["192.0.2.1", "192.0.2.2"] == tried
    assert 1 == sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    sock.close()


@pytest.mark.parametrize(
    ("addresses", "reason"),
    [(("192.0.2.3", "192.0.2.1"), "Connection refused"), (("192.0.2.3",), "timed out"), ((), "no address")],
)
def test_where_none_answers_the_last_reason_is_reported(
    addresses: tuple[str, ...], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, *addresses)
    with pytest.raises(Unreachable) as raised:
        connect_tcp("home", "home.example", 22, 1)

    assert ("connect", f"home.example port 22: {reason} (after 0.0 s)") == (raised.value.action, raised.value.problem)


def test_a_name_that_does_not_resolve_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(Unreachable) as raised:
        connect_tcp("home", "home.example", 22, 1)

    assert ("resolve home.example", "Name or service not known") == (raised.value.action, raised.value.problem)
