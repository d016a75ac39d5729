"""One mistake in an inventory of many files, groups, ranges and sources: told at its own file, line and column.

`@@` in a text is the place that must be told.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from tests.conftest import LONG, SEED
from wgorch.errors import InventoryError
from wgorch.inventory.load import load

MARK = "@@"

HOST_FIELDS = {
    "an unknown field": "@@subnett: [10.7.0.0/24]",
    "a number too large": "mtu: @@90000",
    "a flag": "relay: @@maybe",
    "an address": "address: @@10.99.0.300",
    "an address outside": "address: @@10.98.0.3",
    "an item of a list": "subnets: [10.70.0.0/24, @@10.71.0.1/24]",
    "a LAN twice": "subnets: [10.72.0.0/24, @@10.72.0.0/24]",
    "a field of a LAN": "subnets: [{lan: 10.73.0.0/24, @@asa: 10.74.0.0/24}]",
    "a field of an endpoint": 'endpoint: [{lan: "10.1.0.5:1", @@onli: [hub]}]',
    "an endpoint without a port": 'endpoint: ["203.0.113.77:1", @@203.0.113.78]',
    "an endpoint for a member that is none": 'endpoint: [@@{address: "203.0.113.77:1", only: [nohost]}]',
    "an exit that is none": "exit: @@nohost",
    "a gateway that is none": "behind: @@nohost",
    "a secret": "password: @@hunter2",
    "octal": "listen_port: @@0777",
    "a list where a text belongs": "lan_interface: @@[eth0]",
}

SECTIONS = {
    "a member of a group that is none": "groups: {one: [hub, @@nobody]}",
    "a group named like a host": "groups: {@@hub: [h1]}",
    "a group in itself": "groups: {one: [@@one]}",
    "a range in a group": 'groups: {one: [@@"h-[5-2]"]}',
    "a common field that is none": "groups: {one: {members: [h1], @@endpoint: '203.0.113.8:1'}}",
    "a value in common": "groups: {one: {members: [h1], mtu: @@5}}",
    "a default": "defaults: {persistent_keepalive: @@-1}",
    "a default of ssh": "defaults: {ssh: {@@prot: 22}}",
    "links": "links: [@@h1 -- nobody]",
    "links with one relay": "links: [@@h1 -x- hub]",
    "a flow of nobody": "verify: [@@nobody -> 10.99.0.1]",
    "a service": "verify: [{h1 -> 10.99.0.1: @@tpc 22}]",
    "a policy's side": "policy: [@@'h1 -> nobody: tcp 22']",
    "a policy's port": "policy: [{h1 -> hub: @@tcp 99999}]",
    "a device's field": "devices: {phone: {@@pubic_key: x}}",
    "a device's value": "devices: {phone: {public_key: @@abc}}",
    "approve": "approve: {needs: @@0, signers: ['a@b ssh-ed25519 AAAA']}",
    "a section": "@@hots: {}",
}

MAIN_ONLY = {
    "include nothing": "include: [sites/*.yaml, @@none/*.yaml]",
    "include from elsewhere": "include: [sites/*.yaml, @@../other.yaml]",
}

SOURCES = {
    "a kind of source": "- {@@comand: [./m]}",
    "a source's field": "- {command: [./m], @@tag: x}",
    "an inventory that is not there": "- {ansible: @@none.ini}",
    "a URL": "- {netbox: @@ftp://x.example, tag: a}",
}

INI = {
    "an Ansible port": "x1 ansible_port=@@99999",
    "a field of Ansible's": "x1 @@wgorch_subnet=10.8.0.0/24",
    "a value of Ansible's": "x1 wgorch_mtu=@@9",
    "an item of Ansible's": "x1 wgorch_subnets=@@\"['10.8.0.1/24']\"",
    "a loose word": "x1 ansible_user=root @@loose",
    "a range of Ansible's": "@@x[9:1]",
    "a connection": "x1 ansible_connection=@@winrm",
    "a jump": "x1 ansible_ssh_common_args=@@'-o ProxyCommand=nc'",
}

VARIABLES = {
    "a variable of a host": "wgorch_mtu: @@9",
    "an item in a variable": "wgorch_subnets:\n  - 10.8.0.0/24\n  - @@10.9.0.1/24",
    "a template": "ansible_host: @@\"{{ lookup('x') }}\"",
    "a vault": "ansible_user: @@!vault |\n  $ANSIBLE_VAULT;1.1;AES256",
}

JSON = {
    "a field in JSON": '"j1": {"ssh": "j1", @@"subnett": []}',
    "a value in JSON": '"j1": {"ssh": "j1", "mtu": @@9}',
    "an item in JSON": '"j1": {"ssh": "j1", "subnets": ["10.8.0.0/24", @@"10.9.0.1/24"]}',
    "no JSON": '"j1": {"ssh": @@nope}',
    "a name in JSON twice": '"j1": {"ssh": "a"}, @@"j1": {"ssh": "b"}',
}

NAMES = {
    "a name": "  @@Bad_Name: {ssh: x}",
    "a range of hosts": "  @@'x-[9-1]': {ssh: x}",
    "a host that is none": "  x: @@here",
    "a host without ssh": "  x: @@{mtu: 1400}",
    "a login": "  x: {ssh: {host: x, port: @@0}}",
    "a login's field": "  x: {ssh: {host: x, @@prot: 22}}",
    "a jump host": "  x: {ssh: {host: x, via: [y, @@'z:0']}}",
    "a password": "  x: {ssh: @@'root:pw@x'}",
    "a name in two files": "  @@h1: {ssh: x}",
}

ALL = {
    **{name: ("host", text) for name, text in HOST_FIELDS.items()},
    **{name: ("section", text) for name, text in SECTIONS.items()},
    **{name: ("main", text) for name, text in MAIN_ONLY.items()},
    **{name: ("source", text) for name, text in SOURCES.items()},
    **{name: ("ini", text) for name, text in INI.items()},
    **{name: ("variables", text) for name, text in VARIABLES.items()},
    **{name: ("json", text) for name, text in JSON.items()},
    **{name: ("name", text) for name, text in NAMES.items()},
}

COUNT = 2000 if LONG else 200


def padding(chance: random.Random) -> str:
    """Lines that say nothing."""
    return "".join(chance.choice(["\n", "# a comment\n", "# é: [not read\n"]) for _ in range(chance.randint(0, 6)))


def files_with(kind: str, text: str, chance: random.Random) -> dict[str, str]:
    """The files of an inventory, one of them with a mistake."""
    include = text if kind == "main" else "include: [sites/*.yaml]"
    main = f"{padding(chance)}network: {{name: office, subnet: 10.99.0.0/16}}\n{padding(chance)}{include}\n"
    main += f"from:\n  - {{ansible: hosts.ini}}\n{padding(chance)}  - {{command: [./members]}}\n"
    main += f"  {text}\n" if kind == "source" else ""
    main += 'hosts:\n  hub: {ssh: root@203.0.113.10, endpoint: "203.0.113.10:51820", relay: true}\n'
    main += f"  h1:\n    ssh: root@192.0.2.1\n{padding(chance)}"
    files = {"inventory.yaml": main, "sites/a.yaml": f"{padding(chance)}hosts:\n  h2: {{ssh: h2}}\n{padding(chance)}"}
    section = kind == "section"
    files["sites/z.yaml"] = padding(chance) + (f"{text}\n" if section else "hosts:\n  h3: {ssh: h3}\n")
    if kind == "host" and chance.random() < 0.5:
        files["inventory.yaml"] += f"    {text}\n"
    elif kind == "host":
        files["sites/z.yaml"] += f"  h4:\n    ssh: h4\n{padding(chance)}    {text}\n"
    elif kind == "name":
        files["sites/z.yaml"] += f"{text}\n"
    ini = f"{text}\n" if kind == "ini" else ""
    files["hosts.ini"] = f"{padding(chance)}[gateways]\na1\n{padding(chance)}{ini}a2\n[all:vars]\nansible_user=root\n"
    variables = text if kind == "variables" else "ansible_user: anna"
    files["host_vars/a2.yml"] = f"---\n{padding(chance)}{variables}\n"
    inner = f", {text}" if kind == "json" else ""
    lines = chance.choice(["", "\n", "\n\n  "])
    files["members"] = f'#!/bin/sh\ncat <<"END"\n{{{lines}"hosts":{lines} {{"j0": {{"ssh": "j0"}}{inner}}}}}\nEND\n'
    return files


def place_of(files: dict[str, str]) -> tuple[str, int, int]:
    """The file, line and column of the mark."""
    name, text = next((name, text) for name, text in files.items() if MARK in text)
    before = text.split(MARK)[0]
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    return ("output of ./members", line - 2, column) if name == "members" else (name, line, column)


@pytest.mark.parametrize("number", range(COUNT))
def test_a_mistake_is_told_at_its_own_file_line_and_column(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(f"{SEED} {number}")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    name = list(ALL)[number % len(ALL)]
    files = files_with(*ALL[name], chance)
    file, line, column = place_of(files)
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text.replace(MARK, ""))
    (tmp_path / "members").chmod(0o755)

    with pytest.raises(InventoryError) as error:
        load(tmp_path / "inventory.yaml", run_sources=True)

    told = [problem.split("\n")[0].replace(f"{tmp_path}/", "") for problem in error.value.problems]
    errors = [each for each in told if re.match(r"[^:]+:\d+:\d+: error: ", each)]
    assert any(each.startswith(f"{file}:{line}:{column}: error: ") for each in errors), (name, (line, column), told)
    assert len(errors) <= 2, told
    assert "hunter2" not in str(error.value)
