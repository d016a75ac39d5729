"""What SSH asks a person, each once a run: passphrases of keys, passwords, one-time codes."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

Ask = Callable[[str], str | None]
"""Prompts without echo; None where there is no terminal."""


class Answers:
    """Asks on the terminal, and remembers. `password`: a password to log in by is wanted (--ask-ssh-password)."""

    ATTEMPTS = 3
    """Times that a passphrase is asked for."""

    def __init__(self, ask: Ask | None = None, *, password: bool = False) -> None:
        self.allows_password = password
        self._ask = ask or ask_on_terminal
        self._given: dict[str, str | None] = {}
        self._guard = threading.RLock()

    def passphrase(self, path: str, attempt: int = 0) -> str | None:
        """The passphrase of a key file; `attempt`: how many were wrong."""
        return self._once(f"Passphrase for {path}: ", f"{path} {attempt}")

    def login(self, prompt: str) -> str | None:
        """The answer to a server's prompt, the same for all servers that prompt so. None: not to be answered."""
        if not self.allows_password:
            return None
        text = " ".join(prompt.split()) or "Password:"
        if "password" in text.lower():
            return self._once("SSH password on the hosts: ", "password", self._password)
        return self._once(f"{text} ", text.lower())

    @property
    def has_terminal(self) -> bool:
        """True if a person can be asked."""
        return self._ask is ask_on_terminal and sys.stdin.isatty()

    def _once(self, prompt: str, key: str, known: Callable[[], str | None] = lambda: None) -> str | None:
        with self._guard:
            if key not in self._given:
                self._given[key] = known() or self._ask(prompt)
            return self._given[key]

    @staticmethod
    def _password() -> str | None:
        return os.environ.get("WGORCH_SSH_PASSWORD") or from_keyring("ssh")


def from_keyring(name: str) -> str | None:
    """A secret of wgorch's in the keyring; None if there is none."""
    try:
        import keyring
    except ImportError:
        return None
    try:
        return keyring.get_password("wgorch", name) or None
    except keyring.errors.KeyringError:
        return None


def ask_on_terminal(prompt: str) -> str | None:
    """Prompt without echo; None where standard input is no terminal."""
    import getpass

    return getpass.getpass(prompt) if sys.stdin.isatty() else None
