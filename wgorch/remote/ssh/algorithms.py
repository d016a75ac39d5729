"""The algorithms that paramiko offers: the usual ones first, then those of strict and of older servers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from wgorch.remote.ssh.peer import Offer, agreed
from wgorch.remote.ssh.route import SshRoute

KEX = (
    "mlkem768x25519-sha256",
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group14-sha256",
)

CIPHERS = (
    # paramiko computes and compares a MAC in Python; GCM needs none.
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
)

MACS = (
    "hmac-sha2-256",
    "hmac-sha2-512",
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha1",
)

_PLAIN_KEYS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)

HOST_KEYS = (*(f"{kind}-cert-v01@openssh.com" for kind in _PLAIN_KEYS), *_PLAIN_KEYS)

LIBSSH = "@libssh.org"
"""After the first name of a key exchange that has had two."""


class Offered(NamedTuple):
    """What wgorch offers on one route, each list in its order of preference."""

    kex: tuple[str, ...]
    host_keys: tuple[str, ...]
    ciphers: tuple[str, ...]
    macs: tuple[str, ...]


def offered(security: Any, route: SshRoute, also_kex: Iterable[str] = ()) -> Offered:
    """The lists for a route: those of this file that paramiko has, within what the configuration names.

    `also_kex`: key exchanges that the transport has beside paramiko's.
    """
    named = route.algorithms

    def both(names: Iterable[str], has: Iterable[str], wanted: tuple[str, ...]) -> tuple[str, ...]:
        has = frozenset(has)
        return tuple(n for n in names if n in has and (not wanted or n in wanted or n.removesuffix(LIBSSH) in wanted))

    return Offered(
        both(KEX, (*security.kex, *also_kex), named.kex),
        both(HOST_KEYS, HOST_KEYS, named.host_keys),
        both(CIPHERS, security.ciphers, named.ciphers),
        both(MACS, security.digests, named.macs),
    )


def missing(client: Offered, server: Offer) -> str:
    """The first kind of algorithm that both sides have none of, with both lists; empty if they agree."""
    kinds = (
        ("key exchange", client.kex, server.kex),
        ("host key", client.host_keys, server.host_keys),
        ("cipher", client.ciphers, server.ciphers),
        ("MAC", client.macs, server.macs),
    )
    for kind, here, there in kinds:
        if kind == "MAC" and "gcm" in agreed(client.ciphers, server.ciphers):
            continue
        if not agreed(here, there):
            return f"no common {kind}: the server offers {', '.join(there)}; wgorch {', '.join(here) or 'nothing'}"
    return ""
