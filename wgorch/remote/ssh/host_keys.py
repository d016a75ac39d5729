"""Verify SSH host keys strictly: known_hosts or the inventory, nothing else."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

import paramiko

from wgorch.remote.ssh.config import SshRoute
from wgorch.remote.ssh.known_hosts import KnownHosts, fingerprint, lookup_name

MAX_SHOWN = 3
"""Known keys that an error names."""


class HostKeyRefused(paramiko.SSHException):
    """The server's key is unknown, revoked, or not the expected one."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.problem, self.hint = problem, hint


class StrictPolicy(paramiko.MissingHostKeyPolicy):
    """Accepts a key that known_hosts or the inventory names, and no other; adds none.

    `host`: the inventory's name, for the hint.
    """

    def __init__(self, host: str, route: SshRoute, known: KnownHosts) -> None:
        self._host, self._route, self._known = host, route, known

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        """Check the server's key; paramiko calls this for every one. Raises HostKeyRefused."""
        route, blob = self._route, key.asbytes()
        known = self._known.keys(route.known_as or route.host, route.port)
        shown = f"{key.get_name()} {fingerprint(blob)}"
        if any(k.revoked and k.blob == blob for k in known):
            raise HostKeyRefused(f"it presents the revoked key {shown}", "do not connect; ask its administrator")
        if route.host_key is not None:
            self._check_inventory(route.host_key, key, shown)
            return
        name = lookup_name(route.known_as or route.host, route.port)
        valid = [k for k in known if not k.revoked]
        if any(k.blob == blob for k in valid):
            return
        if valid:
            expected = ", ".join(f"{k.kind} {fingerprint(k.blob)} ({k.place})" for k in valid[:MAX_SHOWN])
            hint = f"if the host was reinstalled: ssh-keygen -R '{name}', then wgorch trust {self._host}"
            raise HostKeyRefused(f"{name} presents {shown}, but known_hosts has {expected}", hint)
        hint = f"compare it with the host's own key, then: wgorch trust {self._host}"
        raise HostKeyRefused(f"{name} presents the unknown key {shown}", hint)

    @staticmethod
    def _check_inventory(host_key: str, key: Any, shown: str) -> None:
        words = host_key.split()
        expected = words[-1]
        if expected in (fingerprint(key.asbytes()), key.get_base64()):
            return
        wanted = host_key if expected.startswith("SHA256:") else f"{words[0]} {_fingerprint_of(expected)}"
        hint = "if the host was reinstalled, correct host_key"
        raise HostKeyRefused(f"it presents {shown}, but host_key is {wanted}", hint)


def kinds_to_ask(offered: Iterable[str], route: SshRoute, known: KnownHosts) -> tuple[str, ...]:
    """The kinds of key that known_hosts has of a server; the server may present another one unless asked for these."""
    keys = known.keys(route.known_as or route.host, route.port)
    return tuple(kind for kind in offered if any(_is_same_kind(kind, key.kind) for key in keys))


def _is_same_kind(offered: str, known: str) -> bool:
    return offered == known or (known == "ssh-rsa" and offered.startswith("rsa-sha2-"))


def _fingerprint_of(encoded: str) -> str:
    try:
        return fingerprint(base64.b64decode(encoded))
    except ValueError:
        return encoded[:20]
