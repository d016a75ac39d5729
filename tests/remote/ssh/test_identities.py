"""Keys to log in with: what loads, what asks for a passphrase, what is left out, and in which order they are tried."""

from __future__ import annotations

import base64
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paramiko
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa

from wgorch.remote.answers import Answers
from wgorch.remote.ssh.agent import keys_in
from wgorch.remote.ssh.identities import Identities, certified_key
from wgorch.remote.ssh.route import SshRoute

SECRET = "four words of mine"


def keygen(path: Path, kind: str, secret: str = "", *options: str) -> str:
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", secret, "-f", path, *options], check=True)
    return str(path)


def route(*identities: str | Path, only: bool = True, agent: str = "", certificates: Sequence[str] = ()) -> SshRoute:
    return SshRoute(
        "192.0.2.1",
        22,
        "root",
        identities=tuple(map(str, identities)),
        only_identities=only,
        agent=agent,
        certificates=tuple(certificates),
    )


def origins(identities: Identities, way: SshRoute) -> list[str]:
    return [f"{origin} {'certificate' if key.public_blob else 'key'}" for origin, key in identities.of(way)]


def answering(*answers: str | None) -> tuple[Answers, list[str]]:
    """A person who gives these answers, and what was asked."""
    asked: list[str] = []
    left = list(answers)

    def ask(prompt: str) -> str | None:
        asked.append(prompt)
        return left.pop(0)

    return Answers(ask), asked


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


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory whose path leaves room for a socket's name."""
    with tempfile.TemporaryDirectory(dir="/tmp") as path:
        yield Path(path)


@pytest.fixture
def agent(short_path: Path) -> Iterator[str]:
    """The socket of an ssh-agent of this test's own."""
    path = short_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
    while not path.exists():
        time.sleep(0.01)
    yield str(path)
    process.terminate()
    process.wait()


def add(agent: str, path: str) -> None:
    subprocess.run(["ssh-add", "-q", path], env={"SSH_AUTH_SOCK": agent}, check=True)


def certify(tmp_path: Path, path: str, *options: str) -> str:
    """A certificate for a key, beside it."""
    authority = tmp_path / "authority"
    if not authority.exists():
        keygen(authority, "ed25519")
    subprocess.run(["ssh-keygen", "-q", "-s", authority, "-I", "me", "-n", "root", *options, f"{path}.pub"], check=True)
    return f"{path}-cert.pub"


def test_named_keys_come_first_then_the_agent_s_then_the_usual_files(tmp_path: Path, agent: str) -> None:
    usual, named, held = (keygen(tmp_path / name, "ed25519") for name in ("id_ed25519", "named", "held"))
    add(agent, held)
    identities = Identities([usual])

    assert ["agent key", f"{usual} key"] == origins(identities, route(only=False, agent=agent))
    assert [f"{named} key", "agent key"] == origins(identities, route(named, only=False, agent=agent))
    assert [f"{named} key"] == origins(identities, route(named, only=True, agent=agent))
    assert [f"{usual} key"] == origins(identities, route(only=False))


def test_a_key_is_tried_once_although_it_is_in_a_file_and_in_the_agent(tmp_path: Path, agent: str) -> None:
    named = keygen(tmp_path / "named", "ed25519")
    add(agent, named)

    assert [f"{named} key"] == origins(Identities([]), route(named, only=False, agent=agent))


@pytest.mark.parametrize("left", ["public half", "encrypted", "only the .pub"])
def test_a_named_key_that_the_agent_holds_is_signed_by_it(tmp_path: Path, agent: str, left: str) -> None:
    path = keygen(tmp_path / "named", "ed25519")
    add(agent, path)
    named = path
    if left == "encrypted":
        subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", SECRET, "-f", path], check=True)
    else:
        Path(path).unlink()
        named = f"{path}.pub" if left == "public half" else path
    ask, asked = answering()

    [(origin, key)] = Identities([], ask).of(route(named, agent=agent))
    assert (named, [], True) == (origin, asked, key.can_sign())


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_an_agent_s_key_signs(tmp_path: Path, agent: str, kind: str) -> None:
    path = keygen(tmp_path / "held", kind)
    add(agent, path)
    [key] = keys_in(agent)
    algorithm = "rsa-sha2-512" if kind == "rsa" else key.get_name()

    signature = paramiko.Message(key.sign_ssh_data(b"data", algorithm))
    assert algorithm == signature.get_text()
    public = paramiko.PKey.from_type_string(key.get_name(), key.asbytes())
    assert public.verify_ssh_sig(b"data", paramiko.Message(signature.asbytes()))


def test_an_agent_signs_for_many_at_once(tmp_path: Path, agent: str) -> None:
    path = keygen(tmp_path / "held", "ed25519")
    add(agent, path)
    [key] = keys_in(agent)
    public = paramiko.PKey.from_type_string(key.get_name(), key.asbytes())

    def is_right(number: int) -> bool:
        data = b"session %d" % number
        return bool(public.verify_ssh_sig(data, paramiko.Message(key.sign_ssh_data(data))))

    with ThreadPoolExecutor(16) as pool:
        assert 64 == sum(pool.map(is_right, range(64)))


@pytest.mark.parametrize("reply", [b"", b"\0\0\0\1\5", b"\xff" * 64, b"\0\0\0\5\x0c\0\0\0\7"])
def test_a_broken_agent_holds_no_keys(short_path: Path, reply: bytes) -> None:
    path = str(short_path / "broken")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(64)
                connection.sendall(reply)

        thread = threading.Thread(target=serve)
        thread.start()
        assert [] == keys_in(path)
        thread.join()
    assert [] == keys_in(path) == keys_in("") == keys_in(str(short_path / "none"))


def test_a_certificate_is_tried_before_its_key_wherever_it_lies(tmp_path: Path, agent: str) -> None:
    beside, elsewhere, held = (keygen(tmp_path / name, "ed25519") for name in ("beside", "elsewhere", "held"))
    certificates = [certify(tmp_path, elsewhere), certify(tmp_path, held)]
    moved = [str(Path(path).rename(tmp_path / f"moved{n}.pub")) for n, path in enumerate(certificates)]
    certify(tmp_path, beside)
    add(agent, held)
    identities = Identities([])

    assert [f"{beside}-cert.pub certificate", f"{beside} key"] == origins(identities, route(beside))
    assert [f"{moved[0]} certificate", f"{elsewhere} key"] == origins(identities, route(elsewhere, certificates=moved))
    assert [f"{moved[1]} certificate", "agent key"] == origins(
        identities, route(only=False, agent=agent, certificates=moved)
    )


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_certificate_s_key_is_the_plain_one(tmp_path: Path, kind: str) -> None:
    path = keygen(tmp_path / "key", kind)
    blob = base64.b64decode(Path(certify(tmp_path, path)).read_text().split()[1])

    assert paramiko.PKey.from_path(path).asbytes() == certified_key(blob)


def test_a_fido_key_in_a_file_is_reported(tmp_path: Path) -> None:
    def text(value: bytes) -> bytes:
        return len(value).to_bytes(4, "big") + value

    public = text(b"sk-ssh-ed25519@openssh.com") + text(bytes(32)) + text(b"ssh:")
    body = (
        b"openssh-key-v1\0" + text(b"none") * 2 + text(b"") + (1).to_bytes(4, "big") + text(public) + text(bytes(128))
    )
    lines = base64.encodebytes(body).decode()
    (tmp_path / "sk").write_text(f"-----BEGIN OPENSSH PRIVATE KEY-----\n{lines}-----END OPENSSH PRIVATE KEY-----\n")
    identities = Identities([])

    assert [] == list(identities.of(route(tmp_path / "sk")))
    assert [f"{tmp_path}/sk is a FIDO key that no agent holds"] == identities.unusable
