"""Host certificates: what is checked of them, with certificates of ssh-keygen."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from wgorch.remote.ssh.host_certificates import BadCertificate, authority_of, check


def made(directory: Path, *options: str, ca: str = "ed25519", key: str = "ed25519") -> tuple[str, bytes, bytes]:
    """A certificate's kind and blob, and its authority's key."""
    for name, kind in (("ca", ca), ("host", key)):
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", directory / name], check=True)
    words = ["ssh-keygen", "-q", "-s", directory / "ca", "-I", "x", "-h", *options, directory / "host.pub"]
    subprocess.run(words, check=True)
    kind, text = (directory / "host-cert.pub").read_text().split()[:2]
    return kind, base64.b64decode(text), base64.b64decode((directory / "ca.pub").read_text().split()[1])


@pytest.mark.parametrize("ca", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("key", ["ed25519", "ecdsa", "rsa"])
def test_a_good_certificate_is_accepted(tmp_path: Path, ca: str, key: str) -> None:
    kind, blob, authority = made(tmp_path, "-n", "box,192.0.2.1", ca=ca, key=key)

    check(kind, blob, "box", [authority])
    check(kind, blob, "BOX", [b"another", authority])
    assert authority == authority_of(kind, blob)


BAD = [
    (("-n", "other"), "it is for other, not for box"),
    (("-n", "b*"), "it is for b\\*, not for box"),
    (("-V", "20200101:20210101"), "it expired on 20(20|21)-"),
    (("-V", "20990101:20991231"), "it is valid only from 2098-|it is valid only from 2099-"),
    (("-O", "critical:x@y=z"), "it has the unknown critical option x@y"),
]


@pytest.mark.parametrize(("options", "problem"), BAD)
def test_a_bad_certificate_is_refused(tmp_path: Path, options: tuple[str, ...], problem: str) -> None:
    kind, blob, authority = made(tmp_path, *options)
    with pytest.raises(BadCertificate, match=problem):
        check(kind, blob, "box", [authority])


def test_a_signature_by_sha1_is_refused(tmp_path: Path) -> None:
    kind, blob, authority = made(tmp_path, "-t", "ssh-rsa", ca="rsa")
    with pytest.raises(BadCertificate, match="it is signed by ssh-rsa, which is not accepted"):
        check(kind, blob, "box", [authority])


def test_a_user_s_certificate_is_refused(tmp_path: Path) -> None:
    authority = made(tmp_path)[2]
    subprocess.run(
        ["ssh-keygen", "-q", "-s", tmp_path / "ca", "-I", "x", "-n", "box", tmp_path / "host.pub"], check=True
    )
    kind, text = (tmp_path / "host-cert.pub").read_text().split()[:2]
    with pytest.raises(BadCertificate, match="it is a user's certificate"):
        check(kind, base64.b64decode(text), "box", [authority])


def test_an_unknown_authority_is_refused(tmp_path: Path) -> None:
    kind, blob, _ = made(tmp_path)
    with pytest.raises(BadCertificate, match="it is signed by the unknown authority SHA256:"):
        check(kind, blob, "box", [b"another"])


def test_no_changed_byte_passes(tmp_path: Path) -> None:
    kind, blob, authority = made(tmp_path, "-n", "box")
    for at in range(0, len(blob), 3):
        changed = blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :]
        with pytest.raises(BadCertificate):
            check(kind, changed, "box", [authority])


@pytest.mark.parametrize("blob", [b"", b"\0", b"\xff" * 100, b"\0\0\0\x20ssh-ed25519-cert-v01@openssh.com"])
def test_what_is_no_certificate_is_refused(blob: bytes) -> None:
    with pytest.raises(BadCertificate):
        check("ssh-ed25519-cert-v01@openssh.com", blob, "box", [b"x"])
