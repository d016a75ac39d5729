"""The host's private key: generated, staged, imported, never written over."""

from __future__ import annotations

import hashlib

import pytest

from tests.host.room import Room

KEY = "network/private_key"

WG = """
case $1 in
genkey) echo new ;;
pubkey) read -r key && [ "$key" != bad ] && echo "$key/of=" ;;
esac
"""


@pytest.fixture
def host(room: Room) -> Room:
    room.stub("wg", WG)
    return room


def files(room: Room) -> dict[str, str]:
    return {path.name: path.read_text().strip() for path in (room.place / "network").iterdir()}


def test_a_key_that_is_there_is_never_written_over(host: Room) -> None:
    host.write(KEY, "first\n")
    host.run("generate_key private_key || exit 7")
    assert (host.status, files(host)) == (0, {"private_key": "first"})

    (host.place / KEY).unlink()
    host.stub("wg", f"echo quicker >{host.place}/{KEY}; echo new")
    host.run("generate_key private_key || exit 7")
    assert (host.status, files(host)) == (0, {"private_key": "quicker"})


def test_a_new_key_is_private(host: Room) -> None:
    host.run("generate_key private_key || exit 7")

    assert (host.status, files(host)) == (0, {"private_key": "new"})
    assert 0o600 == (host.place / KEY).stat().st_mode & 0o777


def test_output_of_a_failing_generator_is_no_key(host: Room) -> None:
    host.stub("wg", "echo abc; exit 1")
    host.run("generate_key private_key || exit 7")

    assert (host.status, files(host)) == (7, {})


def test_an_empty_file_of_a_loss_of_power_is_no_key(host: Room) -> None:
    host.write(KEY, "")
    host.write(f"{KEY}.123", "")
    host.run("generate_key private_key || exit 7")

    assert (host.status, files(host)) == (0, {"private_key": "new"})


def test_a_staged_key_lies_beside_the_one_in_use(host: Room) -> None:
    host.write(KEY, "first\n")
    host.write(f"{KEY}.older_of=", "older\n")
    host.run("stage_key private_key || exit 7")

    assert (host.status, files(host)) == (0, {"private_key": "first", "private_key.new_of=": "new"})


def test_a_confirmed_key_that_waits_for_its_place_is_kept(host: Room) -> None:
    host.write(KEY, "first\n")
    host.write(f"{KEY}.older_of=", "older\n")
    host.write("network/boot", "#!/bin/sh\n#: key older_of=\nbody\n#: key no\n")
    host.run("stage_key private_key || exit 7")

    assert {"private_key", "private_key.older_of=", "private_key.new_of=", "boot"} == files(host).keys()


def test_no_half_key_is_staged(host: Room) -> None:
    host.write(KEY, "first\n")
    host.stub("wg", "exit 1")
    host.run("stage_key private_key || exit 7")

    assert host.status == 7
    assert [name for name, text in files(host).items() if text] == ["private_key"]


@pytest.mark.parametrize(
    ("first", "found"),
    [("", {"private_key": "theirs"}), ("first\n", {"private_key": "first", "private_key.theirs_of=": "theirs"})],
    ids=["as the first", "beside the one in use"],
)
def test_a_key_is_imported(host: Room, first: str, found: dict[str, str]) -> None:
    if first:
        host.write(KEY, first)
    host.run("import_key private_key echo theirs || exit 7")

    assert (host.status, files(host)) == (0, found)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("true", "true printed no key"),
        ("false", "false printed no key"),
        ("echo bad", "the output of echo bad is not a private key"),
    ],
)
def test_what_is_no_key_is_refused_and_leaves_nothing(host: Room, source: str, said: str) -> None:
    host.write(KEY, "first\n")
    told = host.run(f"import_key private_key {source} || exit 7")

    assert (host.status, told.strip()) == (7, said)
    assert files(host) == {"private_key": "first"}


@pytest.mark.parametrize(("tag", "file"), [("new_of=", "private_key.new_of="), ("gone", "private_key")])
def test_the_interface_gets_the_key_of_a_tag_while_it_is_there(host: Room, tag: str, file: str) -> None:
    host.write(KEY, "first\n")
    host.write(f"{KEY}.new_of=", "new\n")
    host.run(f"set_key wg0 {tag} listen-port 51820")

    assert host.calls == [f"wg set wg0 private-key {file} listen-port 51820"]


def test_a_preshared_key_of_others_is_kept_by_its_digest(room: Room) -> None:
    secrets = ["WvqKPOZ7+1qdZ3Tdg5FvKk7DRt6+J9BLVb7VNJVxl3c=", "iJ3VxYyZRJ4vLzv4NPr+2K1yfUN0VGXDZL8m3KJxFm4="]
    digests = [hashlib.sha256(f"{secret}\n".encode()).hexdigest()[:32] for secret in secrets]
    room.stub("wg", f"printf 'a=\\t(none)\\nb=\\t{secrets[0]}\\nc=\\t{secrets[1]}\\n'")
    room.run(f"keep_preshared psk.other.{digests[1]} wg0 || exit 7")
    assert (room.status, files(room)) == (0, {f"psk.other.{digests[1]}": secrets[1]})
    assert (room.place / "network" / f"psk.other.{digests[1]}").stat().st_mode & 0o777 == 0o600

    room.run(f"keep_preshared psk.other.{'0' * 32} wg0 || exit 7")
    assert (room.status, len(files(room))) == (7, 1)
