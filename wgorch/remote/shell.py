"""The seam to a host: a root shell that runs one program at a time and returns what it prints."""

from __future__ import annotations

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from wgorch.base.sh import Sh
from wgorch.errors import Lost

Definitions = Mapping[str, Sh]
"""sh that defines functions or variables, by any name; a shell gets each once, and keeps it for all its programs."""

NONE: Definitions = MappingProxyType({})

SENT, RECEIVED, SESSION = "sent", "received", "session"

Log = Callable[[str, str, str], None]
"""Called with the host, one of SENT, RECEIVED and SESSION, and the text."""

OnLine = Callable[[str], None]

_event_lines = re.compile(rb"^@.*$", re.M).findall


class Request(NamedTuple):
    """The arguments of one `Shell.exchange`."""

    program: Sh
    action: str
    deadline_s: float
    on_line: OnLine | None
    requires: Definitions
    preload: Definitions
    live: bool


class Shell(ABC):
    """A root shell on a host; one exchange at a time.

    `broken`: it cannot be used any more. `exchanges`: how many were begun.
    """

    def __init__(
        self,
        host: str,
        log: Log | None = None,
        timed: Callable[[str, float], None] = lambda _action, _began: None,
    ) -> None:
        """`timed`: called after each exchange with its action and when it began."""
        self.host = host
        self.broken = False
        self.exchanges = 0
        self._log = log
        self._timed = timed

    def exchange(
        self,
        program: Sh,
        action: str,
        deadline_s: float = 30,
        on_line: OnLine | None = None,
        requires: Definitions = NONE,
        preload: Definitions = NONE,
        *,
        live: bool = False,
    ) -> str:
        """Run a program and return what it prints. Raises Lost, naming the action, if the host is gone or late.

        The program is parsed whole before its first command runs; its commands get an empty standard input, so that none
        of them reads what follows. `on_line` gets those of its lines that begin with an @.

        `live`: output is sent as it comes. Otherwise it is sent at the end and in one piece, since each piece is a packet
        of SSH, which costs both ends more than its bytes; such a program must leave no process behind that holds its
        output, and does not notice when the connection is gone.

        `requires`: the definitions that it uses. `preload`: those of a later program, sent while this one runs: more than
        14 KB at once cost TCP another round trip.
        """
        if self.broken:
            raise Lost(self.host, action, "the session is already broken")
        if self._log:
            self._log(self.host, SENT, program)
        self.exchanges += 1
        began = time.monotonic()
        output = self._run(Request(program, action, deadline_s, on_line, requires, preload, live))
        self._timed(action, began)
        if self._log:
            self._log(self.host, RECEIVED, output)
        return output

    @abstractmethod
    def _run(self, request: Request) -> str:
        """As `exchange`; marks the shell as broken where it cannot go on."""

    @abstractmethod
    def close(self) -> None:
        """End the session; the host notices at once."""


def report_events(output: bytes, on_line: OnLine) -> None:
    """Pass on the lines by which a program reports its progress; they begin with an @."""
    for line in _event_lines(output):
        on_line(line.decode("utf-8", "replace"))
