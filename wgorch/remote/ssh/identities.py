"""SSH keys to log in with: from files and from an agent, in OpenSSH's order."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import paramiko
from paramiko.auth_strategy import AuthStrategy, InMemoryPrivateKey

from wgorch.remote.ssh.config import SshRoute


class Identities(AuthStrategy):
    """Tries each key once, and nothing but keys."""

    def __init__(self, find: Callable[[SshRoute], Iterable[tuple[str, Any]]], way: SshRoute) -> None:
        super().__init__(ssh_config=paramiko.SSHConfig())
        self._find, self._way = find, way

    def get_sources(self) -> Iterator[Any]:
        for origin, key in self._find(self._way):
            yield OneKey(self._way.user, key, origin)


def one_at_a_time(key: Any, lock: threading.Lock) -> Any:
    """An agent's key that waits for its turn: all of them share one socket, and answers carry no name."""
    sign = key.sign_ssh_data

    def signing(*args: Any, **options: Any) -> Any:
        with lock:
            return sign(*args, **options)

    key.sign_ssh_data = signing
    return key


class OneKey(InMemoryPrivateKey):
    """A key to try, and where it is from."""

    def __init__(self, user: str, key: Any, origin: str) -> None:
        super().__init__(user, key)
        self.origin = origin


def origin_of(source: Any) -> str:
    return f"{source.origin} ({source.pkey.get_name()})"


SECURITY_KEY = "is a security key (sk-…), which paramiko cannot sign with"


def is_security_key(path: str) -> bool:
    """True for a key whose other half is in a piece of hardware; its file begins as every OpenSSH key's does."""
    try:
        body = "".join(Path(path).read_text(encoding="ascii", errors="replace").splitlines()[1:-1])
        return b"sk-" in base64.b64decode(body[:400])[:120]
    except (OSError, ValueError):
        return False
