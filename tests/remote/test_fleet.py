"""The hosts of a run side by side; here all of them are this machine."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from wgorch.errors import Unreachable
from wgorch.inventory.model import Host, SshTarget
from wgorch.remote import fleet as module
from wgorch.remote.fleet import Fleet

NAMES = ("bcc", "company", "home")


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """Three hosts whose root shell is a plain one, whoever runs the tests."""
    monkeypatch.setattr(module, "root_shell", lambda: module.PLAIN_SHELL)
    found = Fleet({name: Host(name, SshTarget("local"), (ip_address("10.0.0.1"),), 51820) for name in NAMES})
    yield found
    found.close()


def test_a_phase_runs_on_all_hosts_at_once(fleet: Fleet) -> None:
    together = threading.Barrier(len(NAMES), timeout=5)

    def work(name: str) -> str:
        together.wait()
        return name

    assert ({name: name for name in NAMES}, {}) == fleet.on_hosts(NAMES, work)


def test_results_and_failures_come_in_the_order_asked(fleet: Fleet) -> None:
    def work(name: str) -> str:
        if name != "home":
            raise Unreachable(name, "connect", "it is off")
        return fleet.open(name).exchange("echo here", "greet it")

    done, failed = fleet.on_hosts(["home", "company", "bcc"], work)
    assert ({"home": "here\n"}, ["company", "bcc"]) == (done, list(failed))


def test_a_bug_is_not_a_failed_host(fleet: Fleet) -> None:
    with pytest.raises(ZeroDivisionError):
        fleet.on_hosts(NAMES, lambda _name: 1 // 0)


def test_a_shell_is_opened_once_and_again_when_it_broke(fleet: Fleet) -> None:
    shell = fleet.open("home")
    assert fleet.open("home") is shell
    shell.close()
    assert fleet.open("home") is not shell

    assert ["connect and log in"] * 2 == [span.what for span in fleet.timings.spans]


def test_this_machine_needs_no_ssh() -> None:
    code = (
        "import sys\nfrom ipaddress import ip_address\nfrom wgorch.inventory.model import Host, SshTarget\n"
        "from wgorch.remote.fleet import Fleet\n"
        "fleet = Fleet({'home': Host('home', SshTarget('local'), (ip_address('10.0.0.1'),), 51820)})\n"
        "fleet.check_ssh('home')\nprint(fleet.handshakes, 'paramiko' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2], check=True
    )
    assert "0 False" == done.stdout.strip()
