"""A session on a worker, without a cluster: what crosses the border between a RemoteShell and its Session."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from wgorch.errors import Changed, HostError, Lost, Unfit, Unreachable
from wgorch.remote import cluster
from wgorch.remote.cluster import RemoteShell, Session
from wgorch.remote.root import NoShell
from wgorch.remote.shell import Request, Shell


class Answers(Shell):
    """A shell on the worker; its program is an error's name, or text to print."""

    def _run(self, request: Request) -> str:
        kinds = {kind.__name__: kind for kind in (Unreachable, Unfit, Lost, Changed)}
        if request.program == "NoShell":
            raise NoShell(self.host, "no sudo")
        if kind := kinds.get(request.program):
            raise kind(self.host, request.action, "it is off", "switch it on")
        return f"{request.program} {dict(request.requires)} {dict(request.preload)} {request.live} {request.deadline_s}"

    def close(self) -> None:
        """Nothing to close."""


class WorkerFleet:
    """The fleet of a worker."""

    handshakes = 2

    def __init__(self, hosts: Mapping[str, Any], **_options: Any) -> None:
        self.hosts = hosts
        self.checked: list[tuple[str, float]] = []
        self.is_closed = False

    def open(self, name: str) -> Shell:
        return Answers(name)

    def session(self, _name: str) -> None:
        """No host has one."""

    def check_ssh(self, name: str, timeout_s: float) -> None:
        self.checked.append((name, timeout_s))

    def close(self) -> None:
        self.is_closed = True


class Future:
    def __init__(self, value: Any) -> None:
        self._value = value

    def result(self, timeout: float) -> Any:
        if isinstance(self._value, Exception):
            raise self._value
        return self._value


class LocalActor:
    """Calls a Session as Dask's Actor does."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __getattr__(self, method: str) -> Any:
        def call(*args: Any) -> Future:
            try:
                return Future(asyncio.run(getattr(self._session, method)(*args)))
            except Exception as error:  # noqa: BLE001 - it travels as a value
                return Future(error)

        return call


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr(cluster, "Fleet", WorkerFleet)
    return Session({}, "home")


@pytest.fixture
def shell(session: Session) -> RemoteShell:
    actor: Any = LocalActor(session)
    return RemoteShell("home", actor, None, lambda _action, _began: None)


def test_a_program_travels_with_all_its_options(shell: RemoteShell) -> None:
    options: dict[str, Any] = {"requires": {"a": "a=1"}, "preload": {"b": "b=2"}, "live": True}

    assert "@at 1 {'a': 'a=1'} {'b': 'b=2'} True 7" == shell.exchange("@at 1", "greet it", 7, **options)


def test_events_are_reported_at_the_end(shell: RemoteShell) -> None:
    events: list[str] = []
    shell.exchange("@at 1\n@at 2\nend", "greet it", on_line=events.append)

    assert ["@at 1", "@at 2"] == events


@pytest.mark.parametrize("kind", [Unreachable, Unfit, Lost])
def test_an_error_keeps_its_kind_and_words(shell: RemoteShell, kind: type[HostError]) -> None:
    with pytest.raises(HostError) as raised:
        shell.exchange(kind.__name__, "greet it")

    error = raised.value
    assert (kind, "home", "greet it", "it is off", "switch it on") == (
        type(error),
        error.host,
        error.action,
        error.problem,
        error.hint,
    )
    assert shell.broken == (kind is Lost)


@pytest.mark.parametrize(("program", "kind"), [("NoShell", Unfit), ("Changed", HostError)])
def test_another_error_travels_as_its_nearest_kind(shell: RemoteShell, program: str, kind: type[HostError]) -> None:
    with pytest.raises(HostError) as raised:
        shell.exchange(program, "greet it")

    assert kind is type(raised.value)


def test_every_method_that_is_called_exists(shell: RemoteShell, session: Session) -> None:
    assert (2, None) == shell.call("connect", "log in", 1)
    assert shell.call("check_ssh", "reconnect by SSH", 5, 5.0) is None
    assert [("home", 5.0)] == session._fleet.checked  # type: ignore[attr-defined]
    shell.close()
    assert session._fleet.is_closed  # type: ignore[attr-defined]


def test_a_worker_that_does_not_answer_loses_its_host() -> None:
    class Dead:
        def exchange(self, *_args: Any) -> Future:
            return Future(TimeoutError())

    actor: Any = Dead()
    shell = RemoteShell("home", actor, None, lambda _action, _began: None)

    with pytest.raises(Lost, match=r"no answer from its worker \(TimeoutError\)"):
        shell.exchange("x", "greet it")
    assert shell.broken
    with pytest.raises(Lost, match="already broken"):
        shell.exchange("x", "greet it")
