"""known_hosts as OpenSSH reads it: plain, hashed, wildcard, with a port, revoked, and lines that are broken."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgorch.remote.ssh.known_hosts import AUTHORITY, REVOKED, KnownHosts, fingerprint, load, lookup_name

BLOB = base64.b64encode(b"\0\0\0\x0bssh-ed25519" + b"x" * 36).decode()
KEY = f"ssh-ed25519 {BLOB}"


def known(*lines: str) -> KnownHosts:
    found = KnownHosts()
    found.read("\n".join(lines), "known_hosts")
    return found


def hashed(name: str) -> str:
    salt = b"s" * 20
    digest = hmac.digest(salt, name.encode(), "sha1")
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize(
    ("line", "host", "port", "found"),
    [
        (f"home {KEY}", "home", 22, 1),
        (f"home {KEY}", "home", 2222, 0),
        (f"home {KEY}", "Home", 22, 1),
        (f"Home {KEY}", "home", 22, 1),
        (f"home {KEY}", "other", 22, 0),
        (f"home,192.168.0.9 {KEY} a comment", "192.168.0.9", 22, 1),
        (f"[home]:2222 {KEY}", "home", 2222, 1),
        (f"[home]:2222 {KEY}", "home", 22, 0),
        (f"2001:db8::1 {KEY}", "2001:db8::1", 22, 1),
        (f"[2001:db8::1]:2222 {KEY}", "2001:db8::1", 2222, 1),
        (f"*.example {KEY}", "home.example", 22, 1),
        (f"*.example {KEY}", "example", 22, 0),
        (f"[*.example]:2222 {KEY}", "home.example", 2222, 1),
        (f"h?me {KEY}", "home", 22, 1),
        (f"*.example,!bad.example {KEY}", "bad.example", 22, 0),
        (f"!bad.example,*.example {KEY}", "bad.example", 22, 0),
        (f"*.example,!bad.example {KEY}", "good.example", 22, 1),
        (f"!bad.example {KEY}", "good.example", 22, 0),
        (f"{hashed('home')} {KEY}", "home", 22, 1),
        (f"{hashed('home')} {KEY}", "other", 22, 0),
        (f"{hashed('[home]:2222')} {KEY}", "home", 2222, 1),
        (f"{hashed('home')} {KEY}", "HOME", 22, 1),
        (f"  home   {KEY}", "home", 22, 1),
        (f"home\t{KEY}", "home", 22, 1),
        (f"home {KEY}\r", "home", 22, 1),
    ],
)
def test_a_line_is_for_the_hosts_that_it_names(line: str, host: str, port: int, found: int) -> None:
    assert found == len(known(line).keys(lookup_name(host, port)))


def test_every_key_of_a_host_is_found_with_its_place() -> None:
    file = known(f"home {KEY}", "# a comment", "", f"home ecdsa-sha2-nistp256 {BLOB}", f"* {KEY}")

    assert ["known_hosts:1", "known_hosts:4", "known_hosts:5"] == [key.place for key in file.keys("home")]


@pytest.mark.parametrize("names", ["home", "*", hashed("home")])
def test_a_revoked_key_is_found_as_revoked(names: str) -> None:
    file = known(f"@revoked {names} {KEY}", f"home {KEY}")

    assert [True, False] == sorted((key.marker == REVOKED for key in file.keys("home")), reverse=True)


def test_an_authority_is_found_as_such() -> None:
    file = known(f"@cert-authority *.example {KEY}", f"home.example {KEY}")

    assert {AUTHORITY, ""} == {key.marker for key in file.keys("home.example")}
    assert [] == file.unread


@pytest.mark.parametrize(
    "line",
    [
        "home",
        "home ssh-ed25519",
        "home ssh-ed25519 not*base64",
        f"@unknown home {KEY}",
        f"|1|broken {KEY}",
        f"|1|a|b {KEY}",
        "@revoked",
        "@",
    ],
)
def test_a_broken_line_is_noted_and_the_rest_is_read(line: str) -> None:
    file = known(line, f"home {KEY}")

    assert ["known_hosts:2"] == [key.place for key in file.keys("home")]
    assert ["known_hosts:1"] == [note.split(": ")[0] for note in file.unread]


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(text: str) -> None:
    known(text).keys("home")


def test_a_file_that_is_not_there_is_passed_over(tmp_path: Path) -> None:
    there = tmp_path / "known_hosts"
    there.write_text(f"home {KEY}\n")

    assert 1 == len(load([tmp_path / "none", tmp_path, there]).keys("home"))


def test_a_fingerprint_reads_as_ssh_keygen_prints_it() -> None:
    expected = base64.b64encode(hashlib.sha256(b"x").digest()).decode().rstrip("=")

    assert f"SHA256:{expected}" == fingerprint(b"x")
    assert ("home", "[home]:2222") == (lookup_name("home", 22), lookup_name("home", 2222))
    assert "office" == lookup_name("home", 2222, "office")
