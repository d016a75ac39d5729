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

from wgorch.rehearsal.machine import PLACE


def sweep(name: str) -> None:
    """Clean up what a world of this name left, however it ended: processes by recorded id and start time, files."""
    place = PLACE / name
    if not place.exists():
        return
    try:
        pids = json.loads((place / "world.json").read_text())["pids"]
    except (OSError, ValueError, KeyError):
        pids = {}
    for pid, started in pids.values():
        kill(pid, started)
    end = time.monotonic() + 5
    while time.monotonic() < end and any(start_time(pid) == started for pid, started in pids.values() if started):
        time.sleep(0.02)
    _remove_cgroups(name)
    shutil.rmtree(place, ignore_errors=True)
    with contextlib.suppress(OSError):
        PLACE.rmdir()


def _remove_cgroups(name: str) -> None:
    script = (
        'd=$(mktemp -d) && mount -t cgroup2 cgroup2 "$d" && cd "$d" || exit 0\n'
        f'for t in 1 2 3 4 5; do for g in "$d"/wgorch-{name}-*; do [ -d "$g" ] || continue; '
        'find "$g" -depth -type d -exec rmdir {} \\; 2>/dev/null; done; '
        f'ls -d "$d"/wgorch-{name}-* >/dev/null 2>&1 || break; sleep 0.1; done\n'
        'cd /; umount "$d"; rmdir "$d"'
    )
    subprocess.run(["unshare", "--mount", "sh", "-c", script], check=False, capture_output=True, timeout=30)


def kill(pid: int, started: str | None) -> None:
    if started is None or start_time(pid) == started:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def start_time(pid: int) -> str | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None
