"""Show the main job: build the reference world, bring the network up in it, prove it, and tear it down."""

from __future__ import annotations

import subprocess
import sys
import time

from wgorch.base.assets import shipped
from wgorch.rehearsal import reference
from wgorch.rehearsal.inventory_world import ROOT
from wgorch.rehearsal.reference import ReferenceWorld
from wgorch.rehearsal.rehearse import terminal_environment
from wgorch.rehearsal.snapshot import KEYS_STAY, Snapshot, snapshot

HOSTS = ("bcc", "home", "company")
INVENTORY = "inventory/home-company.yaml"


def demo() -> int:
    """Run the demo on this terminal; the exit code: 0 if every command ends as expected and nothing is left on a host."""
    began = time.monotonic()
    drawing = (reference.__doc__ or "").split("\n\n", 1)[1].rstrip()
    say("The reference world, in network namespaces of this machine; nothing leads out of it", drawing)
    with ReferenceWorld("demo") as world:
        say(f"built in {time.monotonic() - began:.1f} s; before anything: home -> target", _reach(world))
        before = {name: snapshot(world, name) for name in (*HOSTS, "target")}
        ends = [run(world, 0, "check"), run(world, 2, "plan"), run(world, 0, "up")]
        say("home -> target, as its users would", _reach(world))
        ends += [run(world, 0, "status"), run(world, 0, "up"), run(world, 0, "teardown", "--yes")]
        left = _left(world, before)
        say(
            "every host compared with its snapshot from before `up`: links, addresses, routes, rules, sysctls, files, processes",
            "\n".join(left) or "no difference (each host keeps its private key; --purge deletes that too)",
        )
        say("home -> target, after teardown", _reach(world))
    ok = all(ends) and not left
    say(f"{'✓ demo passed' if ok else '✗ demo failed'} ({time.monotonic() - began:.1f} s)")
    return 0 if ok else 1


def say(title: str, text: str = "") -> None:
    """Print a heading, and what belongs below it."""
    bold, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")
    sys.stdout.write(f"\n{bold}=== {title}{plain}\n" + (f"{text}\n" if text else ""))
    sys.stdout.flush()


def run(world: ReferenceWorld, expected: int, verb: str, *options: str) -> bool:
    """Run wgorch on the controller, on this terminal; True if it ends with the expected exit code."""
    say(" ".join(["controller$ wgorch", verb, INVENTORY, *options]))
    inside = ["env", f"PYTHONPATH={ROOT}", "sh", "-c", 'cd "$0" && exec "$@"', str(shipped("inventory").parent)]
    argv = world.argv("controller", [*inside, sys.executable, "-m", "wgorch", verb, INVENTORY, *options])
    done = subprocess.run(argv, check=False, timeout=120, env=terminal_environment())
    if done.returncode != expected:
        say(f"exit code {done.returncode}, expected {expected}")
    return done.returncode == expected


def _reach(world: ReferenceWorld) -> str:
    ping = "reply" if world.ping("home", "10.10.13.61", wait=1) else "no reply"
    lines = [f"ping 10.10.13.61: {ping}"]
    for kind in ("tcp", "udp"):
        lines.append(f"{kind} 10.10.13.61 port 7777: {world.ask('home', kind, '10.10.13.61') or 'no reply'}")
    return "\n".join(lines)


def _left(world: ReferenceWorld, before: dict[str, Snapshot]) -> list[str]:
    """What differs on each machine from its snapshot."""
    return [
        f"{name}: {line}"
        for name, then in before.items()
        for line in then.difference(snapshot(world, name), ignore=KEYS_STAY)
    ]
