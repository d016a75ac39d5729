"""The referee of a change, run by the sh of this machine in a directory of its own: who may claim what of whom."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from wgorch.apply.transaction import Transaction
from wgorch.base.assets import asset
from wgorch.host.library import library
from wgorch.inventory.model import Network
from wgorch.plan.script import Script, script
from wgorch.state.state import State


class Host:
    """A network's directory with its referee; `said` is what the last verb answered."""

    def __init__(self, place: Path) -> None:
        self.place = place
        (place / "referee").write_text(asset("host", "referee.sh"))

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
    one = Script("", (), "echo one >undone")
    plan = SimpleNamespace(do_program=one, undo_program=one, probe="", boot=one)
    run = Transaction(Network("office", ()), None, {}, None, change_id="one")  # type: ignore[arg-type]
    made = run._applying(plan)[0].replace("/var/lib/wgorch/office", str(host.place))  # type: ignore[arg-type]
    said = subprocess.run(["sh", "-c", made], capture_output=True, text=True, timeout=20, check=False).stdout

    assert "lost one" in said.split("\n")
    assert "echo two >undone" == host.read("undo")
    assert "two" == host.read("pending")


def applying(host: Host, run: str, *, told: bool, probe: str = ":") -> str:
    """What a session's shell says of the start of a change that was planned; `told`: it knows the pieces of programs."""
    text = script("nothing", State("office", str(host.place)), ())
    plan = SimpleNamespace(do_program=text, undo_program=text, probe=probe, boot=text)
    made, needs = Transaction(Network("office", ()), None, {}, None, change_id=run)._applying(plan)  # type: ignore[arg-type]
    made = made.replace("/var/lib/wgorch/office", str(host.place))
    sh = "\n".join([*(needs.values() if told else ()), f"(\n{made}\n) 2>&1"])
    return subprocess.run(["sh"], input=sh, capture_output=True, text=True, timeout=20, check=False).stdout


def test_a_change_is_made_and_confirmed(host: Host) -> None:
    host.lock("one")
    assert "applied one" in applying(host, "one", told=True)
    made = host.read("do")
    assert made.endswith("printf '@done\\n'")
    assert "confirmed one" in host.referee("confirm", "one")
    assert "finished one" in host.referee("finish", "one", "keep")
    assert made == host.read("boot")


def test_nothing_is_done_where_a_piece_of_a_program_is_missing(host: Host) -> None:
    host.lock("one")
    assert "applied" not in applying(host, "one", told=False)
    assert not host.read("pending")
    assert "nothing one" in host.referee("revert", "one", "it-failed")


@pytest.mark.parametrize(
    "meanwhile",
    [
        "",
        "sh ./referee lock two me 60; echo two >do",
        "sh ./referee lock two me 60; echo two >pending; echo two >do",
    ],
    ids=["nobody", "locked", "armed"],
)
def test_who_was_given_up_while_he_looked_changes_nothing(host: Host, meanwhile: str) -> None:
    host.lock("one")
    given_up = f"(sh ./referee revert one asked; {meanwhile}) >/dev/null"
    assert "lost one" in applying(host, "one", told=True, probe=given_up)
    assert host.read("pending") == ("two" if "pending" in meanwhile else "")
    assert not host.read("lease")
    assert ("run=two" in host.read("lock")) == bool(meanwhile)


def test_a_lock_whose_time_is_over_lets_nothing_be_done(host: Host) -> None:
    host.lock("one", seconds=0)
    assert "lost one" in applying(host, "one", told=True)
    assert not host.read("pending")


def test_a_lock_that_nobody_has_written_yet_is_waited_for(host: Host) -> None:
    host.write("lock", "")
    busy = f"run=one\nwho=me\nsince=1\nuntil=99999999\nboot={Path('/proc/sys/kernel/random/boot_id').read_text()}"
    with subprocess.Popen(["sh", "-c", f"sleep 0.03; printf '%s' '{busy}' >lock"], cwd=host.place) as writer:
        said = host.lock("two")
        writer.wait(10)

    assert said.startswith("busy ")
    assert "run=one" in host.read("lock")


def test_an_empty_lock_that_nobody_writes_holds_nobody(host: Host) -> None:
    host.write("lock", "")
    assert "locked one" in host.lock("one")


def birth(host: Host, wg: str) -> int:
    """Let a key be born by a `wg` that is a script."""
    (host.place / "wg").write_text(f"#!/bin/sh\n{wg}\n")
    (host.place / "wg").chmod(0o755)
    text = "\n".join([library()["generate_key"], "generate_key private_key"])
    path = f"{host.place}:/usr/bin:/bin"
    return subprocess.run(["sh", "-uc", text], cwd=host.place, env={"PATH": path}, check=False).returncode


def test_a_key_that_is_there_is_never_written_over(host: Host) -> None:
    host.write("private_key", "first")
    assert 0 == birth(host, "echo second")
    assert "first" == host.read("private_key")

    (host.place / "private_key").unlink()
    assert 0 == birth(host, "echo somebody else was quicker >private_key; echo second")
    assert "somebody else was quicker" == host.read("private_key")
    assert not list(host.place.glob("private_key.*"))


def test_what_a_failing_generator_prints_is_no_key(host: Host) -> None:
    assert 0 != birth(host, "echo abc; exit 1")
    assert not host.read("private_key")
    host.write("private_key", "")  # of a loss of power
    assert 0 == birth(host, "echo second")
    assert "second" == host.read("private_key")
