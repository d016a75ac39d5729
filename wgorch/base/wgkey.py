"""WireGuard keys: validate a public key, generate a pair, find the name of a key."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping


def public_key(text: str) -> str:
    """Return a WireGuard public key: canonical base64 of 32 bytes, not of low order. Raises ValueError."""
    if not re.fullmatch(r"[A-Za-z0-9+/]{43}=", text):
        raise ValueError(f"{text[:80]!r} is not 44 characters of base64")
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"{text!r} is not base64") from error
    if base64.b64encode(raw).decode() != text:
        raise ValueError(f"{text!r} is not canonical base64")
    if raw in _LOW_ORDER:
        raise ValueError(f"{text!r} is a key of low order")
    return text


def _low_order() -> frozenset[bytes]:
    p = 2**255 - 19
    eights = (
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    )
    points = [0, 1, *eights, p - 1, p, p + 1]
    encodings = {(n % 2**256).to_bytes(32, "little") for n in points}
    # X25519 ignores the top bit, so each encoding is valid with it set as well.
    return frozenset(encodings | {e[:31] + bytes([e[31] | 0x80]) for e in encodings})


_LOW_ORDER = _low_order()


def new_pair() -> tuple[str, str]:
    """Generate a private and a public key, for the file of a device that cannot generate its own."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    private = X25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    return base64.b64encode(private.private_bytes_raw()).decode(), base64.b64encode(public).decode()


def names_by_key(keys: Mapping[str, str]) -> dict[str, str]:
    """Invert public keys by host name into host names by public key."""
    return {key: name for name, key in keys.items()}
