"""Which host keys are accepted, and what is reported of the others."""

from __future__ import annotations

import paramiko
import pytest

from wgorch.remote.ssh.handshake import host_key_of
from wgorch.remote.ssh.host_keys import HostKeyRefused, kinds_to_ask, name_of, verify
from wgorch.remote.ssh.known_hosts import KnownHosts, fingerprint
from wgorch.remote.ssh.route import SshRoute

KEY, OTHER = paramiko.ECDSAKey.generate(), paramiko.ECDSAKey.generate()
SHOWN, EXPECTED = (f"ecdsa-sha2-nistp256 {fingerprint(key.asbytes())}" for key in (KEY, OTHER))


def line(key: paramiko.PKey, names: str = "192.0.2.1") -> str:
    return f"{names} {key.get_name()} {key.get_base64()}"


def check(*lines: str, host_key: str | None = None, known_as: str = "", port: int = 22) -> None:
    known = KnownHosts()
    known.read("\n".join(lines), "known_hosts")
    route = SshRoute("192.0.2.1", port, "root", known_as=known_as, host_key=host_key)
    verify("home", route, known, host_key_of(KEY))


@pytest.mark.parametrize(
    "lines", [(line(KEY),), (line(OTHER), line(KEY)), (line(KEY, "*"),)], ids=["known", "among others", "by a pattern"]
)
def test_a_key_of_known_hosts_is_accepted(lines: tuple[str, ...]) -> None:
    check(*lines)


@pytest.mark.parametrize(
    "host_key", [fingerprint(KEY.asbytes()), f"{KEY.get_name()} {KEY.get_base64()}"], ids=["fingerprint", "key"]
)
def test_a_key_of_the_inventory_is_accepted_whatever_known_hosts_has(host_key: str) -> None:
    check(host_key=host_key)
    check(line(OTHER), host_key=host_key)


def test_a_name_and_a_port_are_looked_up_as_openssh_does() -> None:
    check(line(KEY, "office"), known_as="office")
    check(line(KEY, "office"), known_as="office", port=2222)
    check(line(KEY, "[192.0.2.1]:2222"), port=2222)


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(HostKeyRefused) as raised:
        check(line(KEY, "192.0.2.9"))

    assert f"192.0.2.1 presents the unknown key {SHOWN}" == raised.value.problem
    assert "compare it with the host's own key, then: wgorch trust home" == raised.value.hint


def test_a_changed_key_is_refused_with_the_place_of_the_known_one() -> None:
    with pytest.raises(HostKeyRefused) as raised:
        check("", line(OTHER))

    assert f"192.0.2.1 presents {SHOWN}, but known_hosts has {EXPECTED} (known_hosts:2)" == raised.value.problem
    assert "ssh-keygen -R '192.0.2.1', then wgorch trust home" in raised.value.hint


@pytest.mark.parametrize("host_key", [None, fingerprint(KEY.asbytes())], ids=["known_hosts", "inventory"])
def test_a_revoked_key_is_refused_although_it_is_known(host_key: str | None) -> None:
    with pytest.raises(HostKeyRefused, match="it presents the revoked key"):
        check(line(KEY), f"@revoked {line(KEY, '*')}", host_key=host_key)


@pytest.mark.parametrize(
    ("host_key", "expected"),
    [
        (fingerprint(OTHER.asbytes()), fingerprint(OTHER.asbytes())),
        (f"{OTHER.get_name()} {OTHER.get_base64()}", EXPECTED),
        ("ssh-ed25519 not*base64", "ssh-ed25519 not*base64"),
    ],
    ids=["fingerprint", "key", "broken"],
)
def test_another_key_than_the_inventory_s_is_refused_although_it_is_known(host_key: str, expected: str) -> None:
    with pytest.raises(HostKeyRefused) as raised:
        check(line(KEY), host_key=host_key)

    assert f"it presents {SHOWN}, but host_key is {expected}" == raised.value.problem


OFFERED = ("ssh-ed25519-cert-v01@openssh.com", "ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256")


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("192.0.2.1 ssh-ed25519 AAAA", "ssh-ed25519 ecdsa-sha2-nistp256 rsa-sha2-512 rsa-sha2-256"),
        ("192.0.2.1 ssh-rsa AAAA", "rsa-sha2-512 rsa-sha2-256 ssh-ed25519 ecdsa-sha2-nistp256"),
        ("192.0.2.1 ssh-dss AAAA", "ssh-ed25519 ecdsa-sha2-nistp256 rsa-sha2-512 rsa-sha2-256"),
        ("@revoked * ssh-rsa AAAA", "ssh-ed25519 ecdsa-sha2-nistp256 rsa-sha2-512 rsa-sha2-256"),
        ("@cert-authority * ssh-rsa AAAA", " ".join(OFFERED)),
        (
            "@cert-authority * ssh-rsa AAAA\n192.0.2.1 ssh-rsa AAAA",
            f"{OFFERED[0]} rsa-sha2-512 rsa-sha2-256 ssh-ed25519 ecdsa-sha2-nistp256",
        ),
        ("", "ssh-ed25519 ecdsa-sha2-nistp256 rsa-sha2-512 rsa-sha2-256"),
    ],
)
def test_the_kinds_that_known_hosts_has_are_asked_for_first(text: str, asked: str) -> None:
    known = KnownHosts()
    known.read(text, "known_hosts")

    assert tuple(asked.split()) == kinds_to_ask(OFFERED, known.keys(name_of(SshRoute("192.0.2.1", 22, "root"))))
