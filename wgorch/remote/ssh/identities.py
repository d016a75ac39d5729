"""SSH keys to log in with: from files and from an agent, in OpenSSH's order."""

from __future__ import annotations

import base64
import contextlib
import copy
import getpass
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from paramiko.auth_strategy import AuthStrategy, InMemoryPrivateKey

from wgorch.remote.ssh.config import SshRoute

MAX_PROMPTS = 3

SECURITY_KEY = "is a security key (sk-…), which paramiko cannot sign with"

Ask = Callable[[str], str | None]
"""Prompts for a passphrase; None where there is no terminal."""


class Identities:
    """All keys of a run, each loaded once. `locked`, `unusable`: the keys that could not be tried, to report."""

    def __init__(self, usual: Sequence[str], ask: Ask | None = None) -> None:
        """`usual`: the files that are tried where none is named."""
        self.locked: list[str] = []
        self.unusable: list[str] = []
        self._usual = usual
        self._ask = ask or ask_on_terminal
        self._files: dict[str, list[Any]] = {}
        self._agent: list[Any] | None = None
        self._signing = threading.Lock()
        self._guard = threading.RLock()

    def of(self, route: SshRoute) -> Iterator[tuple[str, Any]]:
        """The keys to try, each with its origin: those named, the agent's, the usual files."""
        yield from ((path, key) for path in route.identities for key in self._from_file(path))
        if not route.only_identities:
            yield from (("agent", key) for key in self._from_agent())
            if not route.identities:
                yield from ((path, key) for path in self._usual for key in self._from_file(path))

    def _from_agent(self) -> list[Any]:
        with self._guard:
            if self._agent is None:
                self._agent = []
                if os.environ.get("SSH_AUTH_SOCK"):
                    with contextlib.suppress(paramiko.SSHException, OSError):
                        for key in paramiko.Agent().get_keys():
                            if key.get_name().startswith("sk-"):
                                self.unusable.append(f"a key of the agent {SECURITY_KEY}")
                            else:
                                self._agent.append(one_at_a_time(key, self._signing))
            return self._agent

    def _from_file(self, path: str) -> list[Any]:
        """The key in a file, before it the same one with its certificate if there is one; empty if unusable."""
        with self._guard:
            if path not in self._files:
                key = self._load(path)
                plain = None
                if key is not None and key.public_blob is not None:
                    plain = copy.copy(key)
                    plain.public_blob = None
                self._files[path] = [k for k in (key, plain) if k is not None]
            return self._files[path]

    def _load(self, path: str) -> Any:
        if not Path(path).is_file():
            return None
        if is_security_key(path):
            self.unusable.append(f"{path} {SECURITY_KEY}")
            return None
        try:
            return paramiko.PKey.from_path(path)
        except (paramiko.PasswordRequiredException, TypeError):
            return self._unlock(path)  # cryptography raises TypeError for an encrypted key without a passphrase
        except (paramiko.UnknownKeyType, UnsupportedAlgorithm):
            self.unusable.append(f"{path} is of a kind that paramiko does not support")
        except (paramiko.SSHException, OSError, ValueError):
            pass  # not a private key
        return None

    def _unlock(self, path: str) -> Any:
        for _ in range(MAX_PROMPTS):
            passphrase = self._ask(f"Passphrase for {path}: ")
            if passphrase is None:
                break
            with contextlib.suppress(paramiko.SSHException, ValueError, TypeError):
                # paramiko's annotation says str, its code wants bytes.
                secret: Any = passphrase.encode()
                return paramiko.PKey.from_path(path, secret)
        self.locked.append(path)
        return None


class KeysOnly(AuthStrategy):
    """Tries each key of a route once, and no other method."""

    def __init__(self, identities: Identities, route: SshRoute) -> None:
        super().__init__(ssh_config=paramiko.SSHConfig())
        self._identities, self._route = identities, route

    def get_sources(self) -> Iterator[Any]:
        for origin, key in self._identities.of(self._route):
            yield OneKey(self._route.user, key, origin)


class OneKey(InMemoryPrivateKey):
    """A key to try, and its origin: a path, or ``agent``."""

    def __init__(self, user: str, key: Any, origin: str) -> None:
        super().__init__(user, key)
        self.origin = origin

    def __str__(self) -> str:
        return f"{self.origin} ({self.pkey.get_name()})"


def one_at_a_time(key: Any, lock: threading.Lock) -> Any:
    """Let an agent's key sign under a lock: all keys share one socket, and replies carry no id."""
    sign = key.sign_ssh_data

    def signing(*args: Any, **options: Any) -> Any:
        with lock:
            return sign(*args, **options)

    key.sign_ssh_data = signing
    return key


def is_security_key(path: str) -> bool:
    """True for a key that needs a hardware token; its file starts like every OpenSSH key's."""
    try:
        body = "".join(Path(path).read_text(encoding="ascii", errors="replace").splitlines()[1:-1])
        return b"sk-" in base64.b64decode(body[:400])[:120]
    except (OSError, ValueError):
        return False


def ask_on_terminal(prompt: str) -> str | None:
    """Prompt without echo; None where standard input is no terminal."""
    return getpass.getpass(prompt) if sys.stdin.isatty() else None
