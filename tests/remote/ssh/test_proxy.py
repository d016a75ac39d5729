"""A banner through a socket or a program, and the program of a ProxyCommand."""

from __future__ import annotations

import time

import pytest

from wgorch.errors import Unreachable
from wgorch.remote.ssh.proxy import ProxySocket, banner, proxy_argv
from wgorch.remote.ssh.route import SshRoute

ROUTE = SshRoute("192.0.2.9", 22, "root")


class Sock:
    """A socket that gets some bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.is_closed = False

    def settimeout(self, seconds: float) -> None:
        """Nothing takes time."""

    def recv(self, size: int) -> bytes:
        data, self._data = self._data[:size], self._data[size:]
        return data

    def close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize("data", [b"SSH-2.0-OpenSSH_9.6\r\nmore", b"SSH-2.0-" + b"x" * 999])
def test_a_banner_is_one_line(data: bytes) -> None:
    sock = Sock(data)

    assert data.split(b"\r")[0][:255].decode() == banner("home", ROUTE, sock, 1)
    assert sock.is_closed


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 400 Bad Request\r\n"])
def test_another_service_s_banner_is_an_error(data: bytes) -> None:
    with pytest.raises(Unreachable, match="no SSH banner, but b'"):
        banner("home", ROUTE, Sock(data), 1)


def test_a_proxycommand_runs_in_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/sh")
    monkeypatch.setenv("WORD", "SSH-2.0-x y")

    assert "SSH-2.0-x y" == banner("home", ROUTE, ProxySocket(proxy_argv('echo "$WORD" | cat')), 5)


def test_a_silent_proxycommand_is_waited_for_in_time() -> None:
    began = time.monotonic()
    with pytest.raises(Unreachable, match="TimeoutError"):
        banner("home", ROUTE, ProxySocket(["/bin/sh", "-c", "exec sleep 30"]), 0.2)

    assert time.monotonic() - began < 5
