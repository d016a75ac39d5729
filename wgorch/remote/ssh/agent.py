"""Keys of an SSH agent, of every kind: the agent signs, so that paramiko need not know the kind."""

from __future__ import annotations

import socket
import struct
from typing import Any

import paramiko
from paramiko.pkey import PublicBlob

REQUEST_IDENTITIES, IDENTITIES_ANSWER, SIGN_REQUEST, SIGN_RESPONSE = 11, 12, 13, 14
"""Message numbers of draft-ietf-sshm-ssh-agent."""

SIGNATURE_FLAGS = {"rsa-sha2-256": 2, "rsa-sha2-512": 4}

TIMEOUT_S = 60
"""For a signature: a person may have to touch a key, or to confirm."""

MAX_REPLY = 1 << 20
"""Bytes."""


class AgentKey(paramiko.PKey):
    """A private key in an agent. Each signature is asked for on a connection of its own, so several can be at once."""

    def __init__(self, path: str, blob: bytes, comment: str) -> None:
        """`path`: the agent's socket; `blob`: the public key, or a certificate."""
        super().__init__()
        self.name: str = str(paramiko.Message(blob).get_text())
        self.comment = comment
        self.public_blob: PublicBlob | None = None
        self._path, self._blob = path, blob

    @property
    def is_security_key(self) -> bool:
        """True for a FIDO key, whose signature may take a touch."""
        return self.name.startswith(("sk-", "webauthn-"))

    def get_name(self) -> str:
        return self.name

    def asbytes(self) -> bytes:
        return self._blob

    def can_sign(self) -> bool:
        return True

    def certified(self, certificate: PublicBlob) -> AgentKey:
        """The same key with a certificate, from a file."""
        key = AgentKey(self._path, self._blob, self.comment)
        key.public_blob = certificate
        return key

    def sign_ssh_data(self, data: bytes, algorithm: str | None = None) -> Any:
        """Sign by the agent. Raises SSHException where it refuses."""
        flags = SIGNATURE_FLAGS.get((algorithm or "").removesuffix("-cert-v01@openssh.com"), 0)
        reply = _ask(self._path, bytes([SIGN_REQUEST]) + _string(self._blob) + _string(data) + struct.pack(">I", flags))
        if reply[0] != SIGN_RESPONSE:
            raise paramiko.SSHException(f"the agent refused to sign with {self.comment or self.name}")
        return paramiko.Message(reply[1:]).get_binary()


def keys_in(path: str) -> list[AgentKey]:
    """The keys of the agent at a socket; empty where there is none. FIDO keys come last: each one takes a touch."""
    if not path:
        return []
    try:
        reply = paramiko.Message(_ask(path, bytes([REQUEST_IDENTITIES])))
    except (OSError, paramiko.SSHException):
        return []
    if reply.get_byte() != bytes([IDENTITIES_ANSWER]):
        return []
    count = min(reply.get_int(), MAX_REPLY)
    found = [AgentKey(path, reply.get_binary(), reply.get_text()) for _ in range(count) if reply.get_remainder()]
    return sorted(found, key=lambda key: key.is_security_key)


def _ask(path: str, message: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(TIMEOUT_S)
        sock.connect(path)
        sock.sendall(_string(message))
        (size,) = struct.unpack(">I", _receive(sock, 4))
        if not 0 < size <= MAX_REPLY:
            raise paramiko.SSHException("the agent's reply is malformed")
        return _receive(sock, size)


def _receive(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            raise paramiko.SSHException("the agent closed its connection")
        data += part
    return data


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data
