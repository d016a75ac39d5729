"""Playbooks: the order of steps is checked, a user's own steps are read, and problems have their location."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from wgorch.base.assets import shipped
from wgorch.cli.main import main
from wgorch.errors import InventoryError
from wgorch.plan.playbook import CHECKS, STAGES, Playbook, UserStep, find, load, load_checks
from wgorch.state.state import Run
from wgorch.steps import all_steps

ROOT = Path(__file__).parents[2]
HOSTS = frozenset({"home", "bcc"})

GOOD = """\
stages:
  - stage: prepare
    steps: [install, keys]
  - stage: tunnel
    steps: [interface, addresses, peers]
  - stage: traffic
    steps:
      - forwarding
      - masquerade
      - tables
      - routes
      - run: announce
        command: logger wgorch is up
        undo: logger wgorch is down
        on: [home]
      - run: count
        command: "true"
  - stage: stay
    steps: [persist]
"""


def read(tmp_path: Path, text: str, name: str = "up.yaml") -> object:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return load(path, HOSTS)


def test_the_shipped_playbook_has_every_step_once() -> None:
    playbook = load(shipped("playbooks") / "up.yaml")

    assert sorted(all_steps()) == sorted(step for step in playbook.steps(*STAGES) if isinstance(step, str))
    assert list(STAGES) == list(playbook.stages)


def test_no_packet_can_pass_before_the_rules_that_mask_it_nor_after_them() -> None:
    """On a host that forwards already: what passed unmasked once stays unmasked for as long as its connection lasts."""
    up, down = (list(load(shipped("playbooks") / f"{verb}.yaml").steps(*STAGES)) for verb in ("up", "teardown"))
    rules = ("forward_rules", "input_rules", "masquerade", "map_lans", "clamp_mss", "nft_table")
    for rule, step in product(rules, ("interface", "peers", "routes", "firewalld", "forwarding", "exit_routes")):
        assert up.index(rule) < up.index(step)
        assert down.index(step) < down.index(rule)


def test_teardown_ends_traffic_before_its_tunnel() -> None:
    playbook = load(shipped("playbooks") / "teardown.yaml")

    assert ["traffic", "tunnel", "stay"] == list(playbook.stages)
    assert set(load(shipped("playbooks") / "up.yaml").steps("tunnel", "traffic")) == set(
        playbook.steps("tunnel", "traffic")
    )


def test_a_users_own_steps_are_read(tmp_path: Path) -> None:
    playbook = load_good(tmp_path)
    announce, count = playbook.user_steps

    assert UserStep("announce", Run("logger wgorch is up", "logger wgorch is down"), frozenset({"home"})) == announce
    assert (True, False, True) == (announce.is_for("home"), announce.is_for("bcc"), count.is_for("bcc"))
    assert ["announce", "count"] == list(playbook.runs_for("home"))
    assert {"count": Run("true", "")} == playbook.runs_for("bcc")


def load_good(tmp_path: Path) -> Playbook:
    (tmp_path / "up.yaml").write_text(GOOD)
    return load(tmp_path / "up.yaml", HOSTS)


def swap(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "stages: expected a list of stages"),
        ("stages: 1\n", "stages: expected a list of stages"),
        ("- a\n", "stages: expected a list of stages"),
        ("stages: [x]\n", "expected a stage: and its steps:"),
        (swap("stage: tunnel", "stage: tunel"), 'unknown stage "tunel". Did you mean "tunnel"?'),
        (swap("[install, keys]", "[install, kyes]"), 'unknown step "kyes". Did you mean "keys"?'),
        (swap("[install, keys]", "[keys, install]"), "install must come before keys"),
        (swap("[interface, addresses, peers]", "[peers, interface, addresses]"), "interface must come before peers"),
        (swap("      - masquerade\n      - tables\n", "      - tables\n      - masquerade\n"), "masquerade must come before empty_tables"),
        (swap("[install, keys]", "[keys]").replace("peers]", "peers, install]"), "install belongs into the stage prepare"),
        (swap("[persist]", "[]").replace("peers]", "peers, persist]"), "persist belongs into the stage stay"),
        (swap("[install, keys]", "[install, [keys]]"), "expected the name of a step"),
        (swap("run: announce", "run: An;nounce"), "a run: step needs a name of a-z 0-9 - _"),
        (swap("        command: logger wgorch is up\n", ""), "run: announce needs a command: of one line"),
        (swap("command: logger wgorch is up", "command: ''"), "run: announce needs a command: of one line"),
        (swap("command: logger wgorch is up", "command: |\n          a\n          b"), "needs a command: of one line"),
        (swap("undo: logger wgorch is down", 'undo: "a\\nb"'), "undo: is one line"),
        (swap("on: [home]", "on: [hme]"), 'there is no host "hme". Did you mean "home"?'),
        (swap("on: [home]", "on: home"), "on: is a list of hosts"),
        (swap("on: [home]", "when: reboot"), "unknown field"),
        (swap("[persist]", "[persist, {run: late, command: x}]"), "run: steps belong into the stages tunnel or traffic"),
        (swap("run: count", "run: announce"), "given twice"),
        (GOOD + "  - stage: tunnel\n    steps: [peers]\n", "given twice"),
        (GOOD + "extra: 1\n", "unknown field"),
        (GOOD.replace("  - stage: stay\n    steps: [persist]\n", "").replace("stages:\n", "stages:\n  - stage: stay\n    steps: [persist]\n"), "the stages come in the order"),
        ("stages: [\n", "is opened here and never closed"),
    ],
)  # fmt: skip
def test_a_bad_playbook_is_refused_with_its_location(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InventoryError) as raised:
        read(tmp_path, text)

    assert message in str(raised.value)
    assert all("up.yaml:" in problem.split("\n")[0] for problem in raised.value.problems)


def test_a_playbook_beside_the_inventory_goes_before_the_shipped_one(tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.yaml"
    own = tmp_path / "playbooks" / "up.yaml"

    assert shipped("playbooks") / "up.yaml" == find("up.yaml", inventory)
    own.parent.mkdir()
    own.write_text(GOOD)
    assert own == find("up.yaml", inventory)
    assert shipped("playbooks") / "up.yaml" == find("up.yaml", inventory, tmp_path / "elsewhere")


def test_the_shipped_checks_are_all_there_are() -> None:
    assert frozenset(CHECKS) == load_checks(shipped("playbooks") / "verify.yaml")


def test_a_check_is_left_out_by_deleting_its_line(tmp_path: Path) -> None:
    (tmp_path / "verify.yaml").write_text("checks: [handshakes, flows]\n")

    assert {"handshakes", "flows"} == load_checks(tmp_path / "verify.yaml")


def test_an_unknown_check_is_refused_with_its_location(tmp_path: Path) -> None:
    (tmp_path / "verify.yaml").write_text("checks:\n  - handshakes\n  - flow\n")
    with pytest.raises(InventoryError) as caught:
        load_checks(tmp_path / "verify.yaml")

    assert 'verify.yaml:3:5: error: checks: unknown check "flow". Did you mean "flows"?' in str(caught.value)


def test_a_broken_playbook_is_refused_before_any_connection(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "verify.yaml").write_text("checks: all\n")
    code = main(["check", str(ROOT / "inventory" / "home-company.yaml"), "--playbooks", str(tmp_path)])

    assert code == 3
    assert "verify.yaml:1:9" in capsys.readouterr().err
