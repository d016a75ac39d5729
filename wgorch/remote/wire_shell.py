"""A shell over a wire: each program is framed by a nonce, so that no other output is taken for its own."""

from __future__ import annotations

import time
from collections.abc import Callable

from wgorch.base.sh import Sh, new_nonce, sh
from wgorch.errors import Lost
from wgorch.remote.root import NoShell
from wgorch.remote.shell import Definitions, Log, OnLine, Request, Shell, report_events
from wgorch.remote.wire import Wire

MAX_OUTPUT = 4 << 20
"""Bytes of one reply; a longer one is refused, so that no host can fill the controller's memory."""

BEFORE = b"\n" * 8
"""Sent before the first program: a start-up file of the login shell that asks a question gets an empty answer."""


class WireShell(Shell):
    """A shell at the other end of a Wire."""

    def __init__(
        self,
        host: str,
        wire: Wire,
        log: Log | None = None,
        timed: Callable[[str, float], None] = lambda _action, _began: None,
        fallback: Callable[[], Wire] | None = None,
    ) -> None:
        """`fallback`: opens another wire to a root shell, where the login of `wire` ends without one."""
        super().__init__(host, log, timed)
        self._wire = wire
        self._fallback = fallback
        self._defined: set[str] = set()

    def close(self) -> None:
        self.broken = True
        self._wire.close()

    def _run(self, request: Request) -> str:
        try:
            return self._send_and_receive(request)
        except NoShell:
            if self._fallback is None:
                self.broken = True
                raise
            self._fall_back(self._fallback)
            return self._run(request)
        except Lost:
            self.broken = True
            raise
        except TimeoutError:
            problem = f"no answer within {request.deadline_s:g} s"
        except OSError as error:
            problem = f"the connection broke: {str(error) or type(error).__name__}"
        self.broken = True
        raise Lost(self.host, request.action, problem)

    def _fall_back(self, fallback: Callable[[], Wire]) -> None:
        self._fallback = None
        self._defined.clear()
        self._wire.close()
        self.broken = True
        self._wire = fallback()
        self.broken = False

    def _send_and_receive(self, request: Request) -> str:
        nonce = new_nonce()
        end = time.monotonic() + request.deadline_s
        before = BEFORE if self.exchanges == 1 else b""
        # Nothing keeps the framed program: it is long, and there are as many as hosts.
        self._wire.send(
            before + self._undefined(request.requires) + _framed(request.program, nonce, live=request.live).encode(),
            request.deadline_s,
        )
        if later := self._undefined(request.preload):
            self._wire.send(later, request.deadline_s)
        return self._receive(FramedReply(nonce, request.on_line), request.action, end)

    def _undefined(self, definitions: Definitions) -> bytes:
        """The definitions that the shell does not have yet, which it has from now on."""
        new = [text for name, text in definitions.items() if name not in self._defined]
        self._defined |= definitions.keys()
        if new and self._log:
            self._log(self.host, "sent", "\n".join(new))
        return "".join(f"{text}\n" for text in new).encode()

    def _receive(self, reply: FramedReply, action: str, end: float) -> str:
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            data = self._wire.receive(left)
            if not data and self.exchanges == 1 and not reply.has_begun:
                raise NoShell(self.host, reply.noise[-300:])
            if not data:
                raise Lost(self.host, action, "the session ended in the middle")
            reply.add(data)
            if reply.size > MAX_OUTPUT:
                raise Lost(self.host, action, f"the answer is larger than {MAX_OUTPUT >> 20} MiB")
            if (text := reply.text()) is not None:
                return text


class FramedReply:
    """The bytes that come while a program runs: noise, the line ``NONCE begin``, its output, ``NONCE end STATUS``."""

    def __init__(self, nonce: str, on_line: OnLine | None) -> None:
        self.has_begun = False
        self._begin, self._end = f"\n{nonce} begin\n".encode(), f"\n{nonce} end ".encode()
        self._on_line = on_line
        self._data = bytearray()  # noise, and once it has begun the output
        self._scanned = self._reported = 0

    def add(self, data: bytes) -> None:
        """Add the next bytes."""
        self._data += data
        if not self.has_begun and (at := self._data.find(self._begin, max(0, self._scanned - len(self._begin)))) >= 0:
            del self._data[: at + len(self._begin)]
            self.has_begun, self._scanned = True, 0
        elif not self.has_begun:
            self._scanned = len(self._data)

    @property
    def size(self) -> int:
        return len(self._data)

    @property
    def noise(self) -> str:
        """What came before the output."""
        return "" if self.has_begun else self._data.decode("utf-8", "replace").strip()

    def text(self) -> str | None:
        """The output once it is complete; reports the events in what is new of it."""
        if not self.has_begun:
            return None
        at = self._data.find(self._end, max(0, self._scanned - len(self._end)))
        self._scanned = len(self._data) if at < 0 else at + len(self._end)
        if self._on_line:
            self._report(len(self._data) if at < 0 else at + 1, self._on_line)
        if at < 0 or self._data.find(b"\n", at + len(self._end)) < 0:
            return None
        return self._data[:at].decode("utf-8", "replace")

    def _report(self, end: int, on_line: OnLine) -> None:
        stop = self._data.rfind(b"\n", self._reported, end)
        if stop >= 0:
            report_events(bytes(self._data[self._reported : stop]), on_line)
            self._reported = stop + 1


def _framed(program: Sh, nonce: Sh, *, live: bool) -> Sh:
    """sh that runs a program and marks its output; `live`: which is sent as it comes.

    Before it and between two replies there is other output: of start-up files, the prompts of a shell on a terminal,
    of processes left in the background.
    """
    begin, end = sh("\\n{nonce} begin\\n", nonce=nonce), sh("\\n{nonce} end %s\\n", nonce=nonce)
    run = sh("(\n{program}\n) </dev/null 2>&1", program=program)
    if live:
        return sh("printf '{begin}'; {run}; printf '{end}' \"$?\"\n", begin=begin, run=run, end=end)
    # In parentheses here, too: a bash that reads this line from its own standard input confuses the two otherwise.
    return sh(
        'wgorch_output=$( {run}); printf \'{begin}%s\\n{end}\' "$wgorch_output" "$?"\n', run=run, begin=begin, end=end
    )
