"""CONTRIBUTING.md's example of a step works as written: nothing but its blocks is added to a copy of the tree."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r'^    ```\w+ title="([^"]+)"\n(.*?)^    ```$', re.M | re.S)
STEPS = "interface, addresses"

PLAN = """
from dataclasses import replace

from tests.facts.test_parse import NONCE, RECORDED, read
from tests.steps.table import UP
from wgorch.inventory.load import load
from wgorch.base.assets import shipped
from wgorch.plan.playbook import load as load_playbook
from wgorch.steps import all_steps

seen = read(RECORDED.replace(f"{NONCE} end", f"{NONCE} queue\\nwg0 1000\\n{NONCE} end"))
have = seen.state(load("inventory/home-company.yaml").network)
assert {"wg0": 1000} == have.queue, have.queue
stages = load_playbook(shipped("playbooks") / "up.yaml").stages
assert "queue" in [step for steps in stages.values() for step in steps]
(change,) = all_steps()["queue"](replace(UP, queue={"wg0": 2000}), have)
print(change.what, change.why)
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with the example in it."""
    copy = tmp_path_factory.mktemp("tree") / "wgorch"
    for folder in ("wgorch", "playbooks", "inventory", "tests"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for path, code in example():
        file = copy / path
        if file.exists():
            last_field, rest = file.read_text().split("\n\n    @property\n", 1)
            code = f"{last_field}\n{code}\n    @property\n{rest}"
        file.write_text(code)
    playbook = copy / "playbooks" / "up.yaml"
    text = playbook.read_text()
    assert STEPS in text
    playbook.write_text(text.replace(STEPS, "interface, queue, addresses"))
    return copy


def example() -> list[tuple[str, str]]:
    """Path and code of each block. The blocks are in a list, four spaces to the right."""
    blocks = BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text())
    return [(path, re.sub(r"^    ", "", code, flags=re.M)) for path, code in blocks]


def run(tree: Path, *words: str) -> str:
    done = subprocess.run([sys.executable, *words], cwd=tree, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_step_touches_at_most_six_files() -> None:
    touched = {path for path, _ in example()} | {"playbooks/up.yaml", "docs/steps.md"}

    assert 4 <= len(touched) <= 6


def test_the_step_passes_its_tests_and_those_of_every_noun(tree: Path) -> None:
    run(tree, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/steps/test_nouns.py", "tests/steps/test_queue.py")


def test_the_host_is_asked_and_the_change_is_planned(tree: Path) -> None:
    assert run(tree, "-c", PLAN) == "queue of wg0 1000, not 2000\n"
