"""What programs read: Prometheus' text, and what a shell gets that completes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.trace.test_explain import recorded
from wgorch.inventory.load import load
from wgorch.report.prometheus import exposition, write
from wgorch.topology.build import build
from wgorch.workflow import Status

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "inventory" / "home-company.yaml"


def state() -> Status:
    seen, _, _ = recorded("healthy")
    return Status(0, seen, {}, {}, {name: host.public_key for name, host in seen.items()})


def test_prometheus_reads_what_we_write() -> None:
    families = {f.name: f for f in text_string_to_metric_families(exposition(build(load(REFERENCE)), state()))}

    assert {s.labels["host"]: s.value for s in families["wgorch_reached"].samples} == dict.fromkeys(state().seen, 1.0)
    sessions = families["wgorch_peer_received_bytes"].samples
    assert {("home", "bcc"), ("company", "bcc")} <= {(s.labels["host"], s.labels["peer"]) for s in sessions}
    assert all(s.value > 0 for s in sessions)
    assert all(f.documentation for f in families.values())


def test_the_file_for_a_collector_appears_whole(tmp_path: Path) -> None:
    place = tmp_path / "wgorch.prom"
    place.write_text("old")
    write("new\n", place)

    assert place.read_text() == "new\n"
    assert [place] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("wgorch tea", ["teardown "]),
        ("wgorch up --keep", ["--keep-going "]),
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
def test_each_shell_gets_its_own_text(shell: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wgorch", "completion", shell], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert "wgorch" in done.stdout
    assert {"bash": "complete ", "zsh": "compdef", "fish": "complete --command"}[shell] in done.stdout
