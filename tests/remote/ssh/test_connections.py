"""One connection a route: shared, opened again when it broke, and tried again where sshd drops logins."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from wgorch.remote.ssh import connections as module
from wgorch.remote.ssh.connections import Connections
from wgorch.remote.ssh.failures import Failure, LoginFailed
from wgorch.remote.ssh.handshake import Login
from wgorch.remote.ssh.limits import LOGIN_ATTEMPTS, LOGINS_AT_ONCE
from wgorch.remote.ssh.route import SshRoute

GATE = SshRoute("192.0.2.9", 22, "root")


class Sock:
    """A socket that gets some bytes."""

    def __init__(self, data: bytes = b"") -> None:
        self._data = data

    def settimeout(self, _seconds: float) -> None:
        """Nothing takes time."""

    def recv(self, size: int) -> bytes:
        data, self._data = self._data[:size], self._data[size:]
        return data

    def close(self) -> None:
        """Nothing to close."""


class Connection:
    """A fabric connection whose transport opens sockets of that kind."""

    is_connected = True

    def __init__(self) -> None:
        self.transport: Any = self
        self.opened: list[tuple[str, int]] = []

    def open_channel(self, _kind: str, place: tuple[str, int], _source: object, timeout: float) -> Sock:
        self.opened.append(place)
        return Sock()

    def close(self) -> None:
        self.is_connected = False


class Logins:
    """Stands in for `log_in`: drops the first so many, and counts."""

    def __init__(self, drops: int = 0, takes_s: float = 0) -> None:
        self.drops, self.takes_s = drops, takes_s
        self.routes: list[SshRoute] = []
        self.now = self.most = 0
        self._guard = threading.Lock()

    def __call__(self, _host: str, route: SshRoute, *_rest: object) -> Login:
        with self._guard:
            self.routes.append(route)
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(self.takes_s)
        with self._guard:
            self.now -= 1
        if len(self.routes) <= self.drops:
            raise LoginFailed(Failure.DROPPED, "home", "log in", f"{route}: the server closed the connection")
        connection: Any = Connection()
        return Login(connection, "curve25519-sha256")


@pytest.fixture
def logins(monkeypatch: pytest.MonkeyPatch) -> Logins:
    found = Logins()
    monkeypatch.setattr(module, "log_in", found)
    monkeypatch.setattr(module, "connect_tcp", lambda *_args: Sock())
    monkeypatch.setattr("random.random", lambda: -0.5)  # no pause
    return found


def opened() -> Connections:
    return Connections(Path("/nonexistent"))


def test_a_connection_is_opened_once_and_again_when_it_broke(logins: Logins) -> None:
    connections = opened()
    first: Any = connections.connect("home", GATE)

    assert connections.connect("home", GATE) is first
    first.close()
    assert connections.connect("home", GATE) is not first
    assert 2 == connections.handshakes


def test_hosts_behind_a_jump_host_share_its_connection(logins: Logins) -> None:
    connections = opened()
    inner = [SshRoute(f"10.0.0.{i}", 22, "root", via=GATE) for i in range(3)]
    for route in inner:
        connections.connect("home", route)

    assert [GATE, *inner] == logins.routes
    assert [(f"10.0.0.{i}", 22) for i in range(3)] == vars(connections.connect("home", GATE))["opened"]


@pytest.mark.parametrize("drops", range(LOGIN_ATTEMPTS))
def test_a_dropped_login_is_tried_again(logins: Logins, drops: int) -> None:
    logins.drops = drops
    connections = opened()
    connections.connect("home", GATE)

    assert drops + 1 == len(logins.routes) == connections.handshakes


def test_a_server_that_drops_all_logins_is_given_up(logins: Logins) -> None:
    logins.drops = 99
    with pytest.raises(LoginFailed) as raised:
        opened().connect("home", GATE)

    assert LOGIN_ATTEMPTS == len(logins.routes)
    assert ("log in", "root@192.0.2.9: the server closed the connection") == (raised.value.action, raised.value.problem)


def test_only_so_many_logins_go_through_one_jump_host_at_once(logins: Logins) -> None:
    logins.takes_s = 0.02
    connections = opened()
    routes = [SshRoute(f"10.0.0.{i}", 22, "root", via=GATE) for i in range(3 * LOGINS_AT_ONCE)]
    threads = [threading.Thread(target=connections.connect, args=("home", route)) for route in routes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 3 * LOGINS_AT_ONCE + 1 == len(logins.routes)
    # The login to the jump host itself is made within the first of them.
    assert LOGINS_AT_ONCE >= logins.most > 1
