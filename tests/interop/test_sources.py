"""SSH targets from files of other tools."""

from __future__ import annotations

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


def test_an_openssh_configuration() -> None:
    text = "Host *\n  User root\nHost home office-gateway\nhost=shop\nHost *.example !x\nMatch host y\nHostName z\n"

    assert ["home", "office-gateway", "shop"] == from_ssh_config(text)
