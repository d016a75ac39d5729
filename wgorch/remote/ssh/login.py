"""Log in with one round trip less than paramiko: the one file that uses its private names.

A client asks for the service ssh-userauth and may send its key without waiting for the answer; paramiko waits. With a
version of paramiko other than those tested, or with WGORCH_PLAIN_LOGIN=1 in the environment, paramiko does all of it.
"""

from __future__ import annotations

import os
import threading
from functools import cache
from pathlib import Path
from typing import Any

import paramiko
from paramiko.auth_handler import AuthHandler
from paramiko.kex_curve25519 import KexCurve25519

TESTED = ("5.1",)
"""Versions of paramiko that the tests ran with: all of 5.1."""


def transport_class() -> type[paramiko.Transport]:
    """The transport to log in with: QuickTransport where it is known to work, or paramiko's own."""
    plain = os.environ.get("WGORCH_PLAIN_LOGIN", "0") not in ("", "0")
    return QuickTransport if is_tested(version()) and not plain else paramiko.Transport


def is_tested(version: str) -> bool:
    """True for a version of paramiko that the tests ran with."""
    return any(version == tested or version.startswith(f"{tested}.") for tested in TESTED)


@cache
def version() -> str:
    """paramiko's version, by the name of its metadata: to read that takes 30 ms. Empty if it has none."""
    found = sorted(Path(paramiko.__file__).parents[1].glob("paramiko-*.dist-info"))
    return found[-1].name.removeprefix("paramiko-").removesuffix(".dist-info") if found else ""


class QuickTransport(paramiko.Transport):
    """A transport that sends a key together with the service request.

    Only a key that signs at once: an agent may take its time or never answer, and the signature algorithm of an RSA key
    depends on what the server sends just before it accepts the service. Those keys are left to paramiko.
    """

    auth_handler: Any
    also_kex = ("curve25519-sha256",)
    """paramiko knows it only by the name that libssh gave it."""
    _kex_info = paramiko.Transport._kex_info | {"curve25519-sha256": KexCurve25519}

    def auth_publickey(self, username: str, key: Any, event: Any = None) -> Any:
        quick = isinstance(key, paramiko.Ed25519Key | paramiko.ECDSAKey) and self.active and self.initial_kex_done
        if not quick or event is not None:
            return super().auth_publickey(username, key, event)
        answered = threading.Event()
        self.auth_handler = handler = QuickLogin(self, requested=self.auth_handler is not None)
        handler.auth_publickey(username, key, answered)
        return handler.wait_for_response(answered)


class QuickLogin(AuthHandler):
    """One attempt with one key.

    paramiko sends the key when it handles the server's service-accept; here that handler is called at once, and the
    server's own message is ignored. `requested`: the service was requested for an earlier key.
    """

    def __init__(self, transport: paramiko.Transport, *, requested: bool) -> None:
        super().__init__(transport)
        self._requested = requested

    def _request_auth(self) -> None:
        if not self._requested:
            super()._request_auth()
        accepted = paramiko.Message()
        accepted.add_string("ssh-userauth")
        accepted.rewind()
        super()._parse_service_accept(accepted)

    def _parse_service_accept(self, m: paramiko.Message) -> None:
        """Ignore the server's service-accept; the key is sent already."""
