"""One root shell on one host, kept open: a program goes in, its framed output comes back, within a deadline of ours."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from wgorch.errors import Lost
from wgorch.remote.root import NoShell
from wgorch.remote.wire import Wire

MAX_OUTPUT = 4 << 20
"""Bytes of one answer; more is refused, so that no host can fill the controller's memory."""

BEFORE = b"\n" * 8
"""Sent before the first program: a start-up file of the login shell that asks something gets an empty answer."""

Definitions = Mapping[str, str]
"""sh that defines functions or variables, by any name; a shell is told each once, and keeps it for all its programs."""

NONE: Definitions = MappingProxyType({})


events = re.compile(rb"^@.*$", re.M).findall
"""The lines in which a program tells what it is at."""


class Shell:
    """A shell on a host, over any Wire. One exchange at a time; whoever needs two needs two shells."""

    def __init__(
        self,
        host: str,
        wire: Wire,
        log: Callable[[str, str, str], None] | None = None,
        timed: Callable[[str, float], None] = lambda _wish, _began: None,
        otherwise: Callable[[], Wire] | None = None,
    ) -> None:
        """`otherwise`: another way to a root shell, where the login of `wire` ends without one."""
        self.host = host
        self._otherwise = otherwise
        self._wire = wire
        self._log = log
        self._timed = timed
        self._buffer = b""
        self._told: set[str] = set()
        self.exchanges = 0
        self.broken = False

    def exchange(
        self,
        program: str,
        action: str,
        deadline_s: float = 30,
        on_line: Callable[[str], None] | None = None,
        needs: Definitions = NONE,
        ahead: Definitions = NONE,
        *,
        live: bool = False,
    ) -> str:
        """Run a program and return what it printed. Raises Lost when the host is gone or late, naming the wish.

        The program is parsed whole before its first command runs, and its commands get an empty standard input, so that
        none of them can eat what follows. `on_line` hears those of its lines that begin with an @. `live`: as they come;
        else the host sends all at the end and in one piece, since each piece is a packet of SSH, which costs both ends more
        than what is in it; such a program must leave nobody behind who holds its output, and does not notice when nobody
        hears it any more. `needs`: the definitions that it uses; `ahead`: those of a later one, which are on their way while
        this one runs: what is longer than 14 KB costs TCP another round trip.
        """
        if self.broken:
            raise Lost(self.host, action, "the session is broken already")
        if self._log:
            self._log(self.host, "sent", program)
        self.exchanges += 1
        began = time.monotonic()
        output = self._answer(program, action, deadline_s, on_line, needs, ahead, live)
        self._timed(action, began)
        if self._log:
            self._log(self.host, "received", output)
        return output

    def _answer(
        self,
        program: str,
        action: str,
        deadline_s: float,
        on_line: Callable[[str], None] | None,
        needs: Definitions,
        ahead: Definitions,
        live: bool,
    ) -> str:
        """What the other end prints when it runs a program."""
        nonce = f"wgorch-{secrets.token_hex(12)}"
        framed = _framed(program, nonce, live=live)
        end = time.monotonic() + deadline_s
        try:
            before = BEFORE if self.exchanges == 1 else b""
            self._wire.send(before + self._untold(needs) + framed.encode(), deadline_s)
            del framed  # long, and as many as there are hosts
            if later := self._untold(ahead):
                self._wire.send(later, deadline_s)
            return self._heard(nonce, action, end, on_line)
        except NoShell:
            if self._otherwise is None:
                self.broken = True
                raise
            another, self._otherwise, self._buffer = self._otherwise, None, b""
            self._told.clear()
            self._wire.close()
            self.broken = True
            self._wire = another()
            self.broken = False
            return self._answer(program, action, deadline_s, on_line, needs, ahead, live)
        except TimeoutError:
            self.broken = True
            raise Lost(self.host, action, f"no answer within {deadline_s:g} s") from None
        except OSError as error:
            self.broken = True
            raise Lost(self.host, action, f"the connection broke: {error or type(error).__name__}") from None
        except Lost:
            self.broken = True
            raise

    def _untold(self, definitions: Definitions) -> bytes:
        new = [text for name, text in definitions.items() if name not in self._told]
        self._told |= definitions.keys()
        if new and self._log:
            self._log(self.host, "sent", "\n".join(new))
        return "".join(f"{text}\n" for text in new).encode()

    def _heard(self, nonce: str, action: str, end: float, on_line: Callable[[str], None] | None) -> str:
        begin = f"\n{nonce} begin\n".encode()
        finish = f"\n{nonce} end ".encode()
        body: bytes | None = None
        told = scanned = 0
        while True:
            if body is None:
                at = self._buffer.find(begin)
                if at >= 0:
                    body, self._buffer = self._buffer[at + len(begin) :], b""
            if body is not None:
                at = body.find(finish, max(0, scanned - len(finish)))
                scanned = len(body) if at < 0 else at + len(finish)
                if on_line:
                    told = self._tell(body if at < 0 else body[: at + 1], told, on_line)
                if at >= 0 and b"\n" in body[at + len(finish) :]:
                    _, _, self._buffer = body[at + len(finish) :].partition(b"\n")
                    return body[:at].decode("utf-8", "replace")
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            data = self._wire.receive(left)
            if not data:
                self._closed(action, body)
            if body is None:
                self._buffer += data
            else:
                body += data
            if len(self._buffer) + len(body or b"") > MAX_OUTPUT:
                raise Lost(self.host, action, f"the answer is larger than {MAX_OUTPUT >> 20} MiB")

    def _closed(self, action: str, body: bytes | None) -> None:
        noise = self._buffer.decode("utf-8", "replace").strip()
        if body is None and self.exchanges == 1:
            raise NoShell(self.host, noise[-300:])
        raise Lost(self.host, action, "the session ended in the middle")

    @staticmethod
    def _tell(body: bytes, told: int, on_line: Callable[[str], None]) -> int:
        stop = body.rfind(b"\n", told)
        if stop < 0:
            return told
        for line in events(body[told:stop]):
            on_line(line.decode("utf-8", "replace"))
        return stop + 1

    def close(self) -> None:
        """End the shell; the host notices at once."""
        self.broken = True
        self._wire.close()


def _framed(program: str, nonce: str, *, live: bool) -> str:
    """sh that runs a program, and says where its output begins and ends; `live`: it is sent as it comes.

    Before it, and between two answers, stands what nobody asked for: what start-up files say, what a shell on a terminal
    prompts with, what a process says that somebody left behind.
    """
    begin, end = f"\\n{nonce} begin\\n", f"\\n{nonce} end %s\\n"
    run = f"(\n{program}\n) </dev/null 2>&1"
    if live:
        return f"printf '{begin}'; {run}; printf '{end}' \"$?\"\n"
    # In parentheses here, too: else a bash, which reads this line from its own standard input, mixes up the two.
    return f'wgorch_said=$( {run}); printf \'{begin}%s\\n{end}\' "$wgorch_said" "$?"\n'
