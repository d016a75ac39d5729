"""Sessions on the workers of a Dask cluster: the same result, and a worker that dies leaves no host between."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.lab.conftest import HOSTS, INVENTORY, ROOT, Lab
from tests.lab.test_safe_change import LEASE

pytestmark = pytest.mark.slow(50)

SCHEDULER = "tcp://127.0.0.1:8786"


@contextmanager
def cluster(lab: Lab) -> Iterator[list[str]]:
    """A scheduler and two workers on the controller, each a process; their ids."""
    python = f"PYTHONPATH={ROOT} {sys.executable} -m dask"
    quiet = "</dev/null >/run/dask.log 2>&1"
    workers = []
    started = f"cd /run && setsid env {python} scheduler --host 127.0.0.1 --port 8786 --no-dashboard {quiet} & echo $!"
    pids = [lab.world.sh("controller", started).strip()]
    try:
        for _ in range(2):
            options = "--nworkers 1 --nthreads 4 --no-nanny --no-dashboard --local-directory /run"
            text = f"cd /run && setsid env {python} worker {SCHEDULER} {options} {quiet} & echo $!"
            workers.append(lab.world.sh("controller", text).strip())
        pids += workers
        lab.wait(
            lambda: lab.world.sh("controller", "ss -Htn state established | grep -c :8786", check=False).strip() >= "4",
            40,
            "two workers",
        )
        yield workers
    finally:
        lab.world.sh("controller", f"kill -9 {' '.join(pids)}; sleep 0.5; rm -rf /run/dask*", check=False)


def test_a_cluster_does_what_threads_do_and_a_dead_worker_leaves_no_host_between(lab: Lab) -> None:
    with cluster(lab) as workers:
        done = lab.wgorch("up", INVENTORY, "--yes", "--workers", SCHEDULER)
        assert "9/9 paths OK" in done.stdout
        assert lab.world.ping("home", "10.10.13.61")
        assert "No changes." in lab.wgorch("plan", INVENTORY).stdout
        assert "No changes." in lab.wgorch("up", INVENTORY, "--workers", SCHEDULER).stdout
        by_openssh = lab.wgorch("up", INVENTORY, "--workers", SCHEDULER, "--ssh-client", "openssh")
        assert "No changes." in by_openssh.stdout
        lab.wgorch("teardown", INVENTORY, "--yes", "--purge", "--workers", SCHEDULER)
        assert {} == lab.differences(ignore=())

        # A worker dies while hosts are being changed.
        slow = lab.with_run("sleep 6", "company")
        running = lab.spawn(
            "up", INVENTORY, "--yes", "--confirm-timeout", LEASE, "--playbooks", slow, "--workers", SCHEDULER
        )
        lab.wait(
            lambda: lab.world.sh("company", "[ -e /var/lib/wgorch/office/pending ]; echo $?").strip() == "0",
            60,
            "company is being changed",
        )
        time.sleep(1)
        lab.world.sh("controller", f"kill -9 {workers[0]}")
        try:
            out, _ = running.communicate(timeout=150)
        except subprocess.TimeoutExpired:
            running.kill()
            raise
        assert running.returncode in (4, 5, 6), out
        assert re.search(r"(bcc|home|company)\b.*no answer from its worker", out), out
        lab.wait(lab.is_as_before, 40, "every host is as it was")
        assert HOSTS
