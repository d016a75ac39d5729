"""No private key leaves its host: not to the controller, not into output, not over the wire, not into an argument."""

from __future__ import annotations

import base64
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.conftest import HOSTS, INVENTORY, ROOT, Lab, clean

RECORDER = """
import sys
from wgorch.remote.ssh import connections

record = open(sys.argv.pop(1), "ab", buffering=0)
send, receive = connections.ChannelWire.send, connections.ChannelWire.receive

def sent(self, data, timeout_s):
    record.write(bytes(data))
    return send(self, data, timeout_s)

def received(self, timeout_s):
    data = receive(self, timeout_s)
    record.write(data)
    return data

connections.ChannelWire.send, connections.ChannelWire.receive = sent, received
from wgorch.cli.main import run
run()
"""
"""wgorch with every byte written down that goes into an SSH channel, or comes out of one, before it is encrypted."""

KEY = "/var/lib/wgorch/office/private_key"
WRITTEN = "find /etc /run /var/lib /var/log /root -xdev -path '/root/.*env' -prune -o -type f -newer /run/began -print"
"""Every file of a machine that was written since the network's life began."""


@dataclass
class Told:
    """All that one life of a network told: by verb what was printed and was on the wire; files, arguments, keys."""

    printed: dict[str, str]
    wire: dict[str, bytes]
    arguments: bytes
    files: dict[str, bytes]
    journals: dict[str, bytes]
    others: dict[str, str]
    private: dict[str, str]
    public: dict[str, str]


def forms(key: str) -> list[bytes]:
    """The ways in which a key could be written: as WireGuard does, without padding, as its socket does, raw."""
    raw = base64.b64decode(key)
    return [key.encode(), key.rstrip("=").encode(), raw.hex().encode(), raw.hex().upper().encode(), raw]


def found(keys: dict[str, str], data: bytes) -> list[str]:
    """The hosts whose key is in some data, however it is written."""
    return [host for host, key in keys.items() if any(form in data for form in forms(key))]


class Sampler(threading.Thread):
    """Reads the arguments and the environment of every new process of every machine, again and again."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: set[bytes] = set()
        self.ended = threading.Event()

    def run(self) -> None:
        old = frozenset(Path("/proc").iterdir())
        while not self.ended.is_set():
            for process in Path("/proc").iterdir():
                if process not in old and process.name.isdigit():
                    for part in ("cmdline", "environ"):
                        try:
                            self.seen.add((process / part).read_bytes())
                        except OSError:
                            continue
            time.sleep(0.002)


@pytest.fixture(scope="module")
def told(_reference: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """One life of the network, with everything written down."""
    lab, world = _reference, _reference.world
    place = tmp_path_factory.mktemp("record")
    place.chmod(0o777)
    script = place / "recorder.py"
    script.write_text(RECORDER)
    printed: dict[str, str] = {}
    wire: dict[str, bytes] = {}
    private: dict[str, str] = {}
    public: dict[str, str] = {}
    others: dict[str, str] = {}
    files: dict[str, bytes] = {}
    journals: dict[str, bytes] = {}
    for machine in (*HOSTS, "controller"):
        world.sh(machine, ": >/run/began")
    sampler = Sampler()
    verbs = {
        "plan": ("plan", INVENTORY, "-vv"),
        "up": ("up", INVENTORY, "--yes", "-vv"),
        "plan of an edit": ("plan", INVENTORY, "-vv", "--format", "shell"),
        "up again": ("up", INVENTORY, "--yes", "-vv", "--json"),
        "status": ("status", INVENTORY, "-vv"),
        "verify": ("verify", INVENTORY, "-vv"),
        "teardown": ("teardown", INVENTORY, "--yes", "-vv"),
    }
    try:
        for verb, args in verbs.items():
            if verb == "plan of an edit":
                world.sh("home", "ip link delete wg0")
            if verb == "up":
                sampler.start()
            record = place / verb
            argv = (sys.executable, str(script), str(record), *map(str, args))
            done = world.run("controller", *argv, check=False, timeout=120, env={"PYTHONPATH": str(ROOT)})
            printed[verb], wire[verb] = done.stdout + done.stderr, record.read_bytes()
            if verb == "up":
                sampler.ended.set()
                sampler.join()
                assert done.returncode == 0, printed[verb]
                for host in HOSTS:
                    private[host] = world.sh(host, f"cat {KEY}").strip()
                    public[host] = world.sh(host, "wg show wg0 public-key").strip()
            if verb == "verify":
                for host in HOSTS:
                    journals[host] = world.sh(
                        host, "journalctl --no-pager -o export; cat /var/log/* 2>/dev/null", check=False
                    ).encode()
                    others[host] = world.sh(host, f"{WRITTEN}0 | xargs -0 -r grep -lF -f {KEY}", check=False).strip()
        for path in filter(None, world.sh("controller", WRITTEN, check=False).split("\n")):
            files[path] = world.sh("controller", f"cat '{path}'").encode()
        for path in lab.directory.rglob("*"):
            if path.is_file():
                files[str(path)] = path.read_bytes()
        yield Told(printed, wire, b"\n".join(sampler.seen), files, journals, others, private, public)
    finally:
        sampler.ended.set()
        for machine in (*HOSTS, "controller"):
            world.sh(machine, "rm -f /run/began")
        clean(lab)


def test_there_are_three_keys_to_look_for(told: Told) -> None:
    assert {host: len(base64.b64decode(key)) for host, key in told.private.items()} == dict.fromkeys(HOSTS, 32)
    assert len(set(told.private.values())) == 3


def test_a_key_would_be_found_however_it_is_written(told: Told) -> None:
    for form in forms(told.private["home"]):
        assert found(told.private, b"before " + form + b" after") == ["home"]


@pytest.mark.parametrize("verb", ["plan", "up", "plan of an edit", "up again", "status", "verify", "teardown"])
def test_nothing_printed_at_full_verbosity_holds_a_key(told: Told, verb: str) -> None:
    assert "home > " in told.printed[verb]  # the programs are in it
    assert "home < " in told.printed[verb]  # and the answers
    assert found(told.private, told.printed[verb].encode()) == []


@pytest.mark.parametrize("verb", ["plan", "up", "plan of an edit", "up again", "status", "verify", "teardown"])
def test_no_byte_of_the_ssh_conversation_holds_a_key(told: Told, verb: str) -> None:
    assert len(told.wire[verb]) > 10_000
    assert found(told.private, told.wire[verb]) == []


def test_the_conversation_that_was_written_down_is_the_whole_one(told: Told) -> None:
    assert sorted(found(told.public, told.wire["up"])) == sorted(HOSTS)
    assert b"generate_key" in told.wire["up"]


def test_no_argument_or_environment_of_any_process_held_a_key(told: Told) -> None:
    # On a busy machine the sampler may miss a process: it must have seen one of those that ran wgorch.
    assert any(f"\0{verb}\0".encode() in told.arguments for verb in told.printed)
    short = (b"\niptables-restore\0", b"\niptables-save\0", b"\nwg\0", b"\nip\0", b"\nnft\0", b"\nwireguard-go\0")
    assert any(name in told.arguments for name in short), "short-lived ones are among those that were seen"
    assert found(told.private, told.arguments) == []


def test_no_file_of_the_controller_holds_a_key(told: Told) -> None:
    assert [path for path in told.files if path.endswith("wgorch/office.jsonl")] != []
    assert {path: found(told.private, data) for path, data in told.files.items() if found(told.private, data)} == {}


def test_no_journal_of_a_host_holds_a_key(told: Told) -> None:
    assert {host: len(text) > 100 for host, text in told.journals.items()} == dict.fromkeys(HOSTS, True)
    assert {host: found(told.private, text) for host, text in told.journals.items()} == {host: [] for host in HOSTS}


def test_on_its_host_the_key_is_in_one_file_alone(told: Told) -> None:
    assert told.others == dict.fromkeys(HOSTS, KEY)
