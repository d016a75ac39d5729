"""An inventory in several files: the same as in one, and each mistake told at the file that a person has to edit."""

from __future__ import annotations

import itertools
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import LONG
from tests.networks import as_yaml, inventories
from wgorch.errors import InventoryError
from wgorch.inventory.dump import dump
from wgorch.inventory.edit import add_fields
from wgorch.inventory.load import load, loads
from wgorch.inventory.model import Inventory
from wgorch.inventory.show import show
from wgorch.plan.members import Record, parse
from wgorch.report.files import edit_inventory
from wgorch.topology.topology import build

MAIN = "network: {name: office, subnet: 10.99.0.0/16}\ninclude: [sites/*.yaml]\n"
HUB = 'hosts:\n  hub: {ssh: root@203.0.113.10, endpoint: "203.0.113.10:51820", relay: true}\n'


def write(place: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    return place / "inventory.yaml"


def problems(place: Path, files: dict[str, str]) -> list[str]:
    with pytest.raises(InventoryError) as error:
        load(write(place, files))
    return [problem.split("\n")[0].replace(f"{place}/", "") for problem in error.value.problems]


def test_an_inventory_split_into_files_is_the_same(tmp_path: Path) -> None:
    """Sections and members are dealt to files at random, 60 times."""
    chance = random.Random(3)
    members = {f"h{n}": f"{{ssh: root@192.0.2.{n}, address: 10.99.0.{n}}}" for n in range(1, 9)}
    flows = [f"h{n} -> h{n + 1}" for n in range(1, 8)]
    one = MAIN.split("\n")[0] + f"\n{HUB}" + "".join(f"  {n}: {text}\n" for n, text in members.items())
    one += "groups: {all-hosts: [h1, h2, h3]}\ndefaults: {mtu: 1300}\n"
    whole = loads(one + "verify:\n" + "".join(f"  - {flow}\n" for flow in flows))
    for number in range(60):
        place = tmp_path / str(number)
        parts: dict[str, list[str]] = {f"sites/{n}.yaml": [] for n in range(chance.randint(1, 5))}
        hosts: dict[str, list[str]] = {file: [] for file in [*parts, "inventory.yaml"]}
        lines: dict[str, list[str]] = {file: [] for file in hosts}
        for name, text in members.items():
            hosts[chance.choice(list(hosts))].append(f"  {name}: {text}\n")
        for flow in flows:
            lines[chance.choice(list(lines))].append(f"  - {flow}\n")
        files = {}
        for file in hosts:
            text = "hosts:\n" + "".join(hosts[file]) if hosts[file] else ""
            files[file] = text + ("verify:\n" + "".join(lines[file]) if lines[file] else "")
        files["inventory.yaml"] = MAIN + files["inventory.yaml"]
        files["sites/hub.yaml"] = HUB
        files["sites/common.yaml"] = "defaults: {mtu: 1300}\ngroups: {all-hosts: [h1, h2, h3]}\n"
        files = {file: text or "links: []\n" for file, text in files.items()}
        files = {file: "groups: {}\n" if text == "links: []\n" else text for file, text in files.items()}
        found = load(write(place, files))
        assert found.hosts == whole.hosts
        assert set(found.verify) == set(whole.verify)
        assert found.groups == whole.groups
        assert len(found.included) == len(files) - 1


@settings(max_examples=10_000 if LONG else 40, deadline=None, suppress_health_check=list(HealthCheck))
@given(inventories(most=60), st.randoms(use_true_random=False))
def test_any_inventory_in_50_files_is_the_same_plan_as_in_one(inventory: Inventory, chance: random.Random) -> None:
    """Members, links and tests are dealt to files; relays stay in theirs, whose order is that of preference."""
    data = yaml.safe_load(as_yaml(inventory))
    names = list(inventory.hosts)
    data["verify"] = [f"{a} -> {b}" for a, b in itertools.pairwise(names)]
    whole = loads(yaml.safe_dump(data, sort_keys=False))
    files: dict[str, dict[str, Any]] = {f"sites/{number:02}.yaml": {} for number in range(50)}
    main: dict[str, Any] = {"network": data["network"], "include": ["sites/*.yaml"], "hosts": {}}
    for name, host in data["hosts"].items():
        part = main if host.get("relay") else chance.choice([main, *files.values()])
        part.setdefault("hosts", {})[name] = host
    for flow in data["verify"]:
        chance.choice([main, *files.values()]).setdefault("verify", []).append(flow)
    if "links" in data:
        chance.choice([main, *files.values()])["links"] = data["links"]
    texts = {name: yaml.safe_dump(part or {"groups": {}}) for name, part in files.items()}
    main["hosts"] = main["hosts"] or {names[0]: data["hosts"][names[0]]}
    for part in (text for text in texts if names[0] in (files[text].get("hosts") or {}) and names[0] in main["hosts"]):
        files[part]["hosts"].pop(names[0])
        texts[part] = yaml.safe_dump(files[part] if files[part]["hosts"] else {"groups": {}} | files[part])
    with tempfile.TemporaryDirectory() as folder:
        found = load(write(Path(folder), {"inventory.yaml": yaml.safe_dump(main, sort_keys=False), **texts}))

    one, other = dump(whole), dump(found)
    for section in ("verify",):
        one[section], other[section] = sorted(one.get(section, [])), sorted(other.get(section, []))
    assert one == other
    left, right = build(whole), build(found)
    for name in names:
        mine, theirs = left.desired(name), right.desired(name)
        assert sorted(mine.links) == sorted(theirs.links)
        assert set(mine.routes) == set(theirs.routes)


MISTAKES: dict[str, tuple[dict[str, str], list[str]]] = {
    "a name twice": (
        {"inventory.yaml": MAIN + HUB, "sites/a.yaml": "hosts:\n  hub: {ssh: x}\n"},
        ["sites/a.yaml:2:3: error: hosts.hub: given twice (first at 4:3)"],
    ),
    "a name twice in two files": (
        {
            "inventory.yaml": MAIN + HUB,
            "sites/a.yaml": "hosts: {x: {ssh: x}}\n",
            "sites/b.yaml": "hosts: {x: {ssh: y}}\n",
        },
        ["sites/b.yaml:1:9: error: hosts.x: given twice (first at sites/a.yaml:1:9)"],
    ),
    "a field": (
        {"inventory.yaml": MAIN + HUB, "sites/a.yaml": "hosts:\n  a: {ssh: x, mut: 3}\n"},
        ['sites/a.yaml:2:15: error: hosts.a.mut: unknown field. Did you mean "mtu"?'],
    ),
    "a rule across files": (
        {
            "inventory.yaml": MAIN + HUB.replace("relay: true", "subnets: [10.1.0.0/24]"),
            "sites/a.yaml": "hosts:\n  a: {ssh: x, subnets: [10.1.0.0/24]}\n",
        },
        ["sites/a.yaml:2:25: error: hosts.a.subnets[0]: 10.1.0.0/24 equals hosts.hub.subnets[0] 10.1.0.0/24 (4:"],
    ),
    "network twice": (
        {"inventory.yaml": MAIN + HUB, "sites/a.yaml": "network: {name: x, subnet: 10.0.0.0/8}\n"},
        ["sites/a.yaml:1:1: error: network: given twice (first at 1:1)"],
    ),
    "an unknown section": (
        {"inventory.yaml": MAIN + HUB, "sites/a.yaml": "hots: {}\n"},
        ['sites/a.yaml:1:1: error: hots: unknown field. Did you mean "hosts"?'],
    ),
    "no YAML": (
        {"inventory.yaml": MAIN + HUB, "sites/a.yaml": "hosts: [\n"},
        ["sites/a.yaml:"],
    ),
    "a list": (
        {"inventory.yaml": MAIN + HUB, "sites/a.yaml": "- a\n"},
        ["sites/a.yaml:1:1: error: expected a mapping with some of: network, defaults, groups, hosts"],
    ),
    "an empty file": (
        {"inventory.yaml": MAIN + HUB, "sites/a.yaml": ""},
        ["sites/a.yaml:1:1: error: expected a mapping with some of: network"],
    ),
    "an include in an included file": (
        {"inventory.yaml": MAIN + HUB, "sites/a.yaml": "include: [b.yaml]\n"},
        ["sites/a.yaml:1:1: error: include: only the inventory itself has include:"],
    ),
    "no file": (
        {"inventory.yaml": MAIN + HUB},
        ["inventory.yaml:2:11: error: include[0]: no file matches sites/*.yaml in "],
    ),
    "a way out": (
        {"inventory.yaml": MAIN.replace("sites/*.yaml", "../x.yaml") + HUB},
        ["inventory.yaml:2:11: error: include[0]: ../x.yaml leads out of the inventory's folder"],
    ),
    "an absolute path": (
        {"inventory.yaml": MAIN.replace("sites/*.yaml", "/etc/shadow") + HUB},
        ["inventory.yaml:2:11: error: include[0]: /etc/shadow leads out of the inventory's folder"],
    ),
    "no pattern": (
        {"inventory.yaml": MAIN.replace("sites/*.yaml", "a**") + HUB},
        ["inventory.yaml:2:11: error: include[0]: a** is no pattern of files"],
    ),
    "the folder itself": (
        {"inventory.yaml": MAIN.replace("sites/*.yaml", ".") + HUB},
        ["inventory.yaml:2:11: error: include[0]: . is no pattern of files"],
    ),
    "a mapping": (
        {"inventory.yaml": MAIN.replace("[sites/*.yaml]", "{a: b}") + HUB},
        ["inventory.yaml:2:10: error: include[0]: expected a file"],
    ),
    "a section of another kind": (
        {"inventory.yaml": MAIN + HUB, "sites/a.yaml": "hosts: [a]\n"},
        ["sites/a.yaml:1:1: error: hosts: given twice (first at 3:1), and one of them is neither a list nor a mapping"],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_at_its_own_file(tmp_path: Path, name: str) -> None:
    files, wanted = MISTAKES[name]
    said = problems(tmp_path, files)
    assert len(wanted) == len(said), said
    for line, begins in zip(said, wanted, strict=True):
        assert line.startswith(begins), line


def test_a_link_that_leads_out_is_refused_and_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("root:hunter2:0\n")
    place = tmp_path / "inventories"
    (place / "sites").mkdir(parents=True)
    (place / "sites" / "a.yaml").symlink_to(tmp_path / "secret.txt")
    said = problems(place, {"inventory.yaml": MAIN + HUB})
    assert "sites/a.yaml leads out of the inventory's folder" in said[0]
    assert "hunter2" not in "".join(said)


def test_only_a_file_includes_files() -> None:
    """What a host tells of a network is text, and reads nothing of this machine."""
    with pytest.raises(InventoryError) as error:
        loads(MAIN + HUB)
    assert "only a file can have include:" in error.value.problems[0]
    record = (
        '{"network": {"name": "office", "subnet": "10.99.0.0/24"}, "include": ["*.yaml"], "hosts": {"a": {"ssh": "x"}}}'
    )
    assert parse(Record(1, 1, "x", record, "bcc")) is None


def test_a_value_is_shown_with_its_file(tmp_path: Path) -> None:
    path = write(tmp_path, {"inventory.yaml": MAIN + HUB, "sites/a.yaml": "hosts:\n  a: {ssh: root@x, mtu: 1300}\n"})
    lines = [line.replace(f"{tmp_path}/", "") for line in show(load(path), "a")]
    assert "  mtu: 1300  # sites/a.yaml:2" in lines


def test_a_device_is_edited_in_the_file_that_it_stands_in(tmp_path: Path) -> None:
    path = write(tmp_path, {"inventory.yaml": MAIN + HUB, "sites/a.yaml": "devices:\n  phone: {}   # of anna\n"})
    part = load(path).locations.file_of("devices.phone")
    assert part == str(tmp_path / "sites/a.yaml")
    key = "Id0bZVRIPHIdOi6ur5ygZ6f4gs0thaLwBRhjeudYxng="

    edit_inventory(str(path), lambda text: add_fields(text, ["devices", "phone"], {"public_key": key}), part=part)
    assert load(path).devices["phone"].public_key == key
    assert "# of anna" in Path(part).read_text()
    before = Path(part).read_text()
    with pytest.raises(InventoryError):
        edit_inventory(str(path), lambda text: text + "hosts: {hub: {ssh: y}}\n", part=part)
    assert before == Path(part).read_text()
    edit_inventory(str(path), lambda text: text.replace("relay: true", "relay: true, mtu: 1300"))
    assert load(path).hosts["hub"].mtu == 1300


def test_links_in_a_circle_are_named(tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "a.yaml").symlink_to("b.yaml")
    (tmp_path / "sites" / "b.yaml").symlink_to("a.yaml")
    assert all(
        "inventory.yaml:2:11: error: include[0]: " in line
        for line in problems(tmp_path, {"inventory.yaml": MAIN + HUB})
    )


def test_line_ends_of_an_included_file_stay(tmp_path: Path) -> None:
    path = write(tmp_path, {"inventory.yaml": MAIN + HUB})
    part = tmp_path / "sites/a.yaml"
    part.parent.mkdir()
    part.write_bytes(b"devices:\r\n  phone: {}\r\n")
    edit_inventory(str(path), lambda text: text.replace("phone", "tablet"), part=str(part))
    assert part.read_bytes() == b"devices:\r\n  tablet: {}\r\n"
