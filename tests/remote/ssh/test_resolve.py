"""From a target to a route: the inventory first, then the user's configuration, as OpenSSH reads it.

Files that `ssh -G` has to read are in random_configs.py; here all are plain.
"""

from __future__ import annotations

import getpass
import time
from ipaddress import ip_address
from pathlib import Path

import pytest

from wgorch.errors import UsageError
from wgorch.inventory.model import Host, SshTarget
from wgorch.remote.ssh import config_dump
from wgorch.remote.ssh.config import MAX_FILES, SshConfig, read_config
from wgorch.remote.ssh.resolve import SshResolver
from wgorch.remote.ssh.route import SshRoute


def host(name: str, target: SshTarget, host_key: str | None = None) -> Host:
    return Host(name, target, (ip_address("10.0.0.1"),), 51820, host_key=host_key)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".ssh").mkdir(mode=0o700)
    return tmp_path


def config(home: Path, text: str, system: str = "") -> SshConfig:
    (home / ".ssh" / "config").write_text(text)
    (home / "system").write_text(system)
    return read_config(home, home / "system")


def route(home: Path, target: SshTarget, text: str = "", *others: Host) -> SshRoute:
    here = host("home", target)
    found = config(home, text)
    assert [] == found.odd
    return SshResolver({each.name: each for each in (here, *others)}, found).of(here)


def test_without_a_configuration_the_target_is_all_there_is(home: Path) -> None:
    found = route(home, SshTarget("192.0.2.1"))

    assert ("192.0.2.1", 22, getpass.getuser(), None) == (found.host, found.port, found.user, found.via)
    assert found.known_hosts_files == (
        f"{home}/.ssh/known_hosts",
        f"{home}/.ssh/known_hosts2",
        "/etc/ssh/ssh_known_hosts",
        "/etc/ssh/ssh_known_hosts2",
    )


ALIAS = """
Host office
    HostName 192.0.2.7
    User operator
    Port 2222
    IdentityFile /keys/office
    IdentitiesOnly yes
    HostKeyAlias office.example
    UserKnownHostsFile ~/.ssh/office_hosts
    ProxyCommand nc %h %p
"""


def test_an_alias_has_all_that_the_configuration_says(home: Path) -> None:
    assert route(home, SshTarget("office"), ALIAS) == SshRoute(
        host="192.0.2.7",
        port=2222,
        user="operator",
        identities=("/keys/office",),
        only_identities=True,
        known_as="office.example",
        known_hosts_files=(f"{home}/.ssh/office_hosts", "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"),
        proxy_command="nc 192.0.2.7 2222",
        name="office",
    )


def test_the_inventory_comes_before_the_configuration(home: Path) -> None:
    found = route(home, SshTarget("office", "root", 22, identity="~/mine"), ALIAS)

    assert ("root", 22, (f"{home}/mine",), True) == (found.user, found.port, found.identities, found.only_identities)


@pytest.mark.parametrize("text", ["Host *\n  User operator\n", "User operator\n"])
def test_names_without_a_block_of_their_own_keep_their_names(home: Path, text: str) -> None:
    one, other = host("one", SshTarget("192.0.2.1")), host("other", SshTarget("192.0.2.2"))
    resolver = SshResolver({"one": one, "other": other}, config(home, text))

    assert [("operator", "192.0.2.1"), ("operator", "192.0.2.2")] == [
        (found.user, found.host) for found in map(resolver.of, (one, other))
    ]


def test_jump_hosts_are_passed_in_order(home: Path) -> None:
    found = route(home, SshTarget("192.0.2.1", "root", via=(SshTarget("gate", "a"), SshTarget("inner", "b", 2222))))

    assert "root@192.0.2.1 via b@inner:2222 via a@gate" == str(found)


@pytest.mark.parametrize(
    ("jump", "expected"),
    [
        ("gate", "me@office via me@gate"),
        ("a@gate:2222,ssh://b@[2001:db8::1]", "me@office via b@2001:db8::1 via a@gate:2222"),
        ("none", "me@office"),
    ],
)
def test_a_proxyjump_is_read_as_openssh_does(home: Path, jump: str, expected: str) -> None:
    assert expected == str(route(home, SshTarget("office"), f"Host office\n  ProxyJump {jump}\nHost *\n  User me\n"))


def test_a_jump_host_may_be_a_host_of_the_inventory(home: Path) -> None:
    gate = host("gate", SshTarget("192.0.2.9", "root", 2222), host_key="SHA256:x")
    found = route(home, SshTarget("192.0.2.1", "root", via=(SshTarget("gate"),)), "", gate).via

    assert found
    assert ("192.0.2.9", 2222, "root", "SHA256:x") == (found.host, found.port, found.user, found.host_key)


def test_jump_hosts_of_a_jump_host_come_first(home: Path) -> None:
    gate = host("gate", SshTarget("192.0.2.9", "root", via=(SshTarget("outer", "root"),)))
    found = route(home, SshTarget("192.0.2.1", "root", via=(SshTarget("gate"), SshTarget("inner", "root"))), "", gate)

    assert "root@192.0.2.1 via root@inner via root@192.0.2.9 via root@outer" == str(found)


def test_circular_jump_hosts_are_refused(home: Path) -> None:
    text = "Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n"
    with pytest.raises(UsageError, match="home: circular jump hosts: home -> b -> a -> b"):
        route(home, SshTarget("a"), text)


@pytest.mark.parametrize(("more", "loops"), [("", True), ("  User me\n", True), ("  Port 2222\n", False)])
def test_a_last_jump_host_that_is_the_target_is_refused_as_by_ssh(home: Path, more: str, loops: bool) -> None:
    text = f"Host web\n  HostName inner\n  ProxyJump gate,inner\n{more}"
    if loops:
        with pytest.raises(UsageError, match="home: jumphost loop via inner"):
            route(home, SshTarget("web"), text)
    else:
        assert "inner" == route(home, SshTarget("web"), text).host


def test_the_user_s_file_comes_before_the_system_s(home: Path) -> None:
    found = config(home, "Host office\n  Port 2222\n", "Host office\n  Port 1\n  User root\n").settings("office")

    assert {"port": ("2222",), "user": ("root",)} == found


def test_without_files_there_are_no_settings(tmp_path: Path) -> None:
    assert {} == read_config(tmp_path, tmp_path / "none").settings("office")


def test_identities_of_all_blocks_add_up(home: Path) -> None:
    text = "IdentityFile ~/.ssh/a\nHost office\n  IdentityFile ~/.ssh/b\n  IdentityFile ~/.ssh/a\nHost x\n  IdentityFile /c\n"

    assert (f"{home}/.ssh/a", f"{home}/.ssh/b") == route(home, SshTarget("office"), text).identities


def test_an_include_within_a_block_is_for_its_hosts(home: Path) -> None:
    (home / ".ssh" / "more").write_text("User inner\nHost depot office\n  Port 2222\n")
    found = config(home, "Host office\n  Include more\n  User outer\nHost *\n  User all\n")

    assert {"user": ("inner",), "port": ("2222",)} == found.settings("office")
    assert {"user": ("all",)} == found.settings("depot")


@pytest.mark.parametrize(
    "line",
    [
        "Match all",
        "IdentityFile ~/.ssh/%r",
        'User "me"',
        "Port ssh",
        "HostName x # why",
        "KnownHostsCommand /bin/x",
        "Unknown yes",
        "Include a b",
        "Host [ab]",
        "HostName",
        "ControlPath ~/.ssh/x",
    ],
)
def test_what_is_more_than_plain_is_left_to_ssh(home: Path, line: str) -> None:
    found = config(home, f"# first\nHost x\n  {line}\n")

    assert [f"{home}/.ssh/config:3"] == [odd.place for odd in found.odd]


def test_a_file_that_others_may_write_is_left_to_ssh(home: Path) -> None:
    (home / ".ssh" / "config").touch()
    (home / ".ssh" / "config").chmod(0o666)

    assert ["permissions"] == [odd.keyword for odd in read_config(home, home / "none").odd]


def test_without_ssh_what_it_should_read_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_dump, "ssh_program", lambda: None)
    resolver = SshResolver({}, config(home, "Host x\n\n  Match exec true\n"))

    with pytest.raises(UsageError, match=r"config:3: cannot interpret match exec true: there is no ssh program"):
        resolver.of(host("home", SshTarget("x")))


@pytest.mark.parametrize("name", ["a;b", "$(id)", "a`b", "-oX", "a b", "a'b", "a|b", "a>b"])
@pytest.mark.parametrize("line", ["ProxyCommand nc %h 22", "Match exec true"])
def test_names_that_a_shell_would_take_apart_are_refused(home: Path, name: str, line: str) -> None:
    resolver = SshResolver({}, config(home, f"Host *\n  {line}\n"))

    with pytest.raises(UsageError, match="would reach a shell"):
        resolver.of(host("home", SshTarget(name)))


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (("web1", "web2"), "Host web*\n  User w\nHost *\n  IdentityAgent none\nMatch final all\n  User x\n"),
        (("192.0.2.1", "192.0.2.2"), "Ciphers aes256-ctr\n"),
    ],
)
def test_names_with_the_same_blocks_share_one_answer(home: Path, names: tuple[str, str], text: str) -> None:
    found = config(home, text)

    assert found.sharing(names[0]) == found.sharing(names[1]) is not None


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (("web1", "web2"), "Host web1\n  User w\nCiphers x\n"),
        (("web1", "web2"), "Match host web1\n  User w\n"),
        (("web1", "web2"), "IdentityFile ~/.ssh/%h\n"),
        (("web1", "web2"), "CanonicalizeHostname yes\n"),
        (("web1", "web2"), "Host [w]eb1\n  User x\n"),
    ],
)
def test_names_that_differ_to_ssh_are_asked_about_one_by_one(home: Path, names: tuple[str, str], text: str) -> None:
    found = config(home, text)

    assert None in (one := [found.sharing(name) for name in names]) or one[0] != one[1]


def test_files_that_include_each_other_are_left_to_ssh(home: Path) -> None:
    (home / ".ssh" / "more").write_text("Include more\nInclude more\n")
    began = time.monotonic()
    found = config(home, "Include more\n")

    assert {"include"} == {line.keyword for line in found.odd}
    assert found.files <= MAX_FILES + 1
    assert time.monotonic() - began < 2
