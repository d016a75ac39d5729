"""A command as source: what it prints, how it fails, and who allows it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.inventory.sources.inventories import HUB, NETWORK, allow, folder, own_home, read, refused, write
from wgorch.errors import InventoryError
from wgorch.inventory.dump import dump, dump_text
from wgorch.inventory.load import load, loads
from wgorch.inventory.nodes import Mapping, Node, Scalar, Sequence
from wgorch.inventory.show import show
from wgorch.inventory.sources.json_nodes import read_json

__all__ = ["folder", "own_home"]

MAIN = NETWORK + "from: {command: [./members]}\n" + HUB


def printing(text: str) -> str:
    return f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n"


GOOD = {
    "version": 1,
    "hosts": {"gw": {"ssh": {"host": "198.51.100.7", "user": "root"}, "subnets": ["10.1.0.0/24"], "masquerade": False}},
    "devices": {"phone": {"address": "10.99.0.200"}},
    "groups": {"north": ["gw"]},
    "links": ["gw -- hub"],
    "verify": ["hub -> 10.1.0.9", {"hub -> 10.1.0.8": "tcp 22"}],
}


def test_what_it_prints_is_part_of_the_inventory(folder: Path) -> None:
    one = read(folder, {"inventory.yaml": MAIN, "members": printing(json.dumps(GOOD, indent="\t"))})
    sections = {key: value for key, value in GOOD.items() if key != "version"}
    sections["hosts"] = {"hub": {"ssh": "root@203.0.113.10", "endpoint": "203.0.113.10:51820", "relay": True}} | GOOD[
        "hosts"
    ]  # type: ignore[operator]
    other = loads(NETWORK + yaml.safe_dump(sections, sort_keys=False))

    assert one.hosts == other.hosts
    assert one.devices == other.devices
    assert (one.groups, one.links, one.verify) == (other.groups, other.links, other.verify)
    assert one.has_sources
    assert one.included == ()
    assert dump(loads(dump_text(one))) == dump(one)  # a plan file keeps it so, and asks no source again


def test_a_value_is_shown_with_the_output_that_it_stands_in(folder: Path) -> None:
    inventory = read(folder, {"inventory.yaml": MAIN, "members": printing(json.dumps(GOOD, indent=1))})
    lines = [line.replace(f"{folder}/", "") for line in show(inventory, "gw")]
    assert lines[3] == "  subnets: [10.1.0.0/24]  # output of ./members:9"
    assert "masquerade: false  # output of ./members:12" in lines[-1]


def test_the_inventory_completes_what_a_source_gives(folder: Path) -> None:
    own = NETWORK + "from: {command: [./members]}\nhosts:\n  gw: {relay: true, endpoint: 198.51.100.7:7, subnets: []}\n"
    own += "groups:\n  north: {mtu: 1300}\n"
    found = read(folder, {"inventory.yaml": own, "members": printing(json.dumps(GOOD | {"links": [], "verify": []}))})
    gw = found.hosts["gw"]
    assert (gw.ssh.host, gw.ssh.user, gw.relay, gw.subnets, gw.mtu) == ("198.51.100.7", "root", True, (), 1300)


def source(text: str, **more: str) -> dict[str, str]:
    return {"inventory.yaml": NETWORK + f"from: {text}\n" + HUB, **more}


FAILURES: dict[str, tuple[dict[str, str], str]] = {
    "not there": (source("{command: [./none]}"), "inventory.yaml:2:7: error: from[0].command: ./none cannot be run"),
    "not to be run": (source("{command: [./none]}", none="x"), "from[0].command: ./none cannot be run"),
    "fails": (
        source("{command: [./m]}", m="#!/bin/sh\necho one >&2; echo 'no state: \033[31mlogin' >&2; exit 3\n"),
        "inventory.yaml:2:7: error: from[0].command: ended with 3: no state: \\x1b[31mlogin",
    ),
    "is killed": (source("{command: [./m]}", m="#!/bin/sh\nkill -9 $$\n"), "ended with -9"),
    "prints nothing": (source("{command: [./m]}", m="#!/bin/sh\ntrue\n"), "from[0].command: printed nothing"),
    "prints too much": (source("{command: [yes]}"), "from[0].command: prints more than 16 MiB"),
    "is slow": (
        source("{command: [sleep, '60'], timeout: 1s}"),
        "from[0].command: took longer than 1 s\n",
    ),
    "is slow in the background": (
        source("{command: [./m], timeout: 1s}", m="#!/bin/sh\nsleep 60 &\necho '{}'\n"),
        "from[0].command: took longer than 1 s\n",
    ),
    "no JSON": (
        source("{command: [./m]}", m=printing('{"hosts":\n {"a": secret}}')),
        "output of ./m:2:8: error: not JSON: expected a value\n    fix: ./m is to print one JSON object",
    ),
    "two values": (source("{command: [./m]}", m=printing("{}\n{}")), "output of ./m:2:1: error: not JSON: more behind"),
    "a list": (source("{command: [./m]}", m=printing("[]")), "output of ./m:1:1: error: expected an object with some"),
    "a name twice": (
        source("{command: [./m]}", m=printing('{"hosts": {"a": {}, "a": {}}}')),
        "output of ./m:1:21: error: not JSON: the name is given twice",
    ),
    "too deep": (source("{command: [./m]}", m=printing("[" * 5000)), "not JSON: nested deeper than 20 levels"),
    "another version": (
        source("{command: [./m]}", m=printing('{"version": 2, "hosts": {}}')),
        "output of ./m:1:13: error: version: is not 1",
    ),
    "a section of the inventory's": (
        source("{command: [./m]}", m=printing('{"approve": {"needs": 1}}')),
        "output of ./m:1:2: error: approve: is no section of a source",
    ),
    "no member": (source("{command: [./m]}", m=printing('{"hosts": {}}')), "./m gives no host and no device"),
    "a wrong field": (
        source("{command: [./m]}", m=printing('{"hosts":\n {"gw": {"ssh": "a", "subnet": "10.1.0.0/24"}}}')),
        'output of ./m:2:22: error: hosts.gw.subnet: unknown field. Did you mean "subnets"?',
    ),
    "a wrong value": (
        source("{command: [./m]}", m=printing('{"hosts":\n {"gw": {"ssh": "a",\n"relay": 1}}}')),
        "output of ./m:3:10: error: hosts.gw.relay: ",
    ),
    "a name that the file has as something else": (
        source("{command: [./m]}", m=printing('{"hosts": {"hub": 3}}')),
        "inventory.yaml:4:3: error: hosts.hub: is also given at output of ./m:1:19",
    ),
    "a list where a mapping belongs": (
        source("{command: [./m]}", m=printing('{"hosts": ["a"], "devices": {"p": {}}}')),
        "output of ./m:1:11: error: hosts: expected a mapping",
    ),
    "two sources with one name": (
        source("[{command: [./m]}, {command: [./n]}]", m=printing('{"hosts": {"a": {"ssh": "a"}}}'), n=printing('{"hosts":\n{"a": {"ssh": "b"}}}')),
        "output of ./n:2:2: error: hosts.a: is given by two sources (first at output of ./m:1:12)",
    ),
    "a key file of the person's": (
        source("{command: [./m]}", m=printing('{"hosts": {"a": {"ssh": {"host": "a", "identity": "~/.ssh/prod"}}}}')),
        "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", [case for case in FAILURES if FAILURES[case][1]])
def test_a_source_that_does_not_give_members_is_an_error(case: str, folder: Path) -> None:
    files, expected = FAILURES[case]
    began = time.monotonic()
    found = refused(folder, files)
    assert expected in "\n".join(found)
    assert len(found) <= 2
    assert time.monotonic() - began < 10
    assert "secret" not in "\n".join(found)


MISTAKES = {
    "{}": "inventory.yaml:2:7: error: from[0]: expected one of command, ansible, netbox",
    "x": "inventory.yaml:2:7: error: from[0]: expected a mapping",
    "[x]": "inventory.yaml:2:8: error: from[0]: expected a mapping",
    "{command: [a], ansible: b}": "from[0]: expected one of command, ansible, netbox",
    "{command: a b}": "inventory.yaml:2:17: error: from[0].command: expected a list of words",
    "{command: []}": "from[0].command: expected a list of words",
    "{command: [[a]]}": "from[0].command: expected a list of words",
    "{command: ['']}": "from[0].command: expected a list of words",
    "{command: [a], timeout: 30}": "from[0].timeout: expected a time with its unit",
    "{command: [a], timeout: 1h}": "from[0].timeout: 1h is above",
    "{command: [a], tag: b}": "inventory.yaml:2:22: error: from[0].tag: unknown field",
    "{comand: [a]}": 'from[0].comand: unknown field. Did you mean "command"?',
    "{ansible: [a]}": "from[0].ansible: expected a path, got a list",
    "{ansible: none.ini}": "inventory.yaml:2:17: error: from[0].ansible: is not there",
    "{netbox: netbox.example, tag: a}": "from[0].netbox: expected a URL of http or https",
    "{netbox: 'file:///etc/passwd', tag: a}": "from[0].netbox: expected a URL of http or https",
    "{netbox: 'https://a:b@netbox.example', tag: a}": "from[0].netbox: expected a URL of http or https",
    "{netbox: https://netbox.example}": "from[0].tag: missing",
    "{netbox: https://netbox.example, tag: a, token: 0123456789abcdef}": "from[0].token: a token does not belong into",
    "{netbox: https://netbox.example, tag: a, token: {env: A, file: b}}": "from[0].token: expected one of env, file",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_in_the_section_is_told_at_its_place(text: str, folder: Path) -> None:
    found = refused(folder, source(text))
    assert MISTAKES[text] in found[0]
    assert "0123456789abcdef" not in "".join(found)
    assert "a:b@" not in "".join(found)


def test_an_included_file_and_a_text_have_no_sources(folder: Path) -> None:
    files = {"inventory.yaml": NETWORK + "include: [a.yaml]\n" + HUB, "a.yaml": "from: {command: [id]}\n"}
    assert "a.yaml:1:1: error: from: only the inventory itself has from:" in refused(folder, files)[0]
    with pytest.raises(InventoryError, match="only a file can have from:"):
        loads(NETWORK + "from: {command: [id]}\n" + HUB)


# --- who allows it


def test_nothing_runs_that_the_person_does_not_allow(folder: Path, own_home: Path) -> None:
    files = {"inventory.yaml": MAIN, "members": "#!/bin/sh\ntouch ran\necho '{}'\n"}
    found = refused(folder, files, run_sources=False)
    assert "inventory.yaml:2:7: error: from[0].command: is not run: only you can allow it" in found[0]
    assert "--run-sources, or in ~/.config/wgorch/sources.yaml: HERE: {commands: [[./members]]}" in found[0]
    assert not (folder / "ran").exists()

    allow(own_home, f"{folder}/other: {{commands: [[./members]]}}\n{folder}: {{commands: [[./members, -x]]}}\n")
    assert "is not run" in refused(folder, files, run_sources=False)[0]
    assert not (folder / "ran").exists()


@pytest.mark.parametrize("where", ["{folder}", "{folder}/", "{folder}/..", "/"])
def test_the_person_allows_a_command_for_a_folder_and_those_in_it(where: str, folder: Path, own_home: Path) -> None:
    allow(own_home, f"{where.format(folder=folder)}: {{commands: [[./members]]}}\n")
    files = {"inventory.yaml": MAIN, "members": printing(json.dumps(GOOD))}
    assert "gw" in read(folder, files, run_sources=False).hosts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- x\n", "sources.yaml:1:1: error: expected a mapping of folders"),
        ("net: {commands: []}\n", "sources.yaml:1:1: error: net: expected the folder of inventories"),
        ("/net: [a]\n", "sources.yaml:1:7: error: /net: expected a mapping"),
        ("/net: {command: [a]}\n", 'sources.yaml:1:8: error: /net.command: unknown field. Did you mean "commands"?'),
        ("/net: {commands: [a b]}\n", "sources.yaml:1:19: error: /net.commands: expected a list of words"),
        ("/net: {paths: [a]}\n", "sources.yaml:1:16: error: /net.paths: expected an absolute path"),
        ("/net: {netbox: {https://a.example/x: }}\n", "expected the start of a URL alone"),
        ("/net: {netbox: {https://a.example: secretsecret}}\n", "a token does not belong into the file"),
    ],
)
def test_a_mistake_in_the_own_configuration_is_told_at_its_place(
    text: str, expected: str, folder: Path, own_home: Path
) -> None:
    allow(own_home, text)
    found = refused(folder, {"inventory.yaml": MAIN, "members": printing("{}")}, run_sources=False)
    assert expected in found[0]
    assert "secretsecret" not in found[0]


def test_a_configuration_that_others_may_write_allows_nothing(folder: Path, own_home: Path) -> None:
    allow(own_home, f"{folder}: {{commands: [[./members]]}}\n")
    (own_home / "config" / "wgorch" / "sources.yaml").chmod(0o666)
    found = refused(folder, {"inventory.yaml": MAIN, "members": printing("{}")}, run_sources=False)
    assert "others may write it" in found[0]


def test_a_key_file_that_only_a_source_names_needs_the_persons_word(folder: Path, own_home: Path) -> None:
    files, _ = FAILURES["a key file of the person's"]
    allow(own_home, f"{folder}: {{commands: [[./m]]}}\n")
    found = refused(folder, files, run_sources=False)
    assert "output of ./m:1:51: error: hosts.a.ssh.identity: ./m names a key file outside" in found[0]
    allow(own_home, f"{folder}: {{commands: [[./m]], paths: [~/.ssh]}}\n")
    assert read(folder, files, run_sources=False).hosts["a"].ssh.identity == "~/.ssh/prod"


@pytest.mark.parametrize(
    "given",
    [
        {"hosts": {"a": {"ssh": {"host": "a", "identity": "%d/.ssh/id_rsa"}}}},
        {"hosts": {"a": {"ssh": {"host": "a", "identity": "${HOME}/.ssh/id_rsa"}}}},
        {"hosts": {"a": {"ssh": {"host": "a", "via": [{"host": "b", "identity": "~/.ssh/id_rsa"}]}}}},
        {"hosts": {"a": {"ssh": "a"}}, "groups": {"g": {"members": ["a"], "ssh": {"identity": "~/.ssh/id_rsa"}}}},
    ],
)
def test_no_way_leads_around_the_rule_for_key_files(given: dict[str, object], folder: Path, own_home: Path) -> None:
    allow(own_home, f"{folder}: {{commands: [[./members]]}}\n")
    found = refused(folder, {"inventory.yaml": MAIN, "members": printing(json.dumps(given))}, run_sources=False)
    assert "names a key file outside of the inventory's folder" in found[0]


def test_a_secret_is_shown_by_no_other_problem(folder: Path, own_home: Path) -> None:
    url = "{netbox: 'https://user:Passw0rd@nb.example', tagg: x}"
    assert "Passw0rd" not in "".join(refused(folder, source(url)))
    for text in (
        "/net: {netbox: {https://nb.example: 0123456789abcdef}, pathz: [/x]}\n",
        "/net: {netbox: {https://nb.example: 0123456789abcdef\n",
    ):
        allow(own_home, text)
        assert "0123456789abcdef" not in "".join(refused(folder, {"inventory.yaml": MAIN, "members": printing("{}")}))


# --- what it said last time


def members(count: int) -> str:
    return printing(json.dumps({"hosts": {f"h{n}": {"ssh": f"h{n}"} for n in range(count)}}))


def test_a_source_that_gives_less_than_half_is_an_error(folder: Path, own_home: Path) -> None:
    read(folder, {"inventory.yaml": MAIN, "members": members(10)})
    for few in (4, 4, 0):
        found = refused(folder, {"members": members(few)})
        assert f"./members gives {few} of the 10" in found[0] or "gives no host" in found[0]
    assert len(read(folder, {"members": members(5)}).hosts) == 6
    assert "gives 2 of the 5 members that it gave last time" in refused(folder, {"members": members(2)})[0]

    (own_home / "state" / "wgorch" / "sources.json").unlink()
    assert len(read(folder, {"members": members(2)}).hosts) == 3


def test_a_range_counts_as_what_it_stands_for_and_the_path_in_any_form(folder: Path) -> None:
    def given(last: int) -> str:
        return printing(json.dumps({"hosts": {f"gw-[1-{last}]": {"ssh": "gw-{n}"}}}))

    read(folder, {"inventory.yaml": MAIN, "members": given(100)})
    assert "gives 2 of the 100 members" in refused(folder, {"members": given(2)})[0]
    with pytest.raises(InventoryError, match="gives 2 of the 100 members"):
        load(folder / ".." / folder.name / "inventory.yaml", run_sources=True)


def test_a_broken_memory_is_none(folder: Path, own_home: Path) -> None:
    memory = own_home / "state" / "wgorch" / "sources.json"
    for text in ("", "[", "[]", '{"%s": 3}' % (folder / "inventory.yaml"), "[" * 100_000):
        memory.parent.mkdir(parents=True, exist_ok=True)
        memory.write_text(text)
        assert len(read(folder, {"inventory.yaml": MAIN, "members": members(2)}).hosts) == 3


def test_a_state_folder_that_cannot_be_written_is_no_error(folder: Path, own_home: Path) -> None:
    (own_home).mkdir()
    (own_home / "state").write_text("")
    assert read(folder, {"inventory.yaml": MAIN, "members": members(2)}).hosts


# --- JSON


def plain(node: Node) -> object:
    if isinstance(node, Mapping):
        return {key.text: plain(value) for key, value in node.items}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return node.text if not node.plain else json.loads(node.text or "null")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_json_is_read_as_json_reads_it(value: object, indent: int | str | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert plain(read_json(text, "f")) == value


@given(st.text(alphabet='{}[]",:\\ \n0123eE+-.truefalsn'))
def test_any_text_is_json_for_both_or_for_none(text: str) -> None:
    try:
        value: object = json.loads(
            text, object_pairs_hook=lambda pairs: dict(pairs) if len(dict(pairs)) == len(pairs) else 1 / 0
        )
        good = True
    except (ValueError, ZeroDivisionError):
        good = False
    try:
        assert plain(read_json(text, "f")) == value
        assert good
    except json.JSONDecodeError:
        assert not good or text.count("[") + text.count("{") > 20


def test_places_count_from_one_across_lines() -> None:
    root = read_json('{"a":\n  [1,\n   "b"]}', "f")
    assert isinstance(root, Mapping)
    key, items = root.items[0]
    assert isinstance(items, Sequence)
    places = [(node.line, node.column) for node in (key, items, *items.items)]
    assert places == [(1, 2), (2, 3), (2, 4), (3, 4)]
    assert isinstance(items.items[1], Scalar)


def test_the_inventory_itself_may_be_without_hosts(folder: Path) -> None:
    text = NETWORK + "from: {command: [./members]}\n"
    hub = {"hub": {"ssh": "root@203.0.113.10", "endpoint": "203.0.113.10:51820"}}
    write(folder, {"inventory.yaml": text, "members": printing(json.dumps({"hosts": hub}))})
    assert list(load(folder / "inventory.yaml", run_sources=True).hosts) == ["hub"]
