"""The main job, shown: the reference world is built, the network comes up in it, proves itself, and goes away."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from wgorch.rehearsal import reference
from wgorch.rehearsal.reference import ReferenceWorld
from wgorch.rehearsal.snapshot import KEYS_STAY, snapshot

HOSTS = ("bcc", "home", "company")
ROOT = Path(__file__).resolve().parents[2]


def demo() -> int:
    """Show it all; 0 where everything went as it should."""
    began = time.monotonic()
    drawing = (reference.__doc__ or "").split("\n\n", 1)[1].rstrip()
    say("The reference world, in network namespaces of this machine; nothing leads out of it", drawing)
    with ReferenceWorld("demo") as world:
        built = time.monotonic() - began
        assert isinstance(world, ReferenceWorld)
        say(f"built in {built:.1f} s; before anything: home -> target", _reach(world))
        before = {name: snapshot(world, name) for name in (*HOSTS, "target")}
        codes = [
            run(world, 0, "check"),
            run(world, 2, "plan"),
            run(world, 0, "up"),
        ]
        say("home -> target, as its users would", _reach(world))
        codes += [
            run(world, 0, "status"),
            run(world, 0, "up"),
            run(world, 0, "teardown", "--yes"),
        ]
        left = {n: found for n, s in before.items() if (found := s.difference(snapshot(world, n), ignore=KEYS_STAY))}
        told = "\n".join(f"{name}: {line}" for name, lines in left.items() for line in lines)
        say(
            "every host compared with its snapshot from before `up`: links, addresses, routes, rules, sysctls, files, processes",
            told or "no difference (each host keeps its private key; --purge takes that too)",
        )
        say("home -> target, after teardown", _reach(world))
    good = all(codes) and not left
    say(f"{'all as it should be' if good else 'NOT as it should be'}; {time.monotonic() - began:.1f} s in all")
    return 0 if good else 1


def say(title: str, text: str = "") -> None:
    """A heading, and what belongs below it."""
    bold, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")
    sys.stdout.write(f"\n{bold}=== {title}{plain}\n" + (f"{text}\n" if text else ""))
    sys.stdout.flush()


def run(world: ReferenceWorld, expected: int, *args: str) -> bool:
    """Run wgorch as the controller, on this terminal; True where it ended as expected."""
    verb, *options = args
    say(f"controller$ wgorch {verb} inventory/home-company.yaml {' '.join(options)}".rstrip())
    argv = [sys.executable, "-m", "wgorch", verb, "inventory/home-company.yaml", *options]
    argv = world.argv("controller", ["env", f"PYTHONPATH={ROOT}", "sh", "-c", 'cd "$0" && exec "$@"', str(ROOT), *argv])
    done = subprocess.run(argv, check=False, timeout=120, env=_environment())
    if done.returncode != expected:
        say(f"exit code {done.returncode}, expected {expected}")
    return done.returncode == expected


def _environment() -> dict[str, str]:
    import os

    from wgorch.rehearsal.world import ENVIRONMENT

    shown = {k: os.environ[k] for k in ("TERM", "COLUMNS", "LINES", "NO_COLOR") if k in os.environ}
    return {**ENVIRONMENT, **shown}


def _reach(world: ReferenceWorld) -> str:
    ping = "answers" if world.ping("home", "10.10.13.61", wait=1) else "no answer"
    told = [f"ping 10.10.13.61: {ping}"]
    for kind in ("tcp", "udp"):
        told.append(f"{kind} 10.10.13.61 port 7777: {world.ask('home', kind, '10.10.13.61') or 'no answer'}")
    return "\n".join(told)
