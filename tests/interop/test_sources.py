"""SSH targets from files of other tools."""

from __future__ import annotations

from pathlib import Path

import pytest

from wgorch.interop import sources
from wgorch.interop.sources import from_ansible, from_ssh_config

ANSIBLE = """\
[all:vars]
x=1
; a comment
[relay]
public ansible_host=203.0.113.13 ansible_user=root ansible_port=2222
six ansible_host=2001:db8::1 ansible_port=22
[sites]
192.168.0.9 ansible_ssh_user=admin  # home
192.168.0.9 ansible_ssh_user=admin
web[01:50].example
[sites:children]
relay
"""


def test_an_ansible_inventory() -> None:
    assert ["root@203.0.113.13:2222", "[2001:db8::1]:22", "admin@192.168.0.9"] == from_ansible(ANSIBLE)


def test_an_openssh_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ssh = tmp_path / ".ssh"
    ssh.mkdir()
    (ssh / "config").write_text(
        "Host *\n  User root\nHost home office-gateway\nhost=shop\nInclude more/*\nHost *.example !x\nMatch host y\n"
    )
    (ssh / "more").mkdir()
    (ssh / "more" / "sites").write_text("Host depot\n  Port 2222\n")
    monkeypatch.setattr(sources, "home_directory", lambda: tmp_path)

    assert ["home", "office-gateway", "shop", "depot"] == from_ssh_config()
