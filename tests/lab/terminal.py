"""wgorch on a terminal of its own."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

from tests.lab.conftest import ROOT, Lab
from wgorch.rehearsal.handle import ENVIRONMENT


def on_terminal(lab: Lab, *args: str | Path, answers: dict[str, str]) -> tuple[int, str]:
    """Run wgorch on a terminal of its own, typing each answer once, when its question is seen; exit code, all shown."""
    ours, theirs = pty.openpty()

    def take_terminal() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    argv = lab.world.argv("controller", [sys.executable, "-m", "wgorch", *map(str, args)])
    env = {**ENVIRONMENT, "PYTHONPATH": str(ROOT), "TERM": "dumb"}
    process = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, env=env, preexec_fn=take_terminal)
    os.close(theirs)
    shown, left, end = "", dict(answers), time.monotonic() + 15
    try:
        while time.monotonic() < end:
            if not select.select([ours], [], [], 0.2)[0]:
                continue
            try:
                data = os.read(ours, 4096)
            except OSError:
                break
            if not data:
                break
            shown += data.decode("utf-8", "replace")
            for question in list(left):
                if question in shown:
                    os.write(ours, f"{left.pop(question)}\n".encode())
        assert process.wait(5) is not None
        return process.returncode, shown
    except subprocess.TimeoutExpired:
        raise AssertionError(f"it waits for something: {shown}") from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        os.close(ours)
