"""Verify SSH host keys strictly: known_hosts or the inventory, nothing else."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from wgorch.remote.ssh.failures import Failure
from wgorch.remote.ssh.known_hosts import AUTHORITY, REVOKED, KnownHosts, KnownKey, fingerprint, lookup_name
from wgorch.remote.ssh.route import SshRoute

MAX_SHOWN = 3
"""Known keys that an error names."""

CERTIFICATE = "-cert-v01@openssh.com"


class HostKey(NamedTuple):
    """A server's key, and its certificate where it presents one."""

    kind: str
    blob: bytes
    certificate_kind: str = ""
    certificate: bytes = b""

    def __str__(self) -> str:
        return f"{self.kind} {fingerprint(self.blob)}"


class HostKeyRefused(Exception):
    """The server's key is unknown, revoked, or not the expected one."""

    def __init__(self, failure: Failure, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.failure, self.problem, self.hint = failure, problem, hint


def verify(host: str, route: SshRoute, known: KnownHosts, key: HostKey) -> None:
    """Check a server's key. Raises HostKeyRefused. `host`: the inventory's name, for the hint."""
    name = name_of(route)
    keys = known.keys(name)
    _check_revoked(key, keys)
    if route.host_key is not None:
        _check_inventory(route.host_key, key)
        return
    valid = [k for k in keys if not k.marker]
    if any(k.blob == key.blob for k in valid):
        return
    if key.certificate:
        _check_certificate(key, route, [k.blob for k in keys if k.marker == AUTHORITY])
        return
    if valid:
        expected = ", ".join(f"{k.kind} {fingerprint(k.blob)} ({k.place})" for k in valid[:MAX_SHOWN])
        hint = f"if the host was reinstalled: ssh-keygen -R '{name}', then wgorch trust {host}"
        raise HostKeyRefused(Failure.CHANGED_KEY, f"{name} presents {key}, but known_hosts has {expected}", hint)
    hint = f"compare it with the host's own key, then: wgorch trust {host}"
    raise HostKeyRefused(Failure.UNKNOWN_KEY, f"{name} presents the unknown key {key}", hint)


def name_of(route: SshRoute) -> str:
    """The name of a route's server in known_hosts."""
    return lookup_name(route.host, route.port, route.known_as)


def matches(host_key: str, key: HostKey) -> bool:
    """True if a key is the one that the inventory's host_key names, by its fingerprint or whole."""
    expected = host_key.split()[-1]
    return expected in (fingerprint(key.blob), base64.b64encode(key.blob).decode())


def kinds_to_ask(offered: Sequence[str], keys: Iterable[KnownKey]) -> tuple[str, ...]:
    """The kinds of key to ask a server for: first those that known_hosts has of it, then the others.

    A server has several keys, and presents the first kind of this list that it has.
    """
    keys = list(keys)
    certified = [kind for kind in offered if kind.endswith(CERTIFICATE)]
    plain = [kind for kind in offered if not kind.endswith(CERTIFICATE)]
    known = [kind for kind in plain if any(not k.marker and _is_same_kind(kind, k.kind) for k in keys)]
    first = [*certified, *known] if any(k.marker == AUTHORITY for k in keys) else known
    return (*first, *(kind for kind in plain if kind not in first))


def _check_certificate(key: HostKey, route: SshRoute, authorities: Sequence[bytes]) -> None:
    # cryptography takes its time to load, and few hosts have a certificate.
    from wgorch.remote.ssh import host_certificates

    try:
        host_certificates.check(key.certificate_kind, key.certificate, route.known_as or route.host, authorities)
    except host_certificates.BadCertificate as error:
        problem = f"{name_of(route)} presents a host certificate, but {error}"
        hint = "renew the certificate on the host, or correct the @cert-authority line in known_hosts"
        raise HostKeyRefused(Failure.CERTIFICATE, problem, hint) from None


def _check_revoked(key: HostKey, keys: Iterable[KnownKey]) -> None:
    revoked = [k.blob for k in keys if k.marker == REVOKED]
    hint = "do not connect; ask its administrator"
    if key.blob in revoked:
        raise HostKeyRefused(Failure.REVOKED_KEY, f"it presents the revoked key {key}", hint)
    if not key.certificate:
        return
    from wgorch.remote.ssh import host_certificates

    try:
        authority = host_certificates.authority_of(key.certificate_kind, key.certificate)
    except host_certificates.BadCertificate:
        return
    if authority in revoked:
        problem = f"its certificate is signed by the revoked authority {fingerprint(authority)}"
        raise HostKeyRefused(Failure.REVOKED_KEY, problem, hint)


def _check_inventory(host_key: str, key: HostKey) -> None:
    if matches(host_key, key):
        return
    words = host_key.split()
    wanted = host_key if words[-1].startswith("SHA256:") else f"{words[0]} {_fingerprint_of(words[-1])}"
    hint = "if the host was reinstalled, correct host_key"
    raise HostKeyRefused(Failure.CHANGED_KEY, f"it presents {key}, but host_key is {wanted}", hint)


def _is_same_kind(offered: str, known: str) -> bool:
    return offered == known or (known == "ssh-rsa" and offered.startswith("rsa-sha2-"))


def _fingerprint_of(encoded: str) -> str:
    try:
        return fingerprint(base64.b64decode(encoded))
    except ValueError:
        return encoded[:20]
