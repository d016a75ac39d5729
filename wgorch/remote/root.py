"""From a login to a root shell: by sudo or doas, with a password where sudo asks for one, and into a container."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import field

from wgorch.base.sh import EMPTY, Sh, new_nonce, quote_words, sh
from wgorch.base.value import value
from wgorch.errors import Lost, Unfit, UsageError
from wgorch.host.programs import in_one_line
from wgorch.remote.answers import from_keyring
from wgorch.remote.wire import Wire

OPENING_S = 30
"""How long a login shell may take to become a root shell."""

MAX_NOISE = 65536
"""Bytes of a login shell's output that are kept while a marker is waited for."""

PLAIN_SHELL = sh("exec /bin/sh")
"""The command for a login as root."""

ACTION = "open a root shell"

NO_OUTPUT = "the login shell exited without output"

_REFUSE = sh('echo "$(id -un) may not become root: $why"; exit 1')


def root_shell() -> Sh:
    """The command for any other login, where no password is needed; in one line, since csh takes no break in quotes."""
    words = sh("ready=:; {become} {refuse}", become=in_one_line("become_root.sh"), refuse=_REFUSE)
    return sh("exec /bin/sh -c '{words}'", words=words)


def careful_shell(nonce: Sh, *, tty: bool = False) -> Sh:
    """The same, but it prints NONCE-root when the root shell is there, and lets sudo ask for a password with NONCE-ask.

    `tty`: the session has a terminal, for a sudo that requires one.
    """
    return sh(
        "exec /bin/sh -c '{raw}ready=\"echo {nonce}-root\"; prompt={nonce}-ask; {become} {password} {refuse}'",
        raw=sh("stty raw -echo; ") if tty else EMPTY,
        nonce=nonce,
        become=in_one_line("become_root.sh"),
        password=in_one_line("sudo_password.sh"),
        refuse=_REFUSE,
    )


class NoShell(Unfit):
    """The login ended before it became a root shell."""

    def __init__(self, host: str, problem: str) -> None:
        hint = "log in as root, or allow this user: sudo -n sh, or doas -n sh"
        super().__init__(host, ACTION, problem or NO_OUTPUT, hint)


@value
class Password:
    """A sudo password; never in a command line, a log or a traceback."""

    text: str = field(repr=False)


def password_from(ask: Callable[[str], str] | None) -> Password | None:
    """The sudo password of all hosts: WGORCH_SUDO_PASSWORD; if `ask` is given, else the keyring's, else what it returns."""
    text = os.environ.get("WGORCH_SUDO_PASSWORD", "")
    if not text and ask:
        text = from_keyring("sudo") or ask("sudo password on the hosts: ")
    if any(c in text for c in "\r\n\0"):
        raise UsageError("the sudo password contains a line break", "give it without one")
    return Password(text) if text else None


def become_root(host: str, wire: Wire, nonce: str, password: Password | None) -> None:
    """Wait for the root shell of `careful_shell`; send the password only when sudo itself asks for it.

    Raises NoShell where the login ended without one (with a terminal it may succeed), Unfit, Lost.
    """
    reader = _MarkerReader(host, wire, ACTION)
    ready, asked = f"{nonce}-root\n", f"{nonce}-ask"
    marker = reader.until(ready, asked)
    if marker == asked:
        if password is None:
            hint = "--ask-sudo-password; or allow this user: sudo -n sh; or log in as root"
            raise Unfit(host, ACTION, "sudo asks for a password", hint)
        _send(host, wire, ACTION, password.text.encode() + b"\n")
        marker = reader.until(ready, asked)
        if marker == asked:
            raise Unfit(host, ACTION, "sudo rejected the password", "check this user's password on this host")
    if marker is None:
        raise NoShell(host, reader.noise)


def enter(host: str, wire: Wire, words: Sequence[str]) -> None:
    """Continue a root shell inside something: ``docker exec -i web``, ``nsenter -t 1234 -n``. Raises Unfit, Lost."""
    action, nonce = f"run {' '.join(words)}", new_nonce()
    line = quote_words([*words, "/bin/sh", "-c", sh("echo {nonce}-in; exec /bin/sh", nonce=nonce)])
    _send(host, wire, action, sh("exec {line} 2>&1\n", line=line).encode())
    reader = _MarkerReader(host, wire, action)
    if reader.until(f"{nonce}-in\n") is None:
        raise Unfit(host, action, reader.noise, "check that it is running, and `enter` in the inventory")


def _send(host: str, wire: Wire, action: str, data: bytes) -> None:
    try:
        wire.send(data, OPENING_S)
    except OSError as error:  # TimeoutError is one
        raise Lost(host, action, f"the connection broke: {str(error) or type(error).__name__}") from None


class _MarkerReader:
    """Reads a login shell's output up to a marker, within OPENING_S."""

    def __init__(self, host: str, wire: Wire, action: str) -> None:
        self._host, self._wire, self._action = host, wire, action
        self._text = b""
        self._end = time.monotonic() + OPENING_S

    @property
    def noise(self) -> str:
        """The end of what came instead of a marker."""
        return self._text.decode("utf-8", "replace").strip()[-300:] or NO_OUTPUT

    def until(self, *markers: str) -> str | None:
        """The marker that came; None at end of file. Raises Lost."""
        while True:
            for marker in markers:
                _, found, after = self._text.partition(marker.encode())
                if found:
                    self._text = after
                    return marker
            data = self._receive()
            if not data:
                return None
            self._text = (self._text + data)[-MAX_NOISE:]

    def _receive(self) -> bytes:
        left = self._end - time.monotonic()
        try:
            if left <= 0:
                raise TimeoutError
            return self._wire.receive(left)
        except TimeoutError:
            raise Lost(self._host, self._action, f"no root shell within {OPENING_S} s: {self.noise}") from None
        except OSError as error:
            problem = f"the connection broke: {str(error) or type(error).__name__}"
            raise Lost(self._host, self._action, problem) from None
