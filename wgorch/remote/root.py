"""From a login to a root shell: by sudo or doas, with a password where one is asked for, and into a container."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import field

from wgorch.base.value import value
from wgorch.errors import Lost, Unfit, UsageError
from wgorch.remote.wire import Wire
from wgorch.state.change import quote_words

OPENING_S = 30
"""How long a login shell may take until it has become a root shell."""


_PATH = "PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"


_BECOME = (
    'A="SSH_CONNECTION=\\$1; export SSH_CONNECTION; exec /bin/sh"; why="there is neither sudo nor doas"; '
    "for by in sudo doas; do command -v $by >/dev/null 2>&1 || continue; "
    "why=$($by -n /bin/sh -c : 2>&1 </dev/null) && exec $by -n /bin/sh -c"
)


_REST = ' sh "${SSH_CONNECTION-}"; done; '


ROOT_SHELL = (
    f'exec /bin/sh -c \'{_PATH}; [ "$(id -u)" = 0 ] && exec /bin/sh; '
    f'{_BECOME} "$A"{_REST}echo "$(id -un) may not become root: $why"; exit 1\''
)
"""The one command that a login shell is given, as long as no password is needed: the same text for all that are not root's.

It has nothing in it that sh, csh and fish would read in another way. sudo drops SSH_CONNECTION, which tells by which port
people log in.
"""


PLAIN_SHELL = "exec /bin/sh"
"""The same for who logs in as root."""


def careful_shell(nonce: str, *, tty: bool = False) -> str:
    """The same for one who first listens: it says when the shell is there, and lets sudo ask, under the name of a nonce.

    `tty`: the session has a terminal, for a sudo that does not work without one.
    """
    raw = "stty raw -echo; " if tty else ""
    ready = f"echo {nonce}-root; "
    return (
        f'exec /bin/sh -c \'{raw}{_PATH}; [ "$(id -u)" = 0 ] && {{ {ready}exec /bin/sh; }}; '
        f'{_BECOME} "{ready}$A"{_REST}'
        'command -v sudo >/dev/null 2>&1 || { echo "$(id -un) may not become root: $why"; exit 1; }; '
        f'exec sudo -S -p {nonce}-ask /bin/sh -c "{ready}$A" sh "${{SSH_CONNECTION-}}" 2>&1\''
    )


class NoShell(Unfit):
    """The login ended before it became a root shell."""

    def __init__(self, host: str, problem: str) -> None:
        hint = "log in as root, or allow this user: sudo -n sh, or doas -n sh"
        super().__init__(host, "open a root shell", problem or "the login shell ended without a word", hint)


@value
class Password:
    """What sudo asks for; never in a command line, a log or a traceback."""

    text: str = field(repr=False)


def password_from(ask: Callable[[str], str] | None) -> Password | None:
    """sudo's password: from WGORCH_SUDO_PASSWORD; else, if `ask`, from the keyring, or from a person, once for all hosts."""
    text = os.environ.get("WGORCH_SUDO_PASSWORD", "")
    if not text and ask:
        text = _from_keyring() or ask("sudo's password on the hosts: ")
    if any(c in text for c in "\r\n\0"):
        raise UsageError("the sudo password contains a line break", "remove it")
    return Password(text) if text else None


def _from_keyring() -> str:
    try:
        import keyring
    except ImportError:
        return ""
    try:
        return keyring.get_password("wgorch", "sudo") or ""
    except keyring.errors.KeyringError:
        return ""


def new_nonce() -> str:
    """A word that nobody else prints."""
    return f"wgorch-{secrets.token_hex(12)}"


def become_root(host: str, wire: Wire, nonce: str, password: Password | None) -> None:
    """Wait for the root shell of `careful_shell`; the password is sent where sudo itself asks, and nowhere else.

    Raises NoShell where the login ended without one (with a terminal it may do), Unfit, Lost.
    """
    action = "open a root shell"
    heard = _Heard(host, wire, action)
    found = heard.until(f"{nonce}-root\n", f"{nonce}-ask")
    if found == 1:
        if password is None:
            hint = "--ask-sudo-password; or allow this user: sudo -n sh; or log in as root"
            raise Unfit(host, action, "sudo asks for a password", hint)
        _send(host, wire, action, password.text.encode() + b"\n")
        found = heard.until(f"{nonce}-root\n", f"{nonce}-ask")
        if found == 1:
            raise Unfit(host, action, "sudo does not take the password", "is it another one on this host?")
    if found is None:
        raise NoShell(host, heard.noise)


def enter(host: str, wire: Wire, words: Sequence[str]) -> None:
    """Turn a root shell into one inside something: ``docker exec -i web``, ``nsenter -t 1234 -n``. Raises Unfit, Lost."""
    action, nonce = f"enter with {' '.join(words)}", new_nonce()
    line = quote_words([*words, "/bin/sh", "-c", f"echo {nonce}-in; exec /bin/sh"])
    _send(host, wire, action, f"exec {line} 2>&1\n".encode())
    heard = _Heard(host, wire, action)
    if heard.until(f"{nonce}-in\n") is None:
        raise Unfit(host, action, heard.noise, "is it running, and is `enter` right?")


def _send(host: str, wire: Wire, action: str, data: bytes) -> None:
    try:
        wire.send(data, OPENING_S)
    except OSError as error:  # TimeoutError is one
        raise Lost(host, action, f"the connection broke: {error or type(error).__name__}") from None


class _Heard:
    """What came so far, up to the words waited for; what comes behind them belongs to nobody."""

    def __init__(self, host: str, wire: Wire, action: str) -> None:
        self._host, self._wire, self._wish = host, wire, action
        self._text = b""
        self._end = time.monotonic() + OPENING_S

    @property
    def noise(self) -> str:
        return self._text.decode("utf-8", "replace").strip()[-300:] or "the login shell ended without a word"

    def until(self, *words: str) -> int | None:
        """Which of the words came; None where the other end closed before."""
        while True:
            for i, word in enumerate(words):
                _, found, after = self._text.partition(word.encode())
                if found:
                    self._text = after
                    return i
            left = self._end - time.monotonic()
            try:
                if left <= 0:
                    raise TimeoutError
                data = self._wire.receive(left)
            except TimeoutError:
                raise Lost(self._host, self._wish, f"no root shell within {OPENING_S} s: {self.noise}") from None
            except OSError as error:
                raise Lost(self._host, self._wish, f"the connection broke: {error or type(error).__name__}") from None
            if not data:
                return None
            self._text = (self._text + data)[-65536:]
