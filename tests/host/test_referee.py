"""The referee of a change, run by shells of this machine in a directory of its own: which run may claim what."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.host.room import SHELLS
from wgorch.apply.replies import head_of
from wgorch.apply.scripts import apply_script
from wgorch.apply.upload import call_referee
from wgorch.host import programs
from wgorch.plan.journals import Head, HostJournal, check, parse_heads
from wgorch.plan.script import Script, script
from wgorch.state.state import State


class Host:
    """A network's directory with its referee, and the shell that runs it."""

    def __init__(self, place: Path, shell: str) -> None:
        self.place = place
        self.shell = SHELLS[shell]
        # Its pauses are tenths of a second here.
        (place / "referee").write_text(programs.referee().replace("sleep 1\n", "sleep 0.1\n"))

    def referee(self, *words: str) -> str:
        argv = [*self.shell, "referee", *words]
        return subprocess.run(argv, cwd=self.place, capture_output=True, text=True, timeout=20, check=False).stdout

    def lock(self, run: str, seconds: int = 90) -> str:
        return self.referee("lock", run, "root@here", str(seconds))

    def open_change(self, run: str) -> None:
        """What `apply` leaves while a change is under its lease; its undo writes which run it was."""
        for name, text in {"do": "", "undo": f"echo {run} >undone", "probe": "", "before": "", "pending": run}.items():
            self.write(name, text and f"{text}\n")
        self.write("lease", "99999999 99999999\n")

    def write(self, name: str, text: str) -> None:
        (self.place / name).write_text(text)

    def read(self, name: str) -> str:
        path = self.place / name
        return path.read_text().strip() if path.exists() else ""


@pytest.fixture(params=["dash", "busybox", "bash"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Host:
    return Host(tmp_path, request.param)


def test_a_host_is_held_by_one_run_until_its_time_is_over(host: Host) -> None:
    assert "locked one" in host.lock("one")
    assert host.lock("two").startswith("busy ")
    assert "unlocked one" in host.referee("unlock", "one")
    assert "locked two" in host.lock("two", seconds=0)
    assert "locked three" in host.lock("three")
    assert "run=three" in host.read("lock").split("\n")


def test_a_run_whose_lock_is_over_rolls_back_nothing_of_the_next_one(host: Host) -> None:
    host.lock("one", seconds=0)
    host.lock("two")
    host.open_change("two")

    assert "nothing one" in host.referee("revert", "one", "it-failed")
    assert "two" == host.read("pending")
    assert not host.read("undone")
    assert "reverted two" in host.referee("revert", "two", "it-failed")
    assert "two" == host.read("undone")


def test_a_change_that_was_left_open_is_rolled_back_by_the_next_lock(host: Host) -> None:
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


def test_the_watcher_goes_on_when_its_caller_is_gone(host: Host) -> None:
    host.lock("one")
    host.open_change("one")
    host.write("lease", "0 0\n")
    heard, word = os.pipe()
    os.close(heard)
    with subprocess.Popen(
        [*host.shell, "referee", "watch", "one"], cwd=host.place, stdout=word, stderr=word
    ) as watcher:
        os.close(word)
        watcher.wait(20)

    assert "one" == host.read("undone")


def test_scripts_are_written_only_while_the_lock_holds(host: Host) -> None:
    host.lock("one", seconds=0)
    host.lock("two")
    host.open_change("two")
    one = Script("", (), "echo one >undone")
    plan = SimpleNamespace(do_program=one, undo_program=one, probe="", boot=one)
    made, _ = apply_script(str(host.place), "one", 60, plan)  # type: ignore[arg-type]
    said = subprocess.run([*host.shell, "-c", made], capture_output=True, text=True, timeout=20, check=False).stdout

    assert "lost one" in said.split("\n")
    assert "echo two >undone" == host.read("undo")
    assert "two" == host.read("pending")


def applying(host: Host, run: str, *, told: bool, probe: str = ":") -> str:
    """What a session's shell prints when a planned change is applied; `told`: it has the pieces of scripts."""
    text = script("nothing", State("office", str(host.place)), ())
    plan = SimpleNamespace(do_program=text, undo_program=text, probe=probe, boot=text)
    made, needs = apply_script(str(host.place), run, 60, plan)  # type: ignore[arg-type]
    sh = "\n".join([*(needs.values() if told else ()), f"(\n{made}\n) 2>&1"])
    return subprocess.run(host.shell, input=sh, capture_output=True, text=True, timeout=20, check=False).stdout


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
    ids=["free", "locked", "armed"],
)
def test_a_run_that_was_given_up_while_its_probe_ran_changes_nothing(host: Host, meanwhile: str) -> None:
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


def test_a_lock_that_is_not_written_yet_is_waited_for(host: Host) -> None:
    host.write("lock", "")
    busy = f"run=one\nwho=me\nsince=1\nuntil=99999999\nboot={Path('/proc/sys/kernel/random/boot_id').read_text()}"
    with subprocess.Popen(["sh", "-c", f"sleep 0.03; printf '%s' '{busy}' >lock"], cwd=host.place) as writer:
        said = host.lock("two")
        writer.wait(10)

    assert said.startswith("busy ")
    assert "run=one" in host.read("lock")


def test_a_lock_that_stays_empty_holds_nothing(host: Host) -> None:
    host.write("lock", "")
    assert "locked one" in host.lock("one")


@pytest.mark.parametrize(("boot", "result"), [("exit 0", "rebooted"), ("exit 1", "unlike"), ("", "unlike")])
def test_a_rollback_that_does_not_restore_the_state_runs_the_confirmed_start_up_script(
    host: Host, boot: str, result: str
) -> None:
    host.lock("one")
    host.open_change("one")
    host.write("before", "old\n")
    host.write("probe", "echo new\n")
    if boot:
        host.write("boot", f"echo started >>started; {boot}\n")

    assert f"{result} one" in host.referee("revert", "one", "it-failed")
    assert host.read("outcome") == f"{result} one it-failed"
    assert host.read("started") == ("started" if boot else "")
    assert host.read("after") == ("new" if result == "unlike" else "")
    assert not host.read("lock")


def test_the_referee_ends_the_program_that_reads_it(host: Host) -> None:
    host.lock("one")

    def run(*words: str) -> tuple[int, list[str]]:
        text = f"cd {host.place} || exit 1\n{call_referee(words)}\necho behind"
        done = subprocess.run([*host.shell, "-c", text], capture_output=True, text=True, timeout=20, check=False)
        return done.returncode, done.stdout.split("\n")

    status, lines = run("lock", "two", "me", "60")
    assert (75, False) == (status, "behind" in lines)
    host.open_change("one")
    status, lines = run("confirm", "one")
    assert (0, "confirmed one", [""]) == (status, " ".join(lines[0].split()[:2]), lines[1:])


def test_a_referee_that_is_written_anew_while_it_runs_goes_on_as_it_began(host: Host) -> None:
    host.lock("one")
    (host.place / "kept").write_text(host.read("referee"))
    anew = "{ echo '#!/bin/sh'; echo '# a longer head than before'; cat kept; } >referee"
    assert "applied one" in applying(host, "one", told=True, probe=anew)
    assert "confirmed one" in host.referee("confirm", "one")


def test_a_new_key_takes_its_place_and_unused_secrets_go_when_the_change_is_finished(host: Host) -> None:
    host.lock("one")
    host.open_change("one")
    host.write("pending", "#: key new\nwg set wg0 peer k preshared-key /d/psk.used endpoint e\n")
    for name in ("private_key", "private_key.new", "private_key.other", "psk.used", "psk.unused"):
        host.write(name, f"{name}\n")
    host.referee("confirm", "one")

    assert "finished one" in host.referee("finish", "one", "keep")
    assert "private_key.new" == host.read("private_key")
    left = {path.name for path in host.place.iterdir()} - {"referee", "journal"}
    assert {"boot", "private_key", "psk.used"} == left


def test_a_held_change_outlasts_its_lease_and_says_so_to_the_next_run(host: Host) -> None:
    host.lock("one", seconds=1)
    host.open_change("one")
    host.write("lease", "1 1\n")
    host.write("hold", "bcc\nhome\n")
    host.write("stay", "echo stayed\n")

    assert "held one" in host.referee("hold", "one", "86000")
    until = int(host.read("lease").split()[0])
    assert host.read("lease") == f"{until} {until}"
    assert f"until={until + 5}" in host.read("lock").split("\n")
    busy = host.lock("two")
    assert busy.startswith("busy ")
    assert "held=yes" in busy.split("\n")
    assert "confirmed one" in host.referee("confirm", "one")
    until_then = next(line for line in host.read("lock").split("\n") if line.startswith("until="))
    assert int(until_then.partition("=")[2]) < until - 80_000, "only its last steps are left to do"
    assert "held=yes" not in host.lock("two").split("\n")
    assert "finished one" in host.referee("finish", "one", "keep")
    assert not host.read("hold") + host.read("stay") + host.read("lock")


def test_a_held_change_is_taken_back_with_what_waited(host: Host) -> None:
    host.lock("one")
    host.open_change("one")
    host.write("hold", "bcc\n")
    host.write("stay", "echo stayed\n")
    host.referee("hold", "one", "600")

    assert "reverted one" in host.referee("revert", "one", "asked")
    assert "one" == host.read("undone")
    assert not host.read("hold") + host.read("stay") + host.read("lock")


@pytest.mark.parametrize("missing", ["lock", "pending", "lease", "hold"])
def test_what_is_no_open_change_is_not_held(host: Host, missing: str) -> None:
    host.lock("one")
    host.open_change("one")
    host.write("hold", "bcc\n")
    (host.place / missing).unlink()

    assert "lost one" in host.referee("hold", "one", "600")


def test_its_journal_shows_every_edit_and_its_head_is_that_of_the_reply(host: Host) -> None:
    for run in ("one", "two"):
        host.lock(run)
        assert f"applied {run}" in applying(host, run, told=True)
        said = host.referee("confirm", run, "me@here")
        head = head_of(said, run)
        assert head is not None
        host.referee("finish", run, "keep", f"bcc 1 {'0' * 64}", "home 2 x")
    text = (host.place / "journal").read_text()
    there = HostJournal(text, parse_heads(host.read("heads")), is_member=True)

    assert ["lock", "arm", "applied", "confirm"] * 2 == re.findall(r"event=(\S+)", text)
    assert {} == check({"home": there, "bcc": HostJournal(text, {"home": head})}, {"bcc": head}).faults
    assert {"bcc": Head(1, "0" * 64)} == there.heads
    edited = HostJournal(text.replace("me@here", "you@there", 1))
    assert "home" in check({"home": edited}, {}).faults


def test_the_latest_head_of_each_host_is_kept(host: Host) -> None:
    for heads in (["a 1 x", "b 1 x"], ["b 2 y", "c 2 y"], []):
        host.lock("one")
        host.referee("finish", "one", "keep", *heads)

    assert ["a 1 x", "b 2 y", "c 2 y"] == sorted(host.read("heads").split("\n"))


def test_a_line_that_was_cut_ends_before_the_next_one(host: Host) -> None:
    host.lock("one")
    host.referee("unlock", "one")
    host.write("journal", (host.place / "journal").read_text() + "time=17953")
    host.lock("two")
    text = (host.place / "journal").read_text()

    assert "time=17953\ntime=" in text
    assert {} == check({"home": HostJournal(text)}, {}).faults


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("7 1 me@here", ["0000007"]),
        ("0012 1 me@here", ["0000012"]),
        ("", []),
        ("x", []),
        ("../../x 1", []),
        ("99999999 1", []),
    ],
)
def test_a_teardown_may_leave_the_history(host: Host, line: str, kept: list[str]) -> None:
    host.lock("one")
    host.write("members", f"{line}\n{{}}\n")
    host.write("boot", "")
    assert "finished one" in host.referee("finish", "one", "remove+history")

    assert kept == [path.name for path in host.place.glob("revisions/*")]
    assert not [name for name in ("members", "boot", "lock", "referee") if (host.place / name).exists()]
    text = (host.place / "journal").read_text()
    assert text.endswith("event=teardown\n")
    assert {} == check({"home": HostJournal(text)}, {}).faults
