"""Remove what a world left, however it ended."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from wgorch.base.assets import asset
from wgorch.rehearsal.machine import PLACE

EXIT_S = 5
"""How long killed processes are waited for."""


def sweep(name: str) -> None:
    """Remove a world of this name: processes by recorded id and start time, control groups, files."""
    place = PLACE / name
    if not place.exists():
        return
    try:
        pids = json.loads((place / "world.json").read_text())["pids"]
    except (OSError, ValueError, KeyError):
        pids = {}
    for pid, started in pids.values():
        kill(pid, started)
    end = time.monotonic() + EXIT_S
    while time.monotonic() < end and any(start_time(pid) == started for pid, started in pids.values() if started):
        time.sleep(0.02)
    script = asset("rehearsal", "remove_cgroups.sh")
    argv = ["unshare", "--mount", "sh", "-c", script, "sh", f"wgorch-{name}."]
    subprocess.run(argv, check=False, capture_output=True, timeout=30)
    shutil.rmtree(place, ignore_errors=True)
    with contextlib.suppress(OSError):
        PLACE.rmdir()


def sweep_abandoned() -> None:
    """Remove the worlds whose process was killed; not those that were left up on purpose."""
    for place in PLACE.iterdir() if PLACE.is_dir() else ():
        try:
            owner = json.loads((place / "world.json").read_text()).get("owner")
        except (OSError, ValueError, AttributeError):
            owner = _owner_by_age(place)
        if isinstance(owner, list) and len(owner) == 2 and start_time(owner[0]) != owner[1]:
            sweep(place.name)


def _owner_by_age(place: Path) -> list[object] | None:
    """Of a world that says nothing: no process, unless it is being built at this moment."""
    with contextlib.suppress(OSError):
        if time.time() - place.stat().st_mtime > EXIT_S:
            return [0, ""]
    return None


def kill(pid: int, started: str | None) -> None:
    """Kill a process. `started`: do so only if its start time is this one, as ids are reused."""
    if started is None or start_time(pid) == started:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def start_time(pid: int) -> str | None:
    """The start time of a process in clock ticks since boot; None if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None
