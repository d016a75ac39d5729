"""Start a machine: namespaces of its own, and its init in them."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from wgorch.rehearsal.handle import ENVIRONMENT
from wgorch.rehearsal.machine import WorldError

BOOT_S = 10
"""How long the init of a machine may take to appear."""

_SCRIPT = Path(__file__).with_name("node.sh")


def boot(place: Path, name: str, group: str, *, systemd: bool, userland: Path | None = None) -> subprocess.Popen[bytes]:
    """Start the parent process of a machine's init; the machine ends with it.

    `place`: the directory of the world; `group`: the machine's control group; `userland`: another root directory.
    """
    disk = place / "disks" / name
    for part in ("dev", "cgroup"):
        (disk / part).mkdir(parents=True, exist_ok=True)
    init = "systemd" if systemd else "none"
    with log_of(place, name).open("ab") as log:
        return subprocess.Popen(
            ["unshare", "--mount", "sh", str(_SCRIPT), "outer", str(disk), name, init, group, str(userland or "")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=ENVIRONMENT,
        )


def log_of(place: Path, name: str) -> Path:
    """What the boot of a machine printed."""
    return place / f"{name}.log"


def wait_for_init(parent: subprocess.Popen[bytes], log: Path) -> int:
    """Wait for a machine's init and return its process id. Raises WorldError."""
    end = time.monotonic() + BOOT_S
    while time.monotonic() < end:
        if parent.poll() is not None:
            break
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
        if children and _is_init(int(children[0])):
            return int(children[0])
        time.sleep(0.005)
    raise WorldError(f"{log.stem} did not start: {log.read_text(errors='replace')[-500:]}")


def _is_init(pid: int) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return words[0].endswith(b"systemd") or b"wgorch-world" in words
