"""Shell completion: verbs, options and hosts, and the script of each shell."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "inventory" / "home-company.yaml"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("wgorch tea", ["teardown "]),
        ("wgorch up --stri", ["--strict "]),
        (f"wgorch up {REFERENCE} --limit co", ["company"]),
        (f"wgorch up {REFERENCE} --limit home,b", ["home,bcc"]),
    ],
)
def test_a_shell_completes_verbs_options_and_hosts(line: str, expected: list[str], tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    env: dict[str, Any] = {
        **os.environ,
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    subprocess.run([sys.executable, "-m", "wgorch"], env=env, check=False, cwd=ROOT, timeout=30)

    found = [word.strip() for word in answer.read_text().split("\n")]
    assert [word.strip() for word in expected] == found


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_own_script(shell: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wgorch", "completion", shell], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert "wgorch" in done.stdout
    assert {"bash": "complete ", "zsh": "compdef", "fish": "complete --command"}[shell] in done.stdout
