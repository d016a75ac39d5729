"""Measure one run of a runner in the benchmark's world."""

from __future__ import annotations

import resource
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.job import files
from benchmarks.lab import Lab, memory
from benchmarks.runners import ROOT, runners

DIRECTORY = "/root/bench"
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "PYTHONPATH": str(ROOT),
    "TERM": "dumb",
}


class Usage(NamedTuple):
    """What a process used, with all its children."""

    code: int
    output: str
    wall_s: float
    cpu_s: float
    peak_kib: int


class Bench:
    """One world of some size, and the runners in it. `before`: another checkout, for wgorch-before."""

    def __init__(self, lab: Lab, *, jump: bool = False, sudo: bool = False, before: Path = ROOT) -> None:
        self.lab, self.jump, self.user = lab, jump, "bench" if sudo else "root"
        self.runners = runners(before)

    def prepare(self) -> None:
        """Write the files of all runners into the controller's directory."""
        for name, text in files(self.lab.nodes, self.user, jump=self.jump).items():
            self.lab.world.write("controller", f"{DIRECTORY}/{name}", text)

    def time(self, name: str, *, again: bool, with_memory: bool = False) -> dict[str, Any]:
        """Run a runner once: wall and CPU seconds, what sshd counted, and what the checker found wrong."""
        argv = self.lab.world.argv("controller", ["env", "-C", DIRECTORY, *self.runners[name](again)])
        self.lab.everywhere(": >/run/sshd.log")
        before = self.lab.cpu()
        used = _measure(argv, with_memory=with_memory)
        handshakes, channels = self.lab.logins()
        wrong = [f"exit {used.code}: {used.output[-600:]}"] if used.code else self.lab.check()
        return {
            "runner": name,
            "again": again,
            "wall_s": round(used.wall_s, 3),
            "controller_cpu_s": round(used.cpu_s, 3),
            "hosts_cpu_s": round(self.lab.cpu() - before, 3),
            "peak_pss_mib": round(used.peak_kib / 1024, 1) if with_memory else None,
            "ssh_handshakes": handshakes,
            "ssh_channels": channels,
            "wrong": wrong[:5],
        }


def _measure(argv: list[str], *, with_memory: bool) -> Usage:
    """Run a command. `with_memory`: watch its memory, which costs it some time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    process = subprocess.Popen(argv, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    output: list[str] = []
    reader = threading.Thread(target=lambda: output.append(process.stdout.read() if process.stdout else ""))
    reader.start()
    peak = 0
    while with_memory and process.poll() is None:
        peak = max(peak, memory(process.pid))
        time.sleep(0.03)
    code = process.wait()
    wall = time.monotonic() - began
    reader.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Usage(code, output[0], wall, cpu, peak)
