"""Standard output that is closed, full or of another encoding: no traceback, and the exit code that is documented."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECK = f"{sys.executable} -m wgorch check {ROOT}/inventory/home-company.yaml"
HELP = f"{sys.executable} -m wgorch up --help"
SCHEMA = f"{sys.executable} -m wgorch check --schema"


def sh(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, errors="replace", cwd=ROOT, check=False
    )


@pytest.mark.parametrize("command", [CHECK, HELP, SCHEMA])
def test_a_full_disk_is_a_fault_in_one_line(command: str) -> None:
    done = sh(f"{command} >/dev/full")

    assert (1, 1) == (done.returncode, done.stderr.count("\n"))
    assert "standard output: No space left on device" in done.stderr


@pytest.mark.parametrize("command", [CHECK, HELP, SCHEMA])
def test_a_closed_output_is_no_fault(command: str) -> None:
    done = sh(f"{command} >&-")

    assert (0, "") == (done.returncode, done.stderr)


def test_a_reader_that_leaves_does_not_change_the_exit_code() -> None:
    done = sh(f"set -o pipefail; {SCHEMA} | head -1")

    assert 0 == done.returncode
    assert "{\n" == done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_a_character_that_the_encoding_lacks_is_escaped(encoding: str) -> None:
    done = sh(f"PYTHONIOENCODING={encoding} {HELP}")

    assert (0, "") == (done.returncode, done.stderr)
    assert "wgorch up" in done.stdout


def test_a_directory_that_is_gone_is_no_traceback(tmp_path: Path) -> None:
    done = sh(f"mkdir {tmp_path}/x; cd {tmp_path}/x; rmdir {tmp_path}/x; PYTHONPATH={ROOT} {CHECK}")

    assert 0 == done.returncode, done.stderr
    done = sh(
        f"mkdir {tmp_path}/y; cd {tmp_path}/y; rmdir {tmp_path}/y; PYTHONPATH={ROOT} {sys.executable} -m wgorch check"
    )
    assert 3 == done.returncode
    assert "Traceback" not in done.stderr
