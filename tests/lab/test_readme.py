"""What README and quick start tell people to type, typed: each shell block in its order, in the reference world."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.conftest import draw
from tests.lab.conftest import INVENTORY, ROOT, Lab, own_lab
from tests.lab.test_ssh_ways import config

pytestmark = [pytest.mark.drawn(2)]

DIFFERS = ("plan",)
"""Verbs that end with 2 where something is to be done."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with own_lab("readme", tmp_path_factory) as lab:
        config(lab, "Host office-gateway\n  HostName 10.10.13.62\n  User root\n  ProxyJump root@198.51.100.66\n")
        known = lab.world.sh("controller", "cat /root/.ssh/known_hosts")
        key = lab.world.host_key("company")
        lab.world.write("controller", "/root/.ssh/known_hosts", f"{known}office-gateway {key}\n", "600")
        yield lab


def blocks(page: str) -> list[str]:
    """The wgorch lines of a page's indented blocks, without their comments."""
    text = (ROOT / page).read_text()
    return [line.split(" # ")[0].strip() for line in re.findall(r"^ {4,}(wgorch .*)$", text, re.M)]


@pytest.mark.parametrize("page", draw(["README.md", "README.zh-CN.md"], 1, salt="readme"))
def test_every_line_of_the_readme_does_what_it_says(lab: Lab, page: str) -> None:
    world, lines = lab.world, blocks(page)
    assert len(lines) > 12
    # The one that builds the world in a world is tried by every example's own test.
    lines = [line for line in lines if "rehearse" not in line]
    place = f"/root/{page.split('.')[1].lower()}"
    world.sh("controller", f"rm -rf {place} /root/.local/state && mkdir {place}")

    def run(words: list[str]) -> int:
        shell = f'cd "$0" && exec {shlex.quote(sys.executable)} -m "$@"'
        argv = ("sh", "-c", shell, place, *words)
        done = world.run("controller", *argv, check=False, env={"PYTHONPATH": str(ROOT)}, input="", timeout=200)
        assert "Traceback" not in done.stderr, done.stderr
        expected = (0, 2) if words[1] in DIFFERS else (0,)
        assert done.returncode in expected, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.returncode

    try:
        for line in lines:
            words = shlex.split(line)
            if words[1] == "check":
                # From here on the page speaks of the documents' network, and of a phone in it.
                text = INVENTORY.read_text() + "\ndevices:\n  phone:\n"
                world.write("controller", f"{place}/inventory.yaml", text)
            if words[1] in ("up", "rotate-key", "teardown"):
                words.append("--yes")
            run(words)
        assert "wg0" not in world.sh("home", "ls /sys/class/net")
    finally:
        world.sh("controller", f"rm -rf {place}")


def test_the_steps_of_the_quick_start_are_real_verbs() -> None:
    text = (ROOT / "docs" / "quickstart.md").read_text()
    named = re.findall(r"`wgorch ([a-z-]+)", text)
    assert {"init", "check", "plan", "rehearse", "up", "status", "trace", "teardown", "trust"} <= set(named)


def test_the_demo_shows_the_main_job_and_leaves_nothing() -> None:
    demo = [sys.executable, "-m", "wgorch", "demo"]
    done = subprocess.run(demo, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "demo passed" in done.stdout
