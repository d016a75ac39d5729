"""Keys to log in with: what loads, what asks for a passphrase, what is left out, and in which order they are tried."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paramiko
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa

from wgorch.remote.ssh.config import SshRoute
from wgorch.remote.ssh.identities import Identities, is_security_key, one_at_a_time

SECRET = "four words of mine"


def keygen(path: Path, kind: str, secret: str = "", *options: str) -> str:
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", secret, "-f", path, *options], check=True)
    return str(path)


def route(*identities: str | Path, only: bool = True) -> SshRoute:
    return SshRoute("192.0.2.1", 22, "root", identities=tuple(map(str, identities)), only_identities=only)


def answering(*answers: str | None) -> tuple[Callable[[str], str | None], list[str]]:
    """A person who gives these answers, and what was asked."""
    asked: list[str] = []
    left = list(answers)

    def ask(prompt: str) -> str | None:
        asked.append(prompt)
        return left.pop(0)

    return ask, asked


@pytest.mark.parametrize("form", ["ed25519", "rsa -b 2048", "ecdsa", "rsa -b 2048 -m PEM", "ecdsa -m PEM"])
def test_a_key_is_unlocked_by_the_right_passphrase_and_asked_for_once(tmp_path: Path, form: str) -> None:
    kind, *options = form.split()
    path = keygen(tmp_path / "key", kind, SECRET, *options)
    ask, asked = answering("wrong", "", SECRET)
    identities = Identities([], ask)

    for _ in range(2):
        [(origin, key)] = identities.of(route(path))
        assert (path, True) == (origin, key.can_sign())
    assert [f"Passphrase for {path}: "] * 3 == asked
    assert [] == identities.locked


@pytest.mark.parametrize(("answers", "prompts"), [((None,), 1), (("a", "b", "c"), 3)], ids=["no terminal", "all wrong"])
def test_a_key_that_stays_locked_is_reported(tmp_path: Path, answers: tuple[str | None, ...], prompts: int) -> None:
    path = keygen(tmp_path / "key", "ed25519", SECRET)
    ask, asked = answering(*answers)
    identities = Identities([], ask)

    assert [] == list(identities.of(route(path)))
    assert (prompts, [path]) == (len(asked), identities.locked)


@pytest.mark.parametrize("text", [b"", b"hello\n", b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", bytes(range(256))])
def test_a_file_that_is_no_key_is_passed_over_without_a_question(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "key").write_bytes(text)
    ask, asked = answering()

    assert [] == list(Identities([], ask).of(route(tmp_path / "key", tmp_path / "none", tmp_path)))
    assert [] == asked


def test_a_kind_of_key_that_paramiko_does_not_support_is_reported(tmp_path: Path) -> None:
    text = dsa.generate_private_key(1024).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    (tmp_path / "key").write_bytes(text)
    identities = Identities([])

    assert [] == list(identities.of(route(tmp_path / "key")))
    assert [f"{tmp_path}/key is of a kind that paramiko does not support"] == identities.unusable


def test_a_key_with_a_certificate_is_tried_with_it_and_then_without(tmp_path: Path) -> None:
    authority, path = keygen(tmp_path / "ca", "ed25519"), keygen(tmp_path / "key", "ed25519")
    subprocess.run(["ssh-keygen", "-q", "-s", authority, "-I", "me", "-n", "root", f"{path}.pub"], check=True)

    blobs = [key.public_blob and key.public_blob.key_type for _, key in Identities([]).of(route(path))]
    assert ["ssh-ed25519-cert-v01@openssh.com", None] == blobs


class Agent:
    def get_keys(self) -> list[Any]:
        class AgentKey:
            def __init__(self, name: str) -> None:
                self._name = name

            def get_name(self) -> str:
                return self._name

            def sign_ssh_data(self, data: bytes, algorithm: str | None = None) -> bytes:
                return data

        return [AgentKey("ssh-ed25519"), AgentKey("sk-ssh-ed25519@openssh.com")]


def test_named_keys_come_first_then_the_agent_s_then_the_usual_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    monkeypatch.setattr(paramiko, "Agent", Agent)
    usual, named = keygen(tmp_path / "id_ed25519", "ed25519"), keygen(tmp_path / "named", "ed25519")
    identities = Identities([usual])

    def origins(*words: str, only: bool) -> list[str]:
        return [origin for origin, _ in identities.of(route(*words, only=only))]

    assert ["agent", usual] == origins(only=False)
    assert [named, "agent"] == origins(named, only=False)
    assert [named] == origins(named, only=True)
    assert ["a key of the agent is a security key (sk-…), which paramiko cannot sign with"] == identities.unusable


def test_keys_of_one_agent_sign_one_after_the_other() -> None:
    """All of them share one socket, and replies carry no id."""
    inside: list[int] = []

    class Key:
        def sign_ssh_data(self, data: bytes) -> int:
            inside.append(1)
            threading.Event().wait(0.01)
            busy = len(inside)
            inside.pop()
            return busy

    lock = threading.Lock()
    keys = [one_at_a_time(Key(), lock) for _ in range(4)]
    found: list[int] = []
    threads = [threading.Thread(target=lambda key=key: found.append(key.sign_ssh_data(b""))) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [1] * 4 == found


def test_an_ordinary_key_is_no_security_key(tmp_path: Path) -> None:
    assert not is_security_key(keygen(tmp_path / "key", "ed25519"))
    assert not is_security_key(str(tmp_path / "none"))
