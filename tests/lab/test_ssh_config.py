"""Random configurations of OpenSSH's client resolve to what ssh itself prints."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ALL, SEED
from tests.lab.conftest import ROOT

COUNT = 2000 if ALL else 150


def test_random_configurations_resolve_as_ssh_does() -> None:
    """In a mount namespace, whose ~/.ssh and /etc/ssh are of the test's own."""
    words = ["unshare", "-m", sys.executable, "-m", "tests.remote.ssh.random_configs", str(SEED), str(COUNT)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=1500)

    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
    assert f"{COUNT} of {COUNT} equal" in done.stdout
