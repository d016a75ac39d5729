"""No child outlives the controller, and none that is another's is ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wgorch.remote.openssh.reaper import Reaper

ROOT = Path(__file__).parents[3]

CONTROLLER = """
import os, subprocess, sys
from pathlib import Path
from wgorch.remote.openssh.reaper import Reaper
reaper = Reaper(Path(sys.argv[1]))
children = [subprocess.Popen(reaper.argv(["sleep", "60"]), start_new_session=True) for _ in range(5)]
children[4].kill(); children[4].wait(); reaper.ended(children[4].pid)
print(*(child.pid for child in children[:4]), flush=True)
sys.stdin.read()
os.kill(os.getpid(), 9)
"""


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for_end(*pids: int) -> list[int]:
    """Those that live after five seconds."""
    end = time.monotonic() + 5
    while any(map(lives, pids)) and time.monotonic() < end:
        time.sleep(0.02)
    return [pid for pid in pids if lives(pid)]


def test_children_of_a_killed_controller_end_and_its_files_go(tmp_path: Path) -> None:
    directory = tmp_path / "wgorch-run"
    directory.mkdir()
    words = [sys.executable, "-c", CONTROLLER, str(directory)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as controller:
        assert controller.stdin
        assert controller.stdout
        pids = [int(word) for word in controller.stdout.readline().split()]
        assert all(map(lives, pids))
        controller.stdin.close()

    assert -9 == controller.returncode
    assert [] == wait_for_end(*pids)
    end = time.monotonic() + 5
    while directory.exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert not directory.exists()


def test_a_child_that_has_ended_is_forgotten(tmp_path: Path) -> None:
    """Its number may belong to another process by then."""
    reaper = Reaper(tmp_path)
    reaper.argv([])
    with subprocess.Popen(["sleep", "60"]) as other, subprocess.Popen(["sleep", "60"]) as mine:
        try:
            with (tmp_path / "reaper").open("w") as fifo:
                fifo.write(f"+{other.pid}\n+{mine.pid}\n-7\n")
            reaper.ended(other.pid)
            reaper.close()
            assert [] == wait_for_end(mine.pid)
            assert lives(other.pid)
        finally:
            other.kill()


@pytest.mark.parametrize("dead", [True, False])
def test_a_program_starts_only_under_a_living_controller(tmp_path: Path, dead: bool) -> None:
    reaper = Reaper(tmp_path)
    words = reaper.argv(["echo", "here"])
    if dead:
        words[words.index(str(os.getpid()))] = "1"
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    reaper.close()

    assert ("" if dead else "here\n") == done.stdout


def test_after_its_end_a_child_s_end_is_written_nowhere(tmp_path: Path) -> None:
    """The descriptor may be another file's by then."""
    reaper = Reaper(tmp_path)
    reaper.argv([])
    reaper.close()
    with (tmp_path / "other").open("w") as other:
        for _ in range(3):
            reaper.ended(7)
    assert other.closed
    assert "" == (tmp_path / "other").read_text()
