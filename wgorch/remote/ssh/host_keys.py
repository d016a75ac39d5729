"""Verify SSH host keys strictly: known_hosts or the inventory, nothing else."""

from __future__ import annotations

import base64
from typing import Any

import paramiko

from wgorch.remote.ssh.config import SshRoute
from wgorch.remote.ssh.known_hosts import KnownHosts, fingerprint, lookup_name


class HostKeyUnknown(paramiko.SSHException):
    """Nobody told us this key."""


class HostKeyChanged(paramiko.SSHException):
    """Another key than the one we were told, or a revoked one."""


class StrictPolicy(paramiko.MissingHostKeyPolicy):
    """Accepts a key that known_hosts or the inventory names, and no other. No key is ever added here."""

    def __init__(self, way: SshRoute, known: KnownHosts) -> None:
        self._way, self._known = way, known

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        way, blob = self._way, key.asbytes()
        shown = f"{key.get_name()} {fingerprint(blob)}"
        known = self._known.keys(way.known_as or way.host, way.port)
        if any(k.revoked and k.blob == blob for k in known):
            raise HostKeyChanged(f"it shows the revoked key {shown}\ndo not connect; ask who runs that host")
        if way.host_key is not None:
            words = way.host_key.split()
            expected = words[-1]
            if expected in (fingerprint(blob), key.get_base64()):
                return
            told = way.host_key if expected.startswith("SHA256:") else f"{words[0]} {_print_of(expected)}"
            raise HostKeyChanged(
                f"it shows {shown}, but host_key says {told}\nif the host was set up anew, correct host_key"
            )
        name = lookup_name(way.known_as or way.host, way.port)
        if any(k.blob == blob for k in known if not k.revoked):
            return
        if others := [k for k in known if not k.revoked]:
            told = ", ".join(f"{k.kind} {fingerprint(k.blob)} ({k.place})" for k in others[:3])
            hint = f"if the host was set up anew: ssh-keygen -R '{name}', then wgorch trust HOST"
            raise HostKeyChanged(f"{name} shows {shown}, but known is {told}\n{hint}")
        raise HostKeyUnknown(
            f"{name} shows the unknown key {shown}\ncompare it with the host's own, then: wgorch trust HOST"
        )


def _print_of(encoded: str) -> str:
    try:
        return fingerprint(base64.b64decode(encoded))
    except ValueError:
        return encoded[:20]


def same_kind(offered: str, known: str) -> bool:
    return offered == known or (known == "ssh-rsa" and offered.startswith("rsa-sha2-"))
