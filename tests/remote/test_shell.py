"""What every shell does around an exchange: count, log, time, and refuse once broken."""

from __future__ import annotations

import pytest

from wgorch.errors import Lost
from wgorch.remote.shell import Request, Shell, report_events


class Echo(Shell):
    """A shell whose programs print their own text."""

    def _run(self, request: Request) -> str:
        if request.program == "break":
            self.broken = True
            raise Lost(self.host, request.action, "it broke")
        return request.program

    def close(self) -> None:
        self.broken = True


def test_an_exchange_is_counted_logged_and_timed() -> None:
    log: list[tuple[str, str, str]] = []
    timed: list[str] = []
    shell = Echo("home", lambda *words: log.append(words), lambda action, _began: timed.append(action))

    assert "one" == shell.exchange("one", "greet it")
    assert [("home", "sent", "one"), ("home", "received", "one")] == log
    assert (1, ["greet it"]) == (shell.exchanges, timed)


def test_a_failed_exchange_is_counted_and_not_timed() -> None:
    timed: list[str] = []
    shell = Echo("home", timed=lambda action, _began: timed.append(action))

    with pytest.raises(Lost, match="it broke"):
        shell.exchange("break", "greet it")
    assert (1, []) == (shell.exchanges, timed)


@pytest.mark.parametrize("end", [lambda shell: shell.exchange("break", "greet it"), Echo.close])
def test_a_broken_shell_sends_nothing(end: object) -> None:
    log: list[str] = []
    shell = Echo("home", lambda _host, what, _text: log.append(what))
    try:
        end(shell)  # type: ignore[operator]
    except Lost:
        pass
    log.clear()

    with pytest.raises(Lost, match="the session is already broken"):
        shell.exchange("one", "greet it")
    assert [] == log


def test_events_are_the_lines_that_begin_with_an_at() -> None:
    events: list[str] = []
    report_events(b"@at 1\nno @event\n\n@wait \xff\n@end", events.append)

    assert ["@at 1", "@wait \ufffd", "@end"] == events
