"""wgorch on a terminal of its own."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.lab.conftest import ROOT, Lab
from wgorch.rehearsal.handle import ENVIRONMENT


def on_terminal(lab: Lab, *args: str | Path, answers: dict[str, str]) -> tuple[int, str]:
    """Run wgorch on a terminal of its own, typing each answer once, when its question is seen; exit code, all shown.

    A control character is typed alone, without the Enter key.
    """
    ours, theirs = pty.openpty()

    # nsenter must not be in the terminal's group: Ctrl-C would end it, and its end hang up on wgorch.
    argv = lab.world.argv("controller", ["setsid", "--ctty", sys.executable, "-m", "wgorch", *map(str, args)])
    env = {**ENVIRONMENT, "PYTHONPATH": str(ROOT), "TERM": "dumb"}
    process = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True)
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
                    answer = left.pop(question)
                    time.sleep(0.3)  # as a person: a signal between the question and its read waits for Enter
                    os.write(ours, (answer if answer < " " else f"{answer}\n").encode())
        assert process.wait(5) is not None
        return process.returncode, shown
    except subprocess.TimeoutExpired:
        raise AssertionError(f"it waits for something: {shown}") from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        os.close(ours)
