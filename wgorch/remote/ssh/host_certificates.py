"""Check a host certificate in full: authority, kind, names, dates, critical options, signature.

paramiko verifies that the host has the certificate's key, and nothing else of it.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable

import paramiko
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import SSHCertificate, SSHCertificateType

from wgorch.remote.ssh.known_hosts import fingerprint

SIGNATURES = (
    *("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    *("rsa-sha2-512", "rsa-sha2-256"),
)
"""How an authority may sign: CASignatureAlgorithms of OpenSSH, without FIDO keys."""


class BadCertificate(Exception):
    """A host certificate that is not to be trusted, and why."""


def check(kind: str, blob: bytes, name: str, authorities: Iterable[bytes]) -> None:
    """Check the certificate that a server presents for a host name. Raises BadCertificate.

    `authorities`: the public keys that known_hosts has as such for the host.
    """
    certificate, authority, signed_by = _parsed(kind, blob)
    if authority not in authorities:
        raise BadCertificate(f"it is signed by the unknown authority {fingerprint(authority)}")
    if certificate.type is not SSHCertificateType.HOST:
        raise BadCertificate("it is a user's certificate")
    principals = [principal.decode("utf-8", "replace") for principal in certificate.valid_principals]
    if principals and name.lower() not in principals:
        raise BadCertificate(f"it is for {', '.join(principals[:5])}, not for {name}")
    if time.time() < certificate.valid_after:
        raise BadCertificate(f"it is valid only from {_date(certificate.valid_after)} on")
    if time.time() >= certificate.valid_before:
        raise BadCertificate(f"it expired on {_date(certificate.valid_before)}")
    if certificate.critical_options:
        options = b", ".join(certificate.critical_options).decode("utf-8", "replace")
        raise BadCertificate(f"it has the unknown critical option {options}")
    if signed_by not in SIGNATURES:
        raise BadCertificate(f"it is signed by {signed_by}, which is not accepted")
    try:
        certificate.verify_cert_signature()
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        raise BadCertificate("its signature is not the authority's") from None


def authority_of(kind: str, blob: bytes) -> bytes:
    """The public key that signed a certificate. Raises BadCertificate."""
    return _parsed(kind, blob)[1]


def _parsed(kind: str, blob: bytes) -> tuple[SSHCertificate, bytes, str]:
    """The certificate, the key of its authority, and the algorithm of its signature."""
    try:
        certificate = serialization.load_ssh_public_identity(kind.encode() + b" " + base64.b64encode(blob))
        if not isinstance(certificate, SSHCertificate):
            raise BadCertificate("it is no certificate")
        encoded = certificate.signature_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadCertificate(f"it cannot be read: {error}") from None
    return certificate, base64.b64decode(encoded.split()[1]), paramiko.Message(_last_field(blob)).get_text()


def _last_field(blob: bytes) -> bytes:
    """The signature: the last string of a certificate."""
    message = paramiko.Message(blob)
    field = b""
    kind = message.get_text()
    for _ in range(1 + _KEY_FIELDS.get(kind, 1)):
        message.get_binary()
    message.get_int64()  # serial
    message.get_int()  # type
    for _ in range(2):  # key id, principals
        message.get_binary()
    message.get_int64()
    message.get_int64()
    for _ in range(5):  # critical options, extensions, reserved, signature key, signature
        field = message.get_binary()
    return bytes(field)


_KEY_FIELDS = {
    "ssh-rsa-cert-v01@openssh.com": 2,
    **{f"ecdsa-sha2-nistp{bits}-cert-v01@openssh.com": 2 for bits in (256, 384, 521)},
}
"""How many strings the key in a certificate has, after the nonce."""


def _date(seconds: int) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    except (OverflowError, ValueError, OSError):
        return str(seconds)
