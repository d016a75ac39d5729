"""Values in common: defaults, groups, ranges of names; each mistake at its own place, and where each value comes from."""

from __future__ import annotations

import random

import pytest

from wgorch.errors import InventoryError, UsageError
from wgorch.inventory.load import load, loads
from wgorch.inventory.model import Inventory
from wgorch.inventory.names import check_host, check_names
from wgorch.inventory.show import show

TOP = "network: {name: office, subnet: 10.99.0.0/16}\n"
HUB = '  hub: {ssh: root@203.0.113.10, endpoint: "203.0.113.10:51820", relay: true}\n'

WHOLE = f"""{TOP}
defaults:
  persistent_keepalive: 15
  ssh: {{user: admin, client: openssh}}
groups:
  branches: ["branch-[01-30]"]
  north:
    members: [oslo, branch-07]
    mtu: 1400
    ssh: {{via: gate.example}}
  every-north: [north, phone]
hosts:
{HUB}  oslo: {{ssh: {{host: 10.1.1.1, port: 2222}}, persistent_keepalive: 20}}
  branch-[01-30]:
    ssh: 198.51.100.{{n}}
    address: 10.99.1.{{n}}
    subnets: ["10.10.{{n}}.0/24"]
devices:
  phone: {{}}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(InventoryError) as error:
        loads(text, "f.yaml")
    return [problem.split("\n")[0] for problem in error.value.problems]


def test_hosts_have_the_values_of_their_groups_and_the_defaults() -> None:
    found = loads(WHOLE)

    hub, oslo, seventh, last = (found.hosts[name] for name in ("hub", "oslo", "branch-07", "branch-30"))
    assert 32 == len(found.hosts)
    assert [15, 20, 15, 15] == [host.persistent_keepalive for host in (hub, oslo, seventh, last)]
    assert [None, 1400, 1400, None] == [host.mtu for host in (hub, oslo, seventh, last)]
    assert ["root", "admin", "admin", "admin"] == [host.ssh.user for host in (hub, oslo, seventh, last)]
    assert {"openssh"} == {host.ssh.client for host in found.hosts.values()}
    assert ["gate.example"] == [jump.host for jump in seventh.ssh.via]
    assert not last.ssh.via
    assert (2222, "198.51.100.7", "10.99.1.7", "10.10.7.0/24") == (
        oslo.ssh.port,
        seventh.ssh.host,
        str(seventh.addresses[0]),
        str(seventh.subnets[0]),
    )
    assert ("oslo", "branch-07", "phone") == found.groups["every-north"]
    assert 30 == len(found.groups["branches"])


def test_what_ranges_and_groups_say_is_what_a_flat_file_says() -> None:
    """Values drawn for hosts and groups: the file with groups loads to the same hosts as the one without."""
    chance = random.Random(7)
    for _ in range(200):
        names = [f"h{n}" for n in range(1, 7)]
        groups = {f"g{n}": chance.sample(names, chance.randint(1, 3)) for n in range(chance.randint(0, 2))}
        values = {group: {"mtu": chance.randint(1280, 1420)} if chance.random() < 0.7 else {} for group in groups}
        own = {name: {"mtu": chance.randint(1280, 1420)} if chance.random() < 0.3 else {} for name in names}
        default = {"mtu": 1300} if chance.random() < 0.5 else {}
        wanted, clash = {}, False
        for name in names:
            its = [values[group] for group, members in groups.items() if name in members and values[group]]
            clash = clash or (not own[name] and len({each["mtu"] for each in its}) > 1)
            wanted[name] = {**default, **(its[0] if its else {}), **own[name]}
        rows = "".join(f"  {n}: {{ssh: root@192.0.2.{n[1:]}, {_flow(own[n])}}}\n" for n in names)
        flat = "".join(f"  {n}: {{ssh: root@192.0.2.{n[1:]}, {_flow(wanted[n])}}}\n" for n in names)
        parts = "".join(f"  {g}: {{members: {members}, {_flow(values[g])}}}\n" for g, members in groups.items())
        text = TOP + (f"defaults: {{{_flow(default)}}}\n" if default else "") + (f"groups:\n{parts}" if parts else "")
        if clash:
            assert all("differs from groups." in line for line in problems(text + "hosts:\n" + HUB + rows))
            continue
        hub = HUB.replace("}\n", f", {_flow(default)}}}\n")
        assert loads(text + "hosts:\n" + HUB + rows).hosts == loads(TOP + "hosts:\n" + hub + flat).hosts, text


def _flow(values: dict[str, int]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in values.items())


MISTAKES = {
    "a group in itself": (
        "groups: {a: [b], b: [a]}\n",
        ["f.yaml:2:22: error: groups.b: a group is in itself: a -> b -> a"],
    ),
    "an unknown member": (
        "groups:\n  a: [hub, hbu]\n",
        ['f.yaml:3:12: error: groups.a: no host, device or group "hbu". Did you mean "hub"?'],
    ),
    "a group named as a host": (
        "groups: {hub: [hub]}\n",
        ["f.yaml:2:10: error: groups.hub: is the name of a host, too"],
    ),
    "no list": ("groups: {a: hub}\n", ["f.yaml:2:13: error: groups.a: expected a list of members"]),
    "a mapping without members": (
        "groups: {a: {mtu: 1400}}\n",
        ["f.yaml:2:13: error: groups.a: expected a list of members"],
    ),
    "an unknown field": (
        "groups: {a: {members: [hub], mut: 1400}}\n",
        ['f.yaml:2:30: error: groups.a.mut: unknown field. Did you mean "mtu"?'],
    ),
    "a field that hosts never share": (
        "defaults: {address: 10.99.0.1}\n",
        ["f.yaml:2:12: error: defaults.address: unknown field."],
    ),
    "a wrong value": ("defaults:\n  mtu: 9000\n", ["f.yaml:3:8: error: defaults.mtu: 9000 is above 1500"]),
    "SSH that is no mapping": ("defaults: {ssh: root@x}\n", ["f.yaml:2:17: error: defaults.ssh: expected a mapping"]),
    "an SSH host in common": (
        "defaults: {ssh: {host: x}}\n",
        ["f.yaml:2:18: error: defaults.ssh.host: unknown field."],
    ),
    "a range without an end": (
        "groups: {a: ['hub-[01]']}\n",
        ['f.yaml:2:14: error: groups.a: "hub-[01]" is no range'],
    ),
    "values of a device": (
        "groups: {a: {members: [phone], mtu: 1400}}\ndevices: {phone: {}}\n",
        ["f.yaml:2:10: error: groups.a: gives values, and its member phone is a device"],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_at_its_place(name: str) -> None:
    text, wanted = MISTAKES[name]
    said = problems(f"{TOP}{text}hosts:\n{HUB}")
    assert len(wanted) == len(said), said
    for line, begins in zip(said, wanted, strict=True):
        assert line.startswith(begins), line


RANGES = {
    "b-[2-1]: {ssh: x}": "f.yaml:4:3: error: hosts.b-[2-1]: the range 2-1 stands for nothing, or for too much",
    "b-[1-99999]: {ssh: x}": "f.yaml:4:3: error: hosts.b-[1-99999]: the range 1-99999 stands for nothing, or for too much",
    "b-[a-c]: {ssh: x}": 'f.yaml:4:3: error: hosts.b-[a-c]: "b-[a-c]" is no range',
    "b-[1-3]: {ssh: x, mut: 1}": 'f.yaml:4:21: error: hosts.b-1.mut: unknown field. Did you mean "mtu"?',
    "b-[1-3]: 7": "f.yaml:4:12: error: hosts.b-1: expected a mapping with ssh",
    'b-[254-256]: {ssh: "192.0.2.{n}"}': "f.yaml:4:22: error: hosts.b-256.ssh: ",
    "B-[1-2]: {ssh: x}": "f.yaml:4:3: error: hosts: ",
}


@pytest.mark.parametrize("line", RANGES)
def test_a_mistake_in_a_range_is_told_once(line: str) -> None:
    said = problems(f"{TOP}hosts:\n{HUB}  {line}\n")
    assert 1 == len(said), said
    assert said[0].startswith(RANGES[line]), said


def test_a_range_and_a_host_of_the_same_name_are_told() -> None:
    (said,) = problems(f"{TOP}hosts:\n{HUB}  b-2: {{ssh: x}}\n  b-[1-3]: {{ssh: y}}\n")
    assert said.startswith(
        "f.yaml:5:3: error: hosts.b-2: is given twice, by a range and by itself or another: first (4:3)"
    )


def test_two_groups_that_differ_are_told_once_and_settled_by_the_host() -> None:
    groups = "groups:\n  a: {members: ['b-[1-9]'], mtu: 1400}\n  b: {members: ['b-[1-9]'], mtu: 1300}\n"
    hosts = f"hosts:\n{HUB}  b-[1-9]: {{ssh: '192.0.2.{{n}}'%s}}\n"
    said = problems(TOP + groups + hosts % "")
    assert ["f.yaml:4:34: error: groups.b.mtu: differs from groups.a.mtu (3:34), and b-1 is in both groups"] == said
    assert {1350} == {h.mtu for n, h in loads(TOP + groups + hosts % ", mtu: 1350").hosts.items() if n != "hub"}
    ssh = groups.replace("mtu: 1400", "ssh: {user: a}").replace("mtu: 1300", "ssh: {user: b}")
    assert "groups.b.ssh.user: differs from groups.a.ssh.user" in problems(TOP + ssh + hosts % "")[0]
    assert {"c"} == {
        h.ssh.user for n, h in loads(TOP + ssh + (hosts % "").replace("'192", "'c@192")).hosts.items() if n != "hub"
    }


def test_a_rule_that_a_groups_value_breaks_is_shown_at_the_group() -> None:
    text = f"{TOP}groups:\n  g: {{members: [a, b], subnets: [10.10.0.0/24]}}\nhosts:\n{HUB}  a: {{ssh: x}}\n  b: {{ssh: y}}\n"
    assert all(line.startswith("f.yaml:3:") for line in problems(text))


@pytest.fixture
def whole() -> Inventory:
    return loads(WHOLE, "f.yaml")


def test_a_limit_takes_groups(whole: Inventory) -> None:
    assert {"oslo", "branch-07", "hub"} == check_names(whole, ["every-north", "hub"])
    assert 30 == len(check_names(whole, ["branches"]))
    with pytest.raises(UsageError, match=r'no host "brnches" .* Did you mean "branches"'):
        check_names(whole, ["brnches"])


def test_a_host_is_shown_with_the_place_of_each_value(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("show") / "f.yaml"
    path.write_text(WHOLE)
    lines = [line.replace(str(path), "f") for line in show(load(path), "branch-07")]
    assert [
        "branch-07:  # in branches, north, every-north",
        "  ssh: {host: 198.51.100.7, user: admin, via: [gate.example], client: openssh}  # f:17, f:11, f:5",
        "  address: 10.99.1.7  # f:18",
        "  subnets: [10.10.7.0/24]  # f:19",
        "  mtu: 1400  # f:10",
        "  persistent_keepalive: 15  # f:4",
    ] == lines


def test_a_thousand_hosts_fit_on_a_page() -> None:
    rows = "".join(
        f"  s{block}-[1-250]:\n    ssh: root@10.20.{block}.{{n}}\n    address: 10.99.{block}.{{n}}\n"
        f'    subnets: ["10.{100 + block}.{{n}}.0/24"]\n'
        for block in range(1, 5)
    )
    text = f"{TOP}hosts:\n{HUB}{rows}"
    assert len(text.split("\n")) < 60
    assert 1001 == len(loads(text).hosts)


def test_a_host_may_say_that_it_has_none_of_a_value() -> None:
    text = f"{TOP}defaults: {{ssh: {{via: gate, user: admin}}}}\nhosts:\n{HUB}  gate: {{ssh: {{host: 192.0.2.1, via: []}}}}\n  a: {{ssh: x}}\n"
    found = loads(text).hosts
    assert ((), "admin") == (found["gate"].ssh.via, found["gate"].ssh.user)
    assert ["gate"] == [jump.host for jump in found["a"].ssh.via]


def test_this_machine_has_no_ssh_in_common() -> None:
    groups = "groups:\n  a: {members: [me], ssh: {user: a}}\n  b: {members: [me], ssh: {user: b}}\n"
    assert loads(f"{TOP}{groups}hosts:\n{HUB}  me: {{ssh: local}}\n").hosts["me"].ssh.local


def test_a_host_is_not_a_group(whole: Inventory) -> None:
    assert "oslo" == check_host(whole, "oslo")
    with pytest.raises(UsageError, match="north is a group"):
        check_host(whole, "north")
