"""An Ansible inventory as source: what wins, how people write the way to a host, and each mistake at its own place."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest
import yaml

from tests.inventory.sources.inventories import HUB, NETWORK, allow, folder, own_home, read, refused
from wgorch.inventory.model import Inventory, SshTarget

__all__ = ["folder", "own_home"]

MAIN = NETWORK + "from: {ansible: hosts.ini}\n" + HUB


def hosts(folder: Path, text: str, **more: str) -> Inventory:
    files = {name.replace("__", "/").replace("_yml", ".yml"): each for name, each in more.items()}
    return read(folder, {"inventory.yaml": MAIN, "hosts.ini": text, **files}, run_sources=False)


def target(folder: Path, text: str, **more: str) -> SshTarget:
    found = hosts(folder, text, **more)
    return next(host.ssh for name, host in found.hosts.items() if name != "hub")


def test_an_inventory_of_ansible_needs_no_permission_within_the_folder(folder: Path) -> None:
    text = """\
[gateways]
gw-berlin.example ansible_host=198.51.100.7 ansible_user=admin ansible_port=2222 wgorch_subnets="['10.1.0.0/24']"
gw[01:02] ansible_host="{{ inventory_hostname }}.lan.example" wgorch_masquerade=false
[office:children]
gateways
[all:vars]
ansible_user=root
"""
    found = hosts(folder, text)
    assert list(found.hosts) == ["hub", "gw-berlin-example", "gw01", "gw02"]
    berlin, gw02 = found.hosts["gw-berlin-example"], found.hosts["gw02"]
    assert (berlin.ssh.host, berlin.ssh.user, berlin.ssh.port) == ("198.51.100.7", "admin", 2222)
    assert [str(lan) for lan in berlin.subnets] == ["10.1.0.0/24"]
    assert (gw02.ssh.host, gw02.ssh.user, gw02.masquerade) == ("gw02.lan.example", "root", False)
    assert found.groups == {
        "gateways": ("gw-berlin-example", "gw01", "gw02"),
        "office": ("gw-berlin-example", "gw01", "gw02"),
    }


ORDER = [
    "all:vars",
    "outer:vars",
    "inner:vars",
    "group_vars/all.yml",
    "group_vars/outer.yml",
    "group_vars/inner/some.yml",
    "host",
    "host_vars/gw.yml",
]
"""Where a variable may stand, the weakest first: Ansible's documentation, "Understanding variable precedence"."""


@pytest.mark.parametrize("seed", range(60))
def test_the_strongest_place_of_a_variable_wins(seed: int, folder: Path) -> None:
    chance = random.Random(seed)
    places = chance.sample(ORDER, chance.randint(1, len(ORDER)))
    ports = {place: 1000 + number for number, place in enumerate(ORDER)}
    files = {p: f"ansible_port: {ports[p]}\n" for p in places if "/" in p}
    sections = "".join(f"[{p}]\nansible_port={ports[p]}\n" for p in places if ":" in p)
    own = f" ansible_port={ports['host']}" if "host" in places else ""
    files["hosts.ini"] = f"[inner]\ngw{own}\n[outer:children]\ninner\n{sections}"
    found = read(folder, {"inventory.yaml": MAIN, **files}, run_sources=False)
    assert found.hosts["gw"].ssh.port == max(ports[p] for p in places)


def test_groups_of_one_depth_are_ordered_by_priority_and_name(folder: Path) -> None:
    text = "[a]\ngw\n[b]\ngw\n[a:vars]\nansible_port=1\n[b:vars]\nansible_port=2\n"
    assert target(folder, text).port == 2
    assert target(folder, text + "[a:vars]\nansible_group_priority=10\n").port == 1


WAYS = {
    "-o ProxyJump=root@gate.example:2222": ["root@gate.example:2222"],
    "-J gate.example": ["gate.example"],
    "-Jgate.example": ["gate.example"],
    "-J a.example,b@b.example": ["a.example", "b@b.example"],
    "-o ProxyJump=ssh://root@gate.example:22/": ["root@gate.example:22"],
    "-o 'ProxyJump gate.example'": ["gate.example"],
    "-oProxyJump=gate.example -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null": ["gate.example"],
    "-C -o ControlMaster=auto -o ControlPersist=60s -o ProxyJump=gate.example": ["gate.example"],
    "-o ProxyCommand=\"ssh -W %h:%p -q root@gate.example\"": ["root@gate.example"],
    "-o 'ProxyCommand=ssh -q -W %h:%p -p 2222 -l root gate.example'": ["root@gate.example:2222"],
    "-o ProxyCommand='ssh -o StrictHostKeyChecking=no -W %h:%p root@gate.example -p 2222'": ["root@gate.example:2222"],
    "-o ProxyCommand='ssh -p 22 root@gate.example nc %h %p'": ["root@gate.example:22"],
    "-o ProxyCommand='exec /usr/bin/ssh gate.example nc -w 5 %h %p'": ["gate.example"],
    "-o ProxyCommand='ssh -W %h:%p %r@gate.example'": ["admin@gate.example"],
    "-o ProxyCommand='ssh -J a.example -W %h:%p b.example'": ["a.example", "b.example"],
    "-o ProxyCommand='ssh -W [%h]:%p gate.example'": ["gate.example"],
    "-o ProxyJump=gate.example -o ProxyCommand='nc %h %p'": ["gate.example"],
    "-o ProxyJump=none": [],
    "-o ProxyCommand=none": [],
    "-o ServerAliveInterval=30 -vvv": [],
}  # fmt: skip


@pytest.mark.parametrize("arguments", WAYS)
@pytest.mark.parametrize("variable", ["ansible_ssh_common_args", "ansible_ssh_extra_args", "ansible_ssh_args"])
def test_the_way_to_a_host_is_read_as_people_write_it(arguments: str, variable: str, folder: Path) -> None:
    variables = yaml.safe_dump({variable: arguments, "ansible_user": "admin"})
    found = target(folder, "gw\n", host_vars__gw_yml=variables)
    assert [str(jump) for jump in found.via] == WAYS[arguments]
    assert (found.host, found.user) == ("gw", "admin")


def test_a_jump_may_have_a_key_file_in_the_folder(folder: Path) -> None:
    line = "gw ansible_ssh_common_args='-o ProxyCommand=\"ssh -i keys/gate -W %h:%p root@gate.example\"'\n"
    (jump,) = target(folder, line).via
    assert jump == SshTarget("gate.example", "root", identity=f"{folder}/keys/gate")


REFUSED = {
    "-o ProxyCommand='nc -x proxy:1080 %h %p'": "its ProxyCommand is not ssh -W %h:%p HOST",
    "-o ProxyCommand='cloudflared access ssh --hostname %h'": "its ProxyCommand is not ssh -W %h:%p HOST",
    "-o ProxyCommand='ssh gate.example; id'": "its ProxyCommand is not ssh -W %h:%p HOST",
    "-o ProxyCommand='ssh -W %h:%p $(id)'": "",
    "-o ProxyCommand='ssh -W %h:22 gate.example'": "its ProxyCommand is not ssh -W %h:%p HOST",
    "-o ProxyCommand='ssh -o ProxyCommand=\"id\" -W %h:%p gate.example'": "its ProxyCommand is not ssh -W %h:%p HOST",
    "-F /etc/other": "-F is not read",
    "-D 1080": "-D is not read",
    "-o LocalCommand=id": "-o LocalCommand is not read",
    "-o HostKeyAlias=x": "-o HostKeyAlias is not read",
    "-J": "-J needs a value",
    "-Z": "ssh has no option -Z",
    "-o 'ProxyJump": "cannot be split into words: no closing quotation",
}


@pytest.mark.parametrize("arguments", REFUSED)
def test_arguments_that_no_target_can_hold_are_refused_at_their_place(arguments: str, folder: Path) -> None:
    text = yaml.safe_dump({"ansible_ssh_common_args": arguments}, width=1000)
    found = refused(folder, {"inventory.yaml": MAIN, "hosts.ini": "gw\n", "host_vars/gw.yml": text}, run_sources=False)
    assert len(found) == 1
    assert found[0].startswith("host_vars/gw.yml:1:26: error: ")
    assert REFUSED[arguments] in found[0]


FILES: dict[str, tuple[dict[str, str], str]] = {
    "a script": ({"hosts.ini": "#!/bin/sh\necho '{}'\n"}, "hosts.ini:1:1: error: is a program, and none of Ansible's"),
    "a plugin": (
        {"hosts.ini": "---\nplugin: amazon.aws.aws_ec2\nregions: [eu-west-1]\n"},
        "hosts.ini:2:9: error: plugin: is of Ansible's, and none is run",
    ),
    "a member that a group has not": (
        {"hosts.ini": "x\n", "group_vars/all.yml": "ansible_host: \"{{ groups['all'][7] }}\"\n"},
        "group_vars/all.yml:1:15: error: x.ansible_host: names host 7 of the group all, which has 1",
    ),
    "no host in a section that Ansible lacks": (
        {"hosts.ini": "[a:hostz]\nx\n"},
        "hosts.ini:1:1: error: [a:hostz] is no section of Ansible's",
    ),
    "a word": ({"hosts.ini": "[a]\nx  y\n"}, "hosts.ini:2:4: error: expected name=value"),
    "quotes": ({"hosts.ini": "x\ny a='b\n"}, "hosts.ini:2:1: error: cannot be split into words: no closing quotation"),
    "a range": ({"hosts.ini": "x\n  y[9:1]\n"}, "hosts.ini:2:3: error: a range that stands for nothing"),
    "a template": (
        {"hosts.ini": "x\n", "group_vars/all.yml": 'ansible_host: "{{ lookup(\'env\', \'HOME\') }}"\n'},
        "group_vars/all.yml:1:15: error: x.ansible_host: is a template of more than names",
    ),
    "a template of nothing": (
        {"hosts.ini": "x\n", "group_vars/all.yml": 'ansible_user: "{{ who }}"\n'},
        "group_vars/all.yml:1:15: error: x.ansible_user: names a variable that x does not have: who",
    ),
    "a template of itself": (
        {"hosts.ini": "x\n", "group_vars/all.yml": 'ansible_user: "{{ ansible_user }}"\n'},
        "x.ansible_user: is a template of more than names",
    ),
    "a secret": (
        {"hosts.ini": "x\n", "group_vars/all.yml": "ansible_user: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  3031\n"},
        "group_vars/all.yml:1:15: error: x.ansible_user: is encrypted by ansible-vault",
    ),
    "windows": (
        {"hosts.ini": "x ansible_connection=winrm\n"},
        "hosts.ini:1:22: error: x.ansible_connection: is reached by winrm, not by SSH",
    ),
    "a port": (
        {"hosts.ini": "x ansible_port=99999\n"},
        "hosts.ini:1:16: error: hosts.x.ssh.port: 99999 is above 65535",
    ),
    "a field": (
        {"hosts.ini": "x wgorch_subnet=10.1.0.0/24\n"},
        'hosts.ini:1:3: error: hosts.x.subnet: unknown field. Did you mean "subnets"?',
    ),
    "a field's value": (
        {"hosts.ini": "x\n", "host_vars/x.yml": "---\nwgorch_subnets:\n  - 10.1.0.0/24\n  - 10.2.0.1/24\n"},
        "host_vars/x.yml:4:5: error: hosts.x.subnets[1]: ",
    ),
    "a name": (
        {"hosts.ini": f"{'x' * 40}\n"},
        "hosts.ini:1:1: error: makes no name of a host",
    ),
    "two hosts of one name": (
        {"hosts.ini": "a.b\na-b\n"},
        "hosts.ini:2:1: error: hosts.a-b: ",
    ),
    "variables that are none": (
        {"hosts.ini": "x\n", "group_vars/all.yml": "- a\n"},
        "group_vars/all.yml:1:1: error: expected a mapping of variables",
    ),
    "no YAML": (
        {"hosts.ini": "x\n", "group_vars/all.yml": "a: [secretly\n"},
        "group_vars/all.yml:2:1: error: not YAML: did not find expected",
    ),
    "a circle": (
        {"hosts.ini": "[a:children]\nb\n[b:children]\na\n[a]\nx\n"},
        "inventory.yaml:2:17: error: hosts.ini: a group is in itself: a -> b -> a",
    ),
    "bytes": ({"hosts.ini": "x\n", "group_vars/all.yml": "\0"}, "group_vars/all.yml:1:1: error: character U+0000 is not allowed"),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_a_mistake_is_told_at_its_own_file_and_no_line_of_it_is_shown(case: str, folder: Path) -> None:
    files, expected = FILES[case]
    found = refused(folder, {"inventory.yaml": MAIN, **files}, run_sources=False)
    assert any(problem.startswith(expected) or expected in problem.split("\n")[0] for problem in found), found
    assert "secretly" not in "".join(found)


def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    files = {"inventory.yaml": MAIN, "hosts.ini": "x\n", "host_vars/y.yml": "a: 1\n"}
    os.mkfifo(folder / "pipe")
    (found,) = refused(folder, files | {"inventory.yaml": MAIN.replace("hosts.ini", "pipe")})
    assert "cannot read pipe: it is no file" in found
    (folder / "host_vars").mkdir(exist_ok=True)
    os.mkfifo(folder / "host_vars" / "x.yml")
    (found,) = refused(folder, files)
    assert "cannot read host_vars/x.yml: it is no file" in found


def test_yaml_with_anchors_and_several_files_in_a_folder(folder: Path) -> None:
    text = """
all:
  vars: {ansible_user: root}
  children:
    sites:
      hosts:
        gw1: &same {ansible_port: 2222, wgorch_masquerade: false}
        gw2:
          <<: *same
          ansible_port: 22
        "gw[3:4]":
    relays: {hosts: {edge: {ansible_host: 203.0.113.20}}}
"""
    files = {"inventory.yaml": MAIN.replace("hosts.ini", "prod"), "prod/a.yml": text, "prod/b.ini": "gw5\n"}
    files |= {"prod/group_vars/sites": "ansible_user: anna\n", "prod/README.md": "# not: [an inventory\n"}
    found = read(folder, files, run_sources=False)
    assert list(found.hosts) == ["hub", "gw1", "gw2", "gw3", "gw4", "edge", "gw5"]
    gw2 = found.hosts["gw2"]
    assert (gw2.ssh.port, gw2.masquerade, gw2.ssh.user) == (22, False, "anna")
    assert found.hosts["edge"].ssh.user == "root"


def test_one_group_is_taken(folder: Path) -> None:
    text = "[web]\nx ansible_connection=winrm\n[gateways]\ngw\n[vpn:children]\ngateways\n"
    found = read(
        folder,
        {"inventory.yaml": MAIN.replace("hosts.ini}", "hosts.ini, group: vpn}"), "hosts.ini": text},
        run_sources=False,
    )
    assert list(found.hosts) == ["hub", "gw"]
    wrong = refused(folder, {"inventory.yaml": MAIN.replace("hosts.ini}", "hosts.ini, group: vnp}")})
    assert "hosts.ini has no group vnp" in wrong[0]
    assert "its groups: web, gateways, vpn" in wrong[0]


def test_names_and_hostvars_in_templates(folder: Path) -> None:
    text = """
all:
  hosts:
    gate: {ansible_host: 203.0.113.99}
    gw:
      ansible_host: "{{ inventory_hostname_short }}.{{ domain }}"
      domain: lan.example
      ansible_ssh_common_args: '-J root@{{ hostvars["gate"]["ansible_host"] }}'
      wgorch_name: gw-berlin
"""
    found = read(folder, {"inventory.yaml": MAIN.replace("hosts.ini", "h.yml"), "h.yml": text}, run_sources=False)
    gw = found.hosts["gw-berlin"]
    assert (gw.ssh.host, [str(jump) for jump in gw.ssh.via]) == ("gw.lan.example", ["root@203.0.113.99"])


def test_templates_as_people_write_them(folder: Path) -> None:
    text = """
[bastion]
gate ansible_host=203.0.113.99
[sites]
gw
[sites:vars]
ansible_port="{{ ssh_port | default(2222) }}"
ansible_user="{{ admin | default('anna') }}"
ansible_ssh_common_args="-o ProxyCommand='ssh -W %h:%p -q root@{{ hostvars[groups['bastion'][0]].ansible_host }}'"
wgorch_name="{{ groups.bastion[0] }}-gw"
ansible_ssh_private_key_file="{{ inventory_dir }}/keys/id"
"""
    found = hosts(folder, text, group_vars__other_yml="a: [not read\n")
    gw = found.hosts["gate-gw"]
    assert (gw.ssh.port, gw.ssh.user, [str(jump) for jump in gw.ssh.via]) == (2222, "anna", ["root@203.0.113.99"])
    assert gw.ssh.identity == f"{folder}/keys/id"


OUTSIDE = {
    "the inventory": {"inventory.yaml": NETWORK + "from: {ansible: ../other/hosts}\n" + HUB, "../other/hosts": "secretly x\n"},
    "an absolute path": {"inventory.yaml": NETWORK + "from: {ansible: OTHER/hosts}\n" + HUB, "../other/hosts": "secretly x\n"},
    "variables behind a link": {"inventory.yaml": MAIN, "hosts.ini": "x\n", "../other/all.yml": "a: [secretly\n"},
}  # fmt: skip


@pytest.mark.parametrize("case", OUTSIDE)
def test_a_file_outside_of_the_folder_needs_the_persons_word(case: str, folder: Path, own_home: Path) -> None:
    other = (folder / ".." / "other").resolve()
    files = {name: text.replace("OTHER", str(other)) for name, text in OUTSIDE[case].items()}
    if "link" in case:
        (folder / "group_vars").mkdir()
        (folder / "group_vars" / "all.yml").symlink_to(other / "all.yml")
    found = refused(folder, files, run_sources=False)
    assert "lies outside of the inventory's folder" in found[0]
    assert "secretly" not in "".join(found)
    allow(own_home, f"{folder}: {{paths: [{other}]}}\n")
    problems = refused(folder, files, run_sources=False)
    assert "lies outside" not in "".join(problems)  # they are read now, and wrong


def test_a_key_file_of_ansible_outside_of_the_folder_needs_the_persons_word(folder: Path, own_home: Path) -> None:
    files = {"inventory.yaml": MAIN, "hosts.ini": "gw ansible_ssh_private_key_file=~/.ssh/prod\n"}
    found = refused(folder, files, run_sources=False)
    assert found[0].startswith("hosts.ini:1:33: error: hosts.gw.ssh.identity: hosts.ini names a key file outside")
    allow(own_home, f"{folder}: {{paths: [~/.ssh/prod]}}\n")
    assert read(folder, files, run_sources=False).hosts["gw"].ssh.identity == "~/.ssh/prod"


def shown(folder: Path, text: str, **more: str) -> str:
    found = target(folder, text, **more)
    return f"{f'{found.user}@' if found.user else ''}{found.host}{f':{found.port}' if found.port else ''}"


DEFAULTS = {
    "admin: anna\nansible_user: '{{ deploy | default(admin) }}'": "anna@gw",
    "ansible_user: '{{ deploy | default(omit) }}'": "gw",
    "ansible_user: '{{ deploy | default(\"ben\") }}'": "ben@gw",
    "deploy: ''\nansible_user: '{{ deploy | default(\"ben\") }}'": "gw",
    "deploy: ''\nansible_user: '{{ deploy | default(\"ben\", true) }}'": "ben@gw",
    "ansible_port: '{{ p | default(2222) }}'": "gw:2222",
}


@pytest.mark.parametrize("text", DEFAULTS)
def test_a_default_stands_for_what_is_not_defined(text: str, folder: Path) -> None:
    assert shown(folder, "gw\n", group_vars__all_yml=text) == DEFAULTS[text]


NO_DEFAULTS = {
    "s: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\nansible_user: '{{ s | default(\"root\") }}'": "is encrypted by ansible-vault",
    "a: {b: anna}\nansible_user: '{{ a.b | default(\"root\") }}'": "is a template of more than names",
    'ansible_user: \'{{ lookup("env", "X") | default("root") }}\'': "is a template of more than names",
    "ansible_user: '{{ a | default(b) }}'": "names a variable that gw does not have: b",
}


@pytest.mark.parametrize("text", NO_DEFAULTS)
def test_a_default_stands_for_nothing_else(text: str, folder: Path) -> None:
    files = {"inventory.yaml": MAIN, "hosts.ini": "gw\n", "group_vars/all.yml": text}
    assert any(NO_DEFAULTS[text] in each for each in refused(folder, files, run_sources=False))


ALIKE = {
    "gw[01:02].example:2222": "gw01.example:2222",
    "[2001:db8::1]:2222": "2001:db8::1:2222",
    "gw ansible_port=2222   # odd": "gw:2222",
    "[g]\ngw\n[g:vars]\nansible_port=2222   # odd": "gw:2222",
    "gw\n[web]\ngw\n[ungrouped:vars]\nansible_user=nobody\n": "gw",
}


@pytest.mark.parametrize("text", ALIKE)
def test_what_ansible_takes_is_taken_alike(text: str, folder: Path) -> None:
    assert shown(folder, f"{text}\n") == ALIKE[text]


STRICT = {
    "[g]\ngw\n[prod:children]\ng\nrelasy": "hosts.ini:5:1: error: there is no group relasy",
    "gw\n[gatways:vars]\nansible_user=a": "hosts.ini:2:1: error: there is no group gatways",
    "[g]\ngw\n[g:vars]\nansible_user: a": "hosts.ini:4:1: error: expected name=value",
    "[g]\ngw\n[db:vars:x]\nansible_user=b": "hosts.ini:3:1: error: is no section of Ansible's",
    "gw ansible_ssh_common_args='-o StrictHostKeyChecking no'": "has a word that belongs to no option",
    "gw ansible_ssh_common_args='-o ProxyJump bastion'": "has a word that belongs to no option",
}


@pytest.mark.parametrize("text", STRICT)
def test_what_ansible_or_ssh_refuses_is_refused(text: str, folder: Path) -> None:
    found = refused(folder, {"inventory.yaml": MAIN, "hosts.ini": f"{text}\n"}, run_sources=False)
    assert any(STRICT[text] in each for each in found), found


def test_the_first_of_several_files_of_a_group_counts_and_folders_are_read_whole(folder: Path) -> None:
    files = {"inventory.yaml": MAIN.replace("hosts.ini", "inv"), "inv/a": "[web]\ngw1\n", "inv/dc2/b": "gw2\n"}
    files |= {"inv/group_vars/web/main.yml": "ansible_user: dir\n", "inv/group_vars/web.yml": "ansible_user: file\n"}
    found = read(folder, files, run_sources=False)
    assert {n: h.ssh.user for n, h in found.hosts.items()} == {"hub": "root", "gw1": "dir", "gw2": None}


def test_folders_that_cannot_be_read_are_told(folder: Path, own_home: Path) -> None:
    shared = (folder / ".." / "shared" / "all").resolve()
    shared.mkdir(parents=True)
    (shared / "main.yml").write_text("ansible_user: admin\n")
    (folder / "group_vars").symlink_to(shared.parent)
    files = {"inventory.yaml": MAIN, "hosts.ini": "gw\n"}
    assert "group_vars lies outside of the inventory's folder" in refused(folder, files, run_sources=False)[0]
    allow(own_home, f"{folder}: {{paths: [{shared.parent}]}}\n")
    assert read(folder, files, run_sources=False).hosts["gw"].ssh.user == "admin"
    (folder / "group_vars").unlink()
    (folder / "group_vars").symlink_to("group_vars")
    assert "cannot read" in refused(folder, files, run_sources=False)[0]


def test_an_encrypted_file_of_variables_is_warned_of(folder: Path) -> None:
    found = hosts(folder, "gw\n", host_vars__gw_yml="$ANSIBLE_VAULT;1.1;AES256\n3031\n")
    assert "gw.yml:1:1: warning: is encrypted: logins are without what it says of them" in found.warnings[0]


def test_groups_of_several_inventories_are_joined_and_none_takes_a_members_name(folder: Path) -> None:
    text = NETWORK + "from: [{ansible: a}, {ansible: b}]\n" + HUB + "groups: {own: [hub]}\n"
    more = {"a": "[gateways]\ngw1\n[hub]\ngw1\n[own]\ngw1\n", "b": "[gateways]\ngw2\n"}
    found = read(folder, {"inventory.yaml": text, **more}, run_sources=False)
    assert found.groups == {"own": ("hub",), "gateways": ("gw1", "gw2")}


HOSTILE = {
    "blanks": 'ansible_host: "x{{' + " " * 9000 + '"\n',
    "growth": f"a: {'x' * 900}\nb: '{'{{a}}' * 400}'\nc: '{'{{b}}' * 400}'\nansible_user: '{'{{c}}' * 900}'\n",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_template_takes_no_time(case: str, folder: Path) -> None:
    began = time.monotonic()
    refused(folder, {"inventory.yaml": MAIN, "hosts.ini": "gw\n", "group_vars/all.yml": HOSTILE[case]})
    assert time.monotonic() - began < 5


def test_too_many_hosts_and_too_deep_groups_are_refused(folder: Path) -> None:
    many = "".join(f"h{n}-[0:9999]\n" for n in range(12))
    assert "more than 50000 hosts" in refused(folder, {"inventory.yaml": MAIN, "hosts.ini": many})[0]
    deep = "[g0]\ngw\n" + "".join(f"[g{n + 1}:children]\ng{n}\n" for n in range(1500))
    assert "too deep" in refused(folder, {"hosts.ini": deep})[0]


def test_a_file_with_secrets_shows_none(folder: Path) -> None:
    text = "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG\nTOKEN t0ps3cret\nDB_PASSWORD=hunter2hunter2hunter2hunter2x\n"
    text += "x ansible_ssh_common_args='-o ProxyCommand=\"sshpass -p Hunter2 ssh -W %h:%p u@b\"'\n"
    said = "".join(refused(folder, {"inventory.yaml": MAIN, "hosts.ini": text}, run_sources=False))
    assert not [word for word in ("wJalr", "t0ps3cret", "hunter2", "Hunter2") if word in said]


def test_ansible_cfg_counts_where_no_variable_says_otherwise(folder: Path) -> None:
    config = "[defaults]\nremote_user = deploy  ; all\nremote_port=2222\n[ssh_connection]\nssh_args = -C -o ProxyJump=gate.example\n"
    files = {"inventory.yaml": MAIN, "hosts.ini": "a\nb ansible_user=root\n", "ansible.cfg": config}
    found = read(folder, files, run_sources=False)
    a, b = found.hosts["a"].ssh, found.hosts["b"].ssh
    assert (a.user, a.port, [str(jump) for jump in a.via]) == ("deploy", 2222, ["gate.example"])
    assert (b.user, b.port) == ("root", 2222)
    wrong = config.replace("2222", "no") + "[ssh_connection]\n"
    assert "ansible.cfg:3:1: error: hosts.a.ssh.port: " in refused(folder, files | {"ansible.cfg": wrong})[0]
    assert (
        "ansible.cfg:1:1: error: is no configuration" in refused(folder, files | {"ansible.cfg": "remote_user=x\n"})[0]
    )
