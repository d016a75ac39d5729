"""SSH keys to log in with: from files and from agents, with their certificates."""

from __future__ import annotations

import base64
import contextlib
import copy
import threading
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from paramiko.pkey import PublicBlob

from wgorch.remote.answers import Answers
from wgorch.remote.ssh.agent import AgentKey, keys_in
from wgorch.remote.ssh.route import SshRoute

SECURITY_KEY = "is a FIDO key that no agent holds"


class Identity(NamedTuple):
    """A key to try, and its origin: a path, or ``agent``."""

    origin: str
    key: Any


class Identities:
    """All keys of a run, each loaded once. `locked`, `unusable`: the keys that could not be tried, to report."""

    def __init__(self, usual: Sequence[str], answers: Answers | None = None) -> None:
        """`usual`: the files that are tried where none is named."""
        self.locked: list[str] = []
        self.unusable: list[str] = []
        self._usual = usual
        self._answers = answers or Answers()
        self._files: dict[str, Any] = {}
        self._agents: dict[str, list[AgentKey]] = {}
        self._guard = threading.RLock()
        self._public_half = cache(_public_half)
        self._certificate = cache(_certificate)

    def of(self, route: SshRoute) -> Iterator[Identity]:
        """The keys to try: those named, the agent's, the usual files; each with its certificate first."""
        held = self._in_agent(route.agent)
        offered: set[bytes] = set()
        for identity in self._candidates(route, held):
            blob = identity.key.asbytes()
            if blob not in offered:
                offered.add(blob)
                yield from self._certified(identity, route)
                yield identity

    def _candidates(self, route: SshRoute, held: Sequence[AgentKey]) -> Iterator[Identity]:
        for path in route.identities:
            yield from self._named(path, held)
        if not route.only_identities:
            yield from (Identity("agent", key) for key in held)
        if not route.identities:
            for path in self._usual:
                yield from self._named(path, held)

    def _in_agent(self, path: str) -> list[AgentKey]:
        with self._guard:
            if path not in self._agents:
                self._agents[path] = keys_in(path)
            return self._agents[path]

    def _named(self, path: str, held: Sequence[AgentKey]) -> Iterator[Identity]:
        """The key that a file names: the agent's where it holds it, or else the one in the file; none if unusable."""
        public = self._public_half(path)
        for key in held:
            if public and key.asbytes() == public:
                yield Identity(path, key)
                return
        with self._guard:
            if path not in self._files:
                self._files[path] = self._load(path, public)
            key = self._files[path]
        if key is not None:
            yield Identity(path, key)

    def _certified(self, identity: Identity, route: SshRoute) -> Iterator[Identity]:
        """The same key with each certificate for it: those of CertificateFile, and the one that lies beside it."""
        beside = () if identity.origin == "agent" else (f"{identity.origin.removesuffix('.pub')}-cert.pub",)
        for path in dict.fromkeys((*route.certificates, *beside)):
            blob = self._certificate(path)
            if blob is not None and certified_key(blob.key_blob) == identity.key.asbytes():
                yield Identity(path, _with_certificate(identity.key, blob))

    def _load(self, path: str, public: bytes | None) -> Any:
        if not Path(path).is_file():
            return None
        if public and b"sk-" in public[:40]:
            self.unusable.append(f"{path} {SECURITY_KEY}")
            return None
        try:
            return _without_certificate(paramiko.PKey.from_path(path))
        except (paramiko.PasswordRequiredException, TypeError):
            return self._unlock(path)  # cryptography raises TypeError for an encrypted key without a passphrase
        except (paramiko.UnknownKeyType, UnsupportedAlgorithm):
            self.unusable.append(f"{path} is of a kind that paramiko does not support")
        except (paramiko.SSHException, OSError, ValueError):
            pass  # not a private key
        return None

    def _unlock(self, path: str) -> Any:
        for attempt in range(self._answers.ATTEMPTS):
            passphrase = self._answers.passphrase(path, attempt)
            if passphrase is None:
                break
            with contextlib.suppress(paramiko.SSHException, ValueError, TypeError):
                # paramiko's annotation says str, its code wants bytes.
                secret: Any = passphrase.encode()
                return _without_certificate(paramiko.PKey.from_path(path, secret))
        self.locked.append(path)
        return None


def _without_certificate(key: Any) -> Any:
    """paramiko loads the certificate beside a file with the key; here it is a try of its own."""
    key.public_blob = None
    return key


def _with_certificate(key: Any, blob: PublicBlob) -> Any:
    if isinstance(key, AgentKey):
        return key.certified(blob)
    certified = copy.copy(key)
    certified.public_blob = blob
    return certified


def _certificate(path: str) -> PublicBlob | None:
    try:
        blob = PublicBlob.from_file(path)
    except (OSError, ValueError, IndexError):
        return None
    return blob if "-cert-" in blob.key_type else None


def certified_key(certificate: bytes) -> bytes:
    """The public key that a certificate is about, in the form that a plain key has."""
    message = paramiko.Message(certificate)
    kind = message.get_text().replace("-cert-v01@openssh.com", "")
    message.get_binary()  # nonce
    key = paramiko.Message()
    key.add_string(f"{kind}@openssh.com" if kind.startswith("sk-") else kind)
    for _ in range(_PARTS.get(kind, 1)):
        key.add_string(message.get_binary())
    return bytes(key.asbytes())


_PARTS = {
    "ssh-rsa": 2,
    **{f"ecdsa-sha2-nistp{bits}": 2 for bits in (256, 384, 521)},
    "sk-ssh-ed25519": 2,
    "sk-ecdsa-sha2-nistp256": 3,
}
"""How many strings a public key has after its kind."""


def _public_half(path: str) -> bytes | None:
    """The public key of a key file: from KEY.pub beside it, from itself, or from the head of an OpenSSH private key."""
    for candidate in (f"{path}.pub", path):
        with contextlib.suppress(OSError, ValueError, IndexError):
            text = Path(candidate).read_text(encoding="utf-8", errors="replace")
            if text.startswith("-----BEGIN OPENSSH"):
                return _head_of(base64.b64decode("".join(text.splitlines()[1:-1])))
            words = text.split(None, 2)
            blob = base64.b64decode(words[1], validate=True)
            if paramiko.Message(blob).get_text() == words[0]:
                return blob
    return None


def _head_of(data: bytes) -> bytes | None:
    """The public key in a file of openssh-key-v1; it is not encrypted."""
    if not data.startswith(b"openssh-key-v1\0"):
        return None
    message = paramiko.Message(data[15:])
    for _ in range(3):
        message.get_binary()
    return bytes(message.get_binary()) if message.get_int() == 1 else None
