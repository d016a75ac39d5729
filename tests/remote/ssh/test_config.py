"""From a target to a route: the inventory first, then the user's configuration, as OpenSSH reads it."""

from __future__ import annotations

import getpass
from io import StringIO
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import paramiko
import pytest

from wgorch.errors import UsageError
from wgorch.inventory.model import Host, SshTarget
from wgorch.remote.ssh import config as ssh_config
from wgorch.remote.ssh.config import SshResolver, SshRoute, read_config

HOME = Path("/home/me")


def config(text: str) -> Any:
    parsed = paramiko.SSHConfig()
    parsed.parse(StringIO(text))
    return parsed


def host(name: str, target: SshTarget, host_key: str | None = None) -> Host:
    return Host(name, target, (ip_address("10.0.0.1"),), 51820, host_key=host_key)


def route(target: SshTarget, text: str | None = None, *others: Host) -> SshRoute:
    here = host("home", target)
    hosts = {each.name: each for each in (here, *others)}
    return SshResolver(config(text) if text is not None else None, hosts, HOME).of(here)


def test_without_a_configuration_the_target_is_all_there_is() -> None:
    found = route(SshTarget("192.0.2.1"))

    assert ("192.0.2.1", 22, getpass.getuser(), None) == (found.host, found.port, found.user, found.via)
    assert found.known_hosts_files == (
        "/home/me/.ssh/known_hosts",
        "/home/me/.ssh/known_hosts2",
        "/etc/ssh/ssh_known_hosts",
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


def test_an_alias_has_all_that_the_configuration_says() -> None:
    assert route(SshTarget("office"), ALIAS) == SshRoute(
        host="192.0.2.7",
        port=2222,
        user="operator",
        identities=("/keys/office",),
        only_identities=True,
        known_as="office.example",
        known_hosts_files=("/home/me/.ssh/office_hosts", "/etc/ssh/ssh_known_hosts"),
        proxy_command="nc 192.0.2.7 2222",
    )


def test_the_inventory_comes_before_the_configuration() -> None:
    found = route(SshTarget("office", "root", 22, identity="~/mine"), ALIAS)

    assert ("root", 22, ("/home/me/mine",), True) == (found.user, found.port, found.identities, found.only_identities)


@pytest.mark.parametrize("text", ["Host *\n  User operator\n", "User operator\n"])
def test_names_without_a_block_of_their_own_keep_their_names(text: str) -> None:
    one, other = host("one", SshTarget("192.0.2.1")), host("other", SshTarget("192.0.2.2"))
    resolver = SshResolver(config(text), {"one": one, "other": other}, HOME)

    assert [("operator", "192.0.2.1"), ("operator", "192.0.2.2")] == [
        (found.user, found.host) for found in map(resolver.of, (one, other))
    ]


def test_jump_hosts_are_passed_in_order() -> None:
    found = route(SshTarget("192.0.2.1", "root", via=(SshTarget("gate", "a"), SshTarget("inner", "b", 2222))))

    assert "root@192.0.2.1 via b@inner:2222 via a@gate" == str(found)


@pytest.mark.parametrize(
    ("jump", "expected"),
    [
        ("gate", "me@office via me@gate"),
        ("a@gate:2222,ssh://b@[2001:db8::1]", "me@office via b@2001:db8::1 via a@gate:2222"),
        ("none", "me@office"),
    ],
)
def test_a_proxyjump_is_read_as_openssh_does(jump: str, expected: str) -> None:
    assert expected == str(route(SshTarget("office"), f"Host office\n  ProxyJump {jump}\nHost *\n  User me\n"))


def test_a_jump_host_may_be_a_host_of_the_inventory() -> None:
    gate = host("gate", SshTarget("192.0.2.9", "root", 2222), host_key="SHA256:x")
    found = route(SshTarget("192.0.2.1", "root", via=(SshTarget("gate"),)), None, gate).via

    assert found
    assert ("192.0.2.9", 2222, "root", "SHA256:x") == (found.host, found.port, found.user, found.host_key)


def test_jump_hosts_of_a_jump_host_come_first() -> None:
    gate = host("gate", SshTarget("192.0.2.9", "root", via=(SshTarget("outer", "root"),)))
    found = route(SshTarget("192.0.2.1", "root", via=(SshTarget("gate"), SshTarget("inner", "root"))), None, gate)

    assert "root@192.0.2.1 via root@inner via root@192.0.2.9 via root@outer" == str(found)


def test_circular_jump_hosts_are_refused() -> None:
    text = "Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n"
    with pytest.raises(UsageError, match="home: circular jump hosts: home -> b -> a -> b"):
        route(SshTarget("a"), text)


def test_the_files_of_the_user_and_the_system_are_one_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Elsewhere(type(tmp_path)):  # type: ignore[misc]
        def __new__(cls, *parts: str) -> Any:
            return type(tmp_path)(*(str(tmp_path / part.lstrip("/")) for part in parts))

        home = staticmethod(lambda: tmp_path)

    monkeypatch.setattr(ssh_config, "Path", Elsewhere)
    assert read_config() is None

    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text("Host office\n  Port 2222\n")
    (tmp_path / "etc" / "ssh").mkdir(parents=True)
    (tmp_path / "etc" / "ssh" / "ssh_config").write_text("Host office\n  Port 1\n  User root\n")
    found = read_config().lookup("office")
    assert ("2222", "root") == (found["port"], found["user"])
