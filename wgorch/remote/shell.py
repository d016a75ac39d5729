"""One root shell on one host, kept open: a program goes in, its framed output comes back, within a deadline of ours."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Protocol

from wgorch.errors import Lost, Unfit

MAX_OUTPUT = 4 << 20
"""Bytes of one answer; more is refused, so that no host can fill the controller's memory."""

ROOT_SHELL = """exec /bin/sh -c '[ "$(id -u)" = 0 ] && exec /bin/sh; exec sudo -n /bin/sh -c "SSH_CONNECTION=\\$1; export SSH_CONNECTION; exec /bin/sh" sh "${SSH_CONNECTION-}"'"""
"""The one command that is ever given to a login shell: the same text for every host, whatever its shell is.

sudo drops SSH_CONNECTION, which tells by which port people log in.
"""


class Wire(Protocol):
    """The two ends of a shell's standard input and output."""

    def send(self, data: bytes, timeout_s: float) -> None:
        """Send all of it, or raise OSError."""

    def receive(self, timeout_s: float) -> bytes:
        """Some bytes; none where the other end closed. Raises TimeoutError."""

    def close(self) -> None:
        """End it."""


class Shell:
    """A shell on a host, over any Wire. One exchange at a time; whoever needs two needs two shells."""

    def __init__(
        self,
        host: str,
        wire: Wire,
        log: Callable[[str, str, str], None] | None = None,
        timed: Callable[[str, float], None] = lambda _wish, _began: None,
    ) -> None:
        self.host = host
        self._wire = wire
        self._log = log
        self._timed = timed
        self._buffer = b""
        self.exchanges = 0
        self.broken = False

    def exchange(
        self,
        program: str,
        wish: str,
        deadline_s: float = 30,
        on_line: Callable[[str], None] | None = None,
    ) -> str:
        """Run a program and return what it printed. Raises Lost when the host is gone or late, naming the wish.

        The program is parsed whole before its first command runs (it stands in parentheses), and its commands get
        an empty standard input, so that none of them can eat what follows.
        """
        if self.broken:
            raise Lost(self.host, wish, "the session is broken already")
        if self._log:
            self._log(self.host, "sent", program)
        self.exchanges += 1
        began = time.monotonic()
        output = self._answer(program, wish, deadline_s, on_line)
        self._timed(wish, began)
        if self._log:
            self._log(self.host, "received", output)
        return output

    def _answer(self, program: str, wish: str, deadline_s: float, on_line: Callable[[str], None] | None) -> str:
        """What the other end prints when it runs a program."""
        nonce = f"wgorch-{secrets.token_hex(12)}"
        framed = f"printf '\\n%s\\n' '{nonce} begin'; (\n{program}\n) </dev/null 2>&1; printf '\\n%s %s\\n' '{nonce} end' \"$?\"\n"
        end = time.monotonic() + deadline_s
        try:
            self._wire.send(framed.encode(), deadline_s)
            return self._framed(nonce, wish, end, on_line)
        except TimeoutError:
            self.broken = True
            raise Lost(self.host, wish, f"no answer within {deadline_s:g} s") from None
        except OSError as error:
            self.broken = True
            raise Lost(self.host, wish, f"the connection broke: {error or type(error).__name__}") from None
        except Lost:
            self.broken = True
            raise

    def _framed(self, nonce: str, wish: str, end: float, on_line: Callable[[str], None] | None) -> str:
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
                self._closed(wish, body)
            if body is None:
                self._buffer += data
            else:
                body += data
            if len(self._buffer) + len(body or b"") > MAX_OUTPUT:
                raise Lost(self.host, wish, f"the answer is larger than {MAX_OUTPUT >> 20} MiB")

    def _closed(self, wish: str, body: bytes | None) -> None:
        noise = self._buffer.decode("utf-8", "replace").strip()
        if body is None and self.exchanges == 1:
            saw = noise[-300:] or "the login shell ended without a word"
            raise Unfit(self.host, "open a root shell", saw, "log in as root, or allow this user: sudo -n sh")
        raise Lost(self.host, wish, "the session ended in the middle")

    @staticmethod
    def _tell(body: bytes, told: int, on_line: Callable[[str], None]) -> int:
        while (stop := body.find(b"\n", told)) >= 0:
            on_line(body[told:stop].decode("utf-8", "replace"))
            told = stop + 1
        return told

    def close(self) -> None:
        """End the shell; the host notices at once."""
        self.broken = True
        self._wire.close()
