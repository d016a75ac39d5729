"""Every example under inventory/ is rehearsed: its world is built, the network comes up in it, and goes away again."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import draw
from tests.lab.conftest import ROOT

pytestmark = pytest.mark.slow(30)

EXAMPLES = sorted(path.name for path in (ROOT / "inventory").glob("*.yaml"))


def rehearse(*words: str | Path, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """`wgorch rehearse`, as a person runs it on this machine."""
    argv = [sys.executable, "-m", "wgorch", "rehearse", *map(str, words)]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)


@pytest.mark.parametrize("example", draw(EXAMPLES, 1))
def test_an_example_works_in_its_own_world(example: str) -> None:
    done = rehearse(f"inventory/{example}")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "rehearsal passed" in done.stdout
    assert "No changes." in done.stdout


@pytest.mark.parametrize("example", draw(["home-company.yaml", "three-relays.yaml"], 1))
def test_hard_nat_makes_no_difference_where_relays_carry_it(example: str) -> None:
    done = rehearse(f"inventory/{example}", "--hard-nat")

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_rehearsal_cuts_a_relay_off() -> None:
    done = rehearse("inventory/two-relays.yaml", "--kill", "bcc")

    assert done.returncode == 0, done.stdout + done.stderr
    hit = re.search(r"✓ home -> 10.10.13.61: interrupted for ([0-9.]+) s", done.stdout)
    assert hit, done.stdout
    assert 0.5 < float(hit[1]) <= 6


def test_an_inventory_that_cannot_work_is_told_so_before_anything_is_built(tmp_path: Path) -> None:
    text = (ROOT / "inventory" / "home-company.yaml").read_text()
    inventory = tmp_path / "unreachable.yaml"
    inventory.write_text(text.replace("- home -> 10.10.13.61", "- home -> 10.10.14.61"))
    done = rehearse(inventory)

    assert done.returncode == 3
    assert "home: no route to 10.10.14.61" in done.stderr


def test_a_login_by_sudo_from_outside_survives_a_full_tunnel(tmp_path: Path) -> None:
    """sudo drops what tells by which port the person came; the way of sshd's answers is kept all the same."""
    text = (ROOT / "inventory" / "full-tunnel.yaml").read_text()
    assert "root@192.168.7.7" in text
    inventory = tmp_path / "sudo.yaml"
    inventory.write_text(
        text.replace("root@192.168.7.7", "ubuntu@198.51.100.31").replace("name: away", "name: sudoaway")
    )
    done = rehearse(inventory)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "rule -4 11900 from all ipproto tcp sport 22" in done.stdout


def test_a_kept_world_is_entered_and_ended(tmp_path: Path) -> None:
    inventory = tmp_path / "kept.yaml"
    inventory.write_text((ROOT / "inventory" / "one-lan.yaml").read_text().replace("name: lan", "name: kept"))
    try:
        done = rehearse(inventory, "--keep")
        assert done.returncode == 0, done.stdout + done.stderr
        seen = rehearse(inventory, "--enter", "desk", "ping", "-c", "1", "-W", "2", "10.99.2.2")
        assert "1 received" in seen.stdout, seen.stderr
        unknown = rehearse(inventory, "--enter", "nobody")
        assert unknown.returncode == 3
        assert "no machine nobody; machines:" in unknown.stderr
    finally:
        ended = rehearse(inventory, "--end")
    assert ended.returncode == 0
    assert rehearse(inventory, "--enter", "desk", "true").returncode == 3
