"""The referee of a change, run by the sh of this machine in a directory of its own: who may claim what of whom."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from wgorch.apply import Transaction
from wgorch.inventory.model import Network
from wgorch.sh import text_of


class Host:
    """A network's directory with its referee; `said` is what the last verb answered."""

    def __init__(self, place: Path) -> None:
        self.place = place
        (place / "referee").write_text(text_of("remote", "referee.sh"))

    def referee(self, *words: str) -> str:
        argv = ["sh", "referee", *words]
        return subprocess.run(argv, cwd=self.place, capture_output=True, text=True, timeout=20, check=False).stdout

    def lock(self, run: str, seconds: int = 90) -> str:
        return self.referee("lock", run, "somebody@here", str(seconds))

    def open_change(self, run: str) -> None:
        """What `apply` leaves while a change is under its lease; its undo tells whose it was."""
        for name, text in {"do": "", "undo": f"echo {run} >undone", "probe": "", "before": "", "pending": run}.items():
            self.write(name, text and f"{text}\n")
        self.write("lease", "99999999 99999999\n")

    def write(self, name: str, text: str) -> None:
        (self.place / name).write_text(text)

    def read(self, name: str) -> str:
        path = self.place / name
        return path.read_text().strip() if path.exists() else ""


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_a_host_is_held_by_one_run_until_its_time_is_over(host: Host) -> None:
    assert "locked one" in host.lock("one")
    assert host.lock("two").startswith("busy ")
    assert "unlocked one" in host.referee("unlock", "one")
    assert "locked two" in host.lock("two", seconds=0)
    assert "locked three" in host.lock("three")
    assert "run=three" in host.read("lock").split("\n")


def test_whose_lock_is_over_takes_nothing_of_the_next_one_back(host: Host) -> None:
    host.lock("one", seconds=0)
    host.lock("two")
    host.open_change("two")

    assert "nothing one" in host.referee("revert", "one", "it-failed")
    assert "two" == host.read("pending")
    assert not host.read("undone")
    assert "reverted two" in host.referee("revert", "two", "it-failed")
    assert "two" == host.read("undone")


def test_a_change_that_was_left_open_is_taken_back_by_the_next_lock(host: Host) -> None:
    host.lock("one", seconds=0)
    host.open_change("one")

    assert "locked two" in host.lock("two")
    assert "one" == host.read("undone")
    assert not host.read("pending")
    assert "run=two" in host.read("lock").split("\n")


def test_what_was_confirmed_and_not_finished_stays_when_the_next_run_gives_up(host: Host) -> None:
    host.lock("one", seconds=0)
    host.open_change("one")
    assert "confirmed one" in host.referee("confirm", "one")

    host.lock("two")
    assert "nothing two" in host.referee("revert", "two", "it-failed")
    assert "one" == host.read("boot")
    assert not host.read("undone")


def test_a_change_confirmed_here_but_not_everywhere_goes_back(host: Host) -> None:
    host.lock("one")
    host.open_change("one")
    host.write("boot.before", "zero\n")
    host.referee("confirm", "one")

    assert "reverted one" in host.referee("revert", "one", "another-host-did-not-confirm")
    assert "one" == host.read("undone")
    assert "zero" == host.read("boot")


def test_the_watcher_goes_on_when_nobody_hears_that_it_watches(host: Host) -> None:
    host.lock("one")
    host.open_change("one")
    host.write("lease", "0 0\n")
    heard, word = os.pipe()
    os.close(heard)
    with subprocess.Popen(["sh", "referee", "watch", "one"], cwd=host.place, stdout=word, stderr=word) as watcher:
        os.close(word)
        watcher.wait(20)

    assert "one" == host.read("undone")


def test_programs_are_put_only_where_the_host_is_still_ours(host: Host) -> None:
    host.lock("one", seconds=0)
    host.lock("two")
    host.open_change("two")
    plan = SimpleNamespace(do_program="", undo_program="echo one >undone", probe="", boot="one")
    run = Transaction(Network("office", ()), None, {}, None, run="one")  # type: ignore[arg-type]
    program = run._applying(plan)[0].replace("/var/lib/wgorch/office", str(host.place))  # type: ignore[arg-type]
    said = subprocess.run(["sh", "-c", program], capture_output=True, text=True, timeout=20, check=False).stdout

    assert "lost one" in said.split("\n")
    assert "echo two >undone" == host.read("undo")
    assert "two" == host.read("pending")
