"""From a login to a root shell: the text that a login shell gets, sudo's prompt, its password, and what is in between."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from wgorch.errors import Lost, Unfit, UsageError
from wgorch.remote.local import LocalWire
from wgorch.remote.root import (
    NoShell,
    Password,
    become_root,
    careful_shell,
    enter,
    new_nonce,
    password_from,
    root_shell,
)

NONCE = "wgorch-000000000000000000000000"


# --- the text


@pytest.mark.parametrize("text", [root_shell(), careful_shell(NONCE), careful_shell(NONCE, tty=True)])
def test_every_login_shell_reads_the_command_alike(text: str) -> None:
    """In single quotes csh expands !, and takes no line break; fish reads two backslashes as one."""
    begin, program, end = text.split("'")

    assert ("exec /bin/sh -c ", "") == (begin, end)
    assert not re.search(r"[!\n]|\\\\", program)


@pytest.mark.parametrize("text", [root_shell(), careful_shell(NONCE), careful_shell(NONCE, tty=True)])
@pytest.mark.parametrize("sh", ["dash", "bash", "busybox sh"])
def test_the_command_is_sh(sh: str, text: str) -> None:
    argv = [*sh.split(), "-n", "-c", text.split("'")[1]]

    assert 0 == subprocess.run(argv, capture_output=True, check=False).returncode


STUBS = {
    "id": '[ "$1" = -u ] && echo "$UID_IS" || echo operator',
    # Without a password, and where it may ask for one; it drops SSH_CONNECTION.
    "sudo": 'unset SSH_CONNECTION; case $1 in -n) [ "$MODE" = free ] || { echo "a password is required" >&2; exit 1; }; shift ;; '
    '*) printf %s "$3" >&2; IFS= read -r word; [ "$word" = right ] || { printf %s "$3" >&2; read -r word; exit 1; }; shift 3 ;; '
    'esac; UID_IS=0 exec "$@"',
    "doas": 'echo "doas: not permitted" >&2; exit 1',
}


@pytest.fixture
def login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., LocalWire]:
    """Opens a login of a user who is not root, where the stubs that are named are all there is."""

    def open_login(command: str, *, mode: str = "", stubs: Iterable[str] = STUBS, uid: int = 1000) -> LocalWire:
        for name in {"id", *stubs}:
            (tmp_path / name).write_text(f"#!/bin/dash\n{STUBS[name]}\n")
            (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 2222")
        monkeypatch.setenv("MODE", mode)
        monkeypatch.setenv("UID_IS", str(uid))
        # What the machine of the test has itself must not be found.
        return LocalWire(command.replace(":/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin", ""))

    monkeypatch.setenv("PATH", str(tmp_path))
    return open_login


def ask(wire: LocalWire, line: str) -> str:
    """What a shell prints for a line, within a second."""
    wire.send(f"{line}\n".encode(), 1)
    return wire.receive(1).decode()


def test_root_is_root_at_once(login: Callable[..., LocalWire]) -> None:
    wire = login(root_shell(), uid=0, stubs=())
    try:
        assert "192.0.2.1 50000 192.0.2.2 2222\n" == ask(wire, 'echo "$SSH_CONNECTION"')
    finally:
        wire.close()


def test_sudo_without_a_password_keeps_the_connection_s_address(login: Callable[..., LocalWire]) -> None:
    wire = login(root_shell(), mode="free")
    try:
        assert "0 192.0.2.1 50000 192.0.2.2 2222\n" == ask(wire, 'echo "$UID_IS $SSH_CONNECTION"')
    finally:
        wire.close()


@pytest.mark.parametrize(
    ("stubs", "reason"),
    [(("sudo",), "a password is required"), (("sudo", "doas"), "doas: not permitted"), ((), "neither sudo nor doas")],
)
def test_a_user_without_rights_is_refused_with_the_reason(
    login: Callable[..., LocalWire], stubs: tuple[str, ...], reason: str
) -> None:
    wire = login(root_shell(), stubs=stubs)
    try:
        assert f"operator may not become root: {reason}" in wire.receive(1).decode()
    finally:
        wire.close()


@pytest.mark.parametrize(
    ("mode", "uid", "password"), [("", 0, None), ("free", 1000, Password("right")), ("", 1000, Password("right"))]
)
def test_a_password_is_sent_only_where_sudo_asks(
    login: Callable[..., LocalWire], mode: str, uid: int, password: Password | None
) -> None:
    wire = login(careful_shell(NONCE), mode=mode, uid=uid)
    try:
        become_root("home", wire, NONCE, password)
        assert "0 192.0.2.1 50000 192.0.2.2 2222\n" == ask(wire, 'echo "$UID_IS $SSH_CONNECTION"')
    finally:
        wire.close()


@pytest.mark.parametrize(
    ("password", "problem"),
    [(None, "sudo asks for a password"), (Password("wrong"), "sudo rejected the password")],
)
def test_a_password_that_is_missing_or_wrong_is_reported(
    login: Callable[..., LocalWire], password: Password | None, problem: str
) -> None:
    wire = login(careful_shell(NONCE))
    try:
        with pytest.raises(Unfit) as raised:
            become_root("home", wire, NONCE, password)
        assert ("open a root shell", problem) == (raised.value.action, raised.value.problem)
    finally:
        wire.close()


def test_without_sudo_there_is_no_shell_and_no_password_is_sent(login: Callable[..., LocalWire]) -> None:
    wire = login(careful_shell(NONCE), stubs=("doas",))
    try:
        with pytest.raises(NoShell, match="operator may not become root: doas: not permitted"):
            become_root("home", wire, NONCE, Password("right"))
    finally:
        wire.close()


# --- into a container


class ScriptedWire:
    """Plays parts of output; an error among them is raised."""

    def __init__(self, *parts: bytes | OSError) -> None:
        self._parts: Iterator[bytes | OSError] = iter(parts)
        self.sent = b""

    def send(self, data: bytes, timeout_s: float) -> None:
        self.sent += data

    def receive(self, timeout_s: float) -> bytes:
        part = next(self._parts, b"")
        if isinstance(part, OSError):
            raise part
        return part

    def close(self) -> None:
        """Nothing to close."""


def test_a_shell_continues_inside_a_command() -> None:
    wire = LocalWire("exec /bin/sh")
    try:
        enter("home", wire, ["env", "INSIDE=two words"])
        assert "two words\n" == ask(wire, 'echo "$INSIDE"')
    finally:
        wire.close()


def test_a_command_that_fails_is_reported_in_its_own_words() -> None:
    wire = LocalWire("exec /bin/sh")
    try:
        with pytest.raises(Unfit) as raised:
            enter("home", wire, ["sh", "-c", "echo no such container >&2; exit 1"])
    finally:
        wire.close()
    assert "no such container" == raised.value.problem
    assert raised.value.action.startswith("run sh -c ")


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (TimeoutError(), "no root shell within 30 s: motd"),
        (ConnectionResetError("reset"), "the connection broke: reset"),
    ],
)
def test_silence_and_a_broken_connection_are_lost(error: OSError, problem: str) -> None:
    with pytest.raises(Lost) as raised:
        become_root("home", ScriptedWire(b"motd\n", error), NONCE, None)

    assert problem == raised.value.problem


def test_a_marker_in_pieces_and_behind_noise_is_found() -> None:
    become_root("home", ScriptedWire(b"x" * 70000, NONCE[:9].encode(), f"{NONCE[9:]}-root\n".encode()), NONCE, None)


def test_every_nonce_is_another_one() -> None:
    assert 100 == len({new_nonce() for _ in range(100)})


# --- sudo's password


class FakeKeyring:
    """A keyring that holds one."""

    class errors:
        KeyringError = OSError

    def get_password(self, service: str, user: str) -> str | None:
        return "from the keyring" if (service, user) == ("wgorch", "sudo") else None


def test_the_password_comes_from_environment_keyring_or_prompt_in_that_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WGORCH_SUDO_PASSWORD", raising=False)
    asked: list[str] = []

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return "typed"

    monkeypatch.setitem(sys.modules, "keyring", None)
    assert password_from(None) is None
    assert password_from(ask) == Password("typed")
    monkeypatch.setitem(sys.modules, "keyring", FakeKeyring())  # type: ignore[arg-type]
    assert password_from(ask) == Password("from the keyring")
    monkeypatch.setenv("WGORCH_SUDO_PASSWORD", "given")
    assert password_from(None) == Password("given")
    assert len(asked) == 1
    assert "given" not in repr(password_from(None))
    monkeypatch.setenv("WGORCH_SUDO_PASSWORD", "two\nlines")
    with pytest.raises(UsageError, match="line break"):
        password_from(None)
