"""No decision reads a message: with every message replaced by another word, nothing but the text differs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.lab.conftest import INVENTORY, ROOT, Lab

TEXTS = {"object", "reason", "problem", "hint", "notes", "errors"}
MOVES = {
    "public_key",
    "handshake_age_s",
    "time",
    "rtt_ms",
    "age_s",
    "received",
    "sent",
    "latest_handshake",
    "handshake",
    "endpoint",
    "round_trips",
}


def run(lab: Lab, *args: str | Path, scrambled: bool, input: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run wgorch as the controller, with its own messages or with others."""
    module = "tests.scrambled" if scrambled else "wgorch"
    argv = [sys.executable, "-m", module, *map(str, args)]
    return lab.world.run("controller", *argv, check=False, timeout=300, env={"PYTHONPATH": str(ROOT)}, input=input)


def structure(value: Any) -> Any:
    """JSON without its texts, and without what moves by itself."""
    if isinstance(value, dict):
        return {k: None if k in TEXTS else structure(v) for k, v in value.items() if k not in MOVES}
    return [structure(item) for item in value] if isinstance(value, list) else value


def told(lab: Lab, *args: str | Path, scrambled: bool) -> tuple[int, Any]:
    done = run(lab, *args, "--json", scrambled=scrambled)
    return done.returncode, structure(json.loads(done.stdout))


def both(lab: Lab, *args: str | Path, between: tuple[str | Path, ...] = ()) -> tuple[Any, Any]:
    """What a verb does with its own messages and with others, each from the same beginning."""
    found = []
    for scrambled in (False, True):
        found.append(told(lab, *args, scrambled=scrambled))
        if between:
            run(lab, *between, scrambled=False)
    return found[0], found[1]


def test_nothing_but_the_text_differs(lab: Lab) -> None:
    teardown = ("teardown", INVENTORY, "--yes", "--purge")

    one, other = both(lab, "plan", INVENTORY)
    assert one == other
    assert one[0] == 2

    fails = lab.with_run("false", "home")
    one, other = both(lab, "up", INVENTORY, "--yes", "--playbooks", fails, between=teardown)
    assert one == other
    assert one[0] == 5
    assert {} == lab.differences()

    found = []
    for scrambled in (False, True):
        made = told(lab, "up", INVENTORY, "--yes", scrambled=scrambled)
        # A boot script carries the reasons as comments, so each is compared with its own.
        status = told(lab, "status", INVENTORY, scrambled=scrambled)
        found.append((made, status))
        run(lab, *teardown, scrambled=False)
    assert found[0] == found[1]
    assert [0, 0] == [code for code, _ in found[0]]


def test_consent_is_asked_for_whatever_the_notes_say(network: Lab) -> None:
    network.world.sh("bcc", "iptables -A wgorch-office-fwd -s 10.9.0.0/16 -j ACCEPT")
    for scrambled in (False, True):
        done = run(network, "teardown", INVENTORY, scrambled=scrambled, input="")
        assert done.returncode == 3
        assert network.world.ping("home", "10.10.13.61")


def test_a_secret_is_hidden_whatever_its_problem_is_called(lab: Lab) -> None:
    secret = "c2VjcmV0IHRoYXQgbXVzdCBuZXZlciBiZSBzaG93bi4="
    path = lab.edited(("relay: true", f"relay: true\n    private_key: {secret}"))
    for scrambled in (False, True):
        done = run(lab, "check", path, scrambled=scrambled)
        assert done.returncode == 3
        assert secret not in done.stdout + done.stderr
    url = lab.edited(("ssh: root@203.0.113.13", "ssh: root:hunter2@203.0.113.13"))
    for scrambled in (False, True):
        done = run(lab, "check", url, scrambled=scrambled)
        assert done.returncode == 3
        assert "hunter2" not in done.stdout + done.stderr


def test_pending_keys_and_the_boot_script_are_named_in_a_plan_for_a_shell(lab: Lab) -> None:
    plain, other = (
        run(lab, "plan", INVENTORY, "--format", "shell", scrambled=s).stdout.split("\n") for s in (False, True)
    )

    commands = [[line for line in lines if line and not line.startswith("#")] for lines in (plain, other)]
    assert len(commands[0]) > 50
    assert commands[0] == commands[1]
    assert sum("peer '<" in line for line in commands[0]) == 4
    # The boot script, the unit and the record are left to wgorch, whatever they are called.
    assert not any("/boot" in line or "systemctl" in line for line in commands[0])
