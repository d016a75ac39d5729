"""Machines of Ansible inventories, in INI and YAML; what is passed over is named."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wgorch.interop.ansible import Machines, machines

INI = """\
; a comment
loose.example

[all:vars]
ansible_user=root

[relay]
public ansible_host="203.0.113.13" ansible_port=2222   # the hub
six ansible_host=2001:db8::1 ansible_port=2222

[sites]
home ansible_connection=local
192.168.0.9 ansible_ssh_user='admin' ansible_ssh_port=2200
gw[1:2].example ansible_password=x#y ansible_port=2200
db-[a:c] ansible_user=dba
windows ansible_connection=winrm
jumped ansible_ssh_common_args="-J root@198.51.100.66"
template ansible_host={{ inventory_hostname }}.example
sdx:222

[sites:vars]
ansible_user = anna

[office:children]
sites

[office:vars]
ansible_port=2022

[odd:section]
ghost

[relay]
public
"""

YAML = """\
all:
  vars: {ansible_user: root}
  hosts:
    lone: {}
  children:
    relay:
      hosts:
        public: {ansible_host: 203.0.113.13, ansible_port: 2222}
    sites:
      vars: {ansible_user: anna}
      hosts:
        "gw[01:03]": {ansible_ssh_host: 198.51.100.7}
        box:
      children:
        inner: {hosts: {nas: {ansible_port: 23}}, vars: {ansible_user: ben}}
"""


def read_ansible(text: str, name: str) -> Machines:
    """The machines of a text, with the places in it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        found = machines(path)
    found.passed_over = [line.replace(f"{folder}/", "") for line in found.passed_over]
    return found


def targets(text: str, name: str) -> list[str]:
    return [str(target) for target in read_ansible(text, name).targets]


def test_an_ini_file_is_read_as_ansible_reads_it() -> None:
    found = read_ansible(INI, "hosts.ini")

    assert list(map(str, found.targets)) == [
        "root@loose.example",
        "root@203.0.113.13:2222",
        "root@[2001:db8::1]:2222",
        "local",
        "admin@192.168.0.9:2200",
        "anna@gw1.example:2022",
        "anna@gw2.example:2022",
        "dba@db-a:2022",
        "dba@db-b:2022",
        "dba@db-c:2022",
        "anna@jumped:2022",
        "anna@sdx:222",
    ]
    assert found.passed_over == [
        "hosts.ini:14:17: gw1.example.ansible_password",
        "hosts.ini:14:17: gw2.example.ansible_password",
        "hosts.ini:16:28: windows.ansible_connection: is reached by winrm, not by SSH",
        "hosts.ini:18:23: template.ansible_host: is half a template: quote it",
        "hosts.ini:18:26: expected name=value",
        "hosts.ini:18:45: expected name=value",
        "hosts.ini:30:1: [odd:section] is no section of Ansible's",
    ]


def test_a_yaml_file_is_read_with_its_groups() -> None:
    assert targets(YAML, "hosts.yml") == [
        "root@lone",
        "root@203.0.113.13:2222",
        "anna@198.51.100.7",
        "anna@box",
        "ben@nas:23",
    ]


def test_what_a_yaml_file_says_wrongly_is_named_with_its_line() -> None:
    text = """
all:
  hosts:
    a: {ansible_host: 192.0.2.1, ansible_port: missing}
    good:
    "b c":
  children:
    web:
      hosts:
        1.2.3:
      oddity: 3
"""
    found = read_ansible(text, "hosts.yml")
    assert list(map(str, found.targets)) == ["good"]
    assert found.passed_over == [
        'hosts.yml:4:48: a.port: expected a port 1-65535, got "missing"',
        'hosts.yml:6:5: b c.host: "b c" is not a DNS name (space at 2)',
        'hosts.yml:10:9: 1.2.3.host: "1.2.3" has 3 parts; an address has 4',
        "hosts.yml:11:7: web.oddity: is not read",
    ]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("web[01:03]", ["web01", "web02", "web03"]),
        ("web[1:10:4]", ["web1", "web5", "web9"]),
        ("x[a:b][1:2]", ["xa1", "xa2", "xb1", "xb2"]),
        ("web[3:1]", []),
        ("web[1:999999]", []),
        ("web[a:9]", []),
        ('"unclosed', []),
        ("host # comment", ["host"]),
        ("host#1", ["host"]),
        ("x y=1 z", ["x"]),
    ],
)
def test_names_and_ranges(line: str, names: list[str]) -> None:
    found = read_ansible(f"[g]\n{line}\n", "f")
    assert list(map(str, found.targets)) == names
    assert names or found.passed_over


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    read_ansible(text, "f")
    read_ansible(f"[all:vars]\n{text}\n[x]\n{text}", "f")


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.text(max_size=5) | st.integers(),
        lambda v: (
            st.dictionaries(st.text(max_size=8) | st.sampled_from(["hosts", "vars", "children"]), v, max_size=3)
            | st.lists(v, max_size=2)
        ),
        max_leaves=12,
    )
)
def test_any_yaml_is_read_without_an_error(data: object) -> None:
    import yaml

    read_ansible(yaml.safe_dump(data), "f")
