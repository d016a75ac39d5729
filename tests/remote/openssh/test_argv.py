"""The arguments of ssh children: what is required, for each version, and nothing that a name could add."""

from __future__ import annotations

import pytest

from wgorch.remote.openssh import argv as module
from wgorch.remote.openssh.argv import argv, options_of, through_master
from wgorch.remote.ssh.route import Algorithms, SshRoute

ROUTE = SshRoute("192.0.2.1", 2222, "root", name="box")


@pytest.fixture(autouse=True)
def version(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    found = getattr(request, "param", (9, 2))
    monkeypatch.setattr(module, "ssh_version", lambda: found)


def options(route: SshRoute = ROUTE, *, asks: bool = False, light: bool = False) -> dict[str, str]:
    return options_of(route, asks=asks, light=light)


def test_a_name_is_never_an_option() -> None:
    words = argv(ROUTE, options(), "-T", command="true")

    assert ["-l", "root", "-p", "2222", "--", "box", "true"] == words[-7:]


@pytest.mark.parametrize(("accepts", "word"), [(False, "yes"), (True, "accept-new")])
def test_host_keys_are_always_checked(accepts: bool, word: str) -> None:
    assert word == options(SshRoute("h", 22, "root", accepts_new=accepts))["StrictHostKeyChecking"]


def test_a_person_is_asked_once_and_only_where_there_is_one() -> None:
    assert ("yes", "no") == (options()["BatchMode"], options(asks=True)["BatchMode"])
    assert "1" == options(asks=True)["NumberOfPasswordPrompts"]


@pytest.mark.parametrize("version", [(7, 4), (9, 2)], indirect=True)
def test_an_older_ssh_gets_no_word_that_it_does_not_know(version: None) -> None:
    found = options()

    assert ("RemoteCommand" in found) == (module.ssh_version() >= (7, 6))
    assert "ControlMaster" in found


@pytest.mark.parametrize(
    ("version", "route", "light", "expected"),
    [
        ((9, 2), ROUTE, True, True),
        ((9, 2), ROUTE, False, False),
        ((9, 9), ROUTE, True, False),
        ((9, 2), SshRoute("h", 22, "root", algorithms=Algorithms(kex=("curve25519-sha256",))), True, False),
    ],
    indirect=["version"],
)
def test_the_costly_key_exchange_is_left_out_only_where_no_file_names_one(
    version: None, route: SshRoute, light: bool, expected: bool
) -> None:
    assert expected == ("KexAlgorithms" in options(route, light=light))


def test_a_connection_through_a_master_has_no_other_way() -> None:
    text = through_master("/tmp/a b/m0", "[2001:db8::1]:22")

    assert "-S '/tmp/a b/m0' -o ProxyCommand=false -W '[2001:db8::1]:22' -- jump" in text
