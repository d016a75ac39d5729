"""What programs read: Prometheus' text, and what a shell gets that completes."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console

from tests.trace.recordings import recorded
from wgorch.errors import Unreachable
from wgorch.events import Event
from wgorch.inventory.load import load
from wgorch.outcome import Status
from wgorch.report.as_json import status_json
from wgorch.report.progress import Progress
from wgorch.report.prometheus import exposition, write
from wgorch.report.status import render_status
from wgorch.topology.topology import build

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "inventory" / "home-company.yaml"


def state() -> Status:
    seen, _, _ = recorded("healthy")
    return Status(0, seen, {}, {}, {name: host.wireguard["wg0"].public_key for name, host in seen.items()})


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


# --- on a terminal


def drawn(width: int, draw: Callable[[Console], None], **options: Any) -> str:
    """What is seen on a terminal of that width."""
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=True, markup=False, highlight=False, **options)
    draw(console)
    return stream.getvalue()


def test_progress_says_who_is_waited_for_and_when_the_lease_ends() -> None:
    def draw(out: Console) -> None:
        progress = Progress(out, ["bcc", "home", "company"])
        for host in ("bcc", "home", "company"):
            progress.event(host, Event.ARM, "60")
        progress._quiet = True
        for host in ("bcc", "home"):
            progress.event(host, Event.APPLIED)
        progress.event("company", Event.CHANGE, "+ chain wgorch-office-fwd")
        out.print(progress._draw())

    told = drawn(100, draw)
    assert "waiting for company" in told
    assert re.search(r"undone in (59|60) s unless confirmed", told)
    assert "+ chain wgorch-office-fwd" in told


@pytest.mark.parametrize("width", [80, 200])
def test_200_hosts_fit_on_a_terminal(width: int) -> None:
    hosts = [f"branch-{n:03}" for n in range(200)]

    def draw(out: Console) -> None:
        progress = Progress(out, hosts, quiet=True)
        for host in hosts:
            progress.event(host, Event.APPLIED)
        progress.event("branch-007", Event.FAILED, "the disk is full")
        out.print(progress._draw())

    told = re.sub(r"\x1b\[[0-9;]*m", "", drawn(width, draw, no_color=True))
    lines = told.rstrip().split("\n")
    assert len(lines) < 10
    assert all(len(line) <= width for line in lines)
    assert "branch-007" in told
    assert "199 changed, read back" in " ".join(told.split())


def test_no_meaning_is_in_colour_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = state().seen
    lost = {"office": Unreachable("office", "connect", "it is off")}
    status = Status(2, seen, {}, lost, state().keys)
    plain_text = drawn(120, lambda out: render_status(out, build(load(REFERENCE)), status), no_color=True)

    assert "\x1b[3" not in plain_text.replace("\x1b[0m", "")
    assert "not reached: it is off" in plain_text
    assert plain_text.index("office") < plain_text.index("bcc"), "worst first"


def test_the_json_of_status_is_documented() -> None:
    def keys(value: object) -> set[str]:
        if isinstance(value, dict):
            return set().union(
                *(keys(v) for v in value.values()), {k for k in value if k not in seen and k != "office"}
            )
        return set().union(*map(keys, value)) if isinstance(value, list) else set()

    seen = state().seen
    told = status_json(build(load(REFERENCE)), state())
    page = (ROOT / "docs" / "json.md").read_text()
    documented = set(re.findall(r"^\| `([a-z_]+)`", page, re.M))

    assert keys(told) <= documented
    assert f'"version": {told["version"]}' in page
