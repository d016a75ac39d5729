"""A recorded network and results made from it, for tests of what is rendered."""

from __future__ import annotations

import io
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console

from tests.trace.recordings import recorded
from wgorch.errors import DIFFERS, DONE, Unreachable
from wgorch.inventory.load import load
from wgorch.outcome import Status
from wgorch.plan.host import HostPlan
from wgorch.plan.notes import Note
from wgorch.state.change import Change, command
from wgorch.state.state import State
from wgorch.topology.topology import build
from wgorch.verify.diagnose import Verdict
from wgorch.verify.finding import Finding
from wgorch.verify.measure import Measurement, Ping

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "inventory" / "home-company.yaml"
TOPOLOGY = build(load(REFERENCE))

SEEN, _, _ = recorded("healthy")
KEYS = {name: host.wireguard["wg0"].public_key for name, host in SEEN.items()}


def healthy() -> Status:
    """Every host reached and in sync."""
    return Status(DONE, SEEN, {}, {}, KEYS)


def lost(problem: str = "it is off") -> Status:
    """One more host, which was not reached."""
    return Status(DIFFERS, SEEN, {}, {"office": Unreachable("office", "connect", problem)}, KEYS)


def drifted(plan: HostPlan, error: str = "") -> Status:
    """A host with drift."""
    return Status(DIFFERS, SEEN, {plan.host: plan}, {}, KEYS, (error,) if error else ())


def plan_of(host: str, *changes: Change, note: str = "") -> HostPlan:
    """A plan that makes these changes."""

    def unused() -> NoReturn:
        raise AssertionError("not needed to render a plan")

    state = State("wgorch:office", "/var/lib/wgorch/office")
    notes = (Note(host, note),) if note else ()
    return HostPlan(host, state, state, (), changes, (), unused, unused, unused, notes)


def change_of(sign: str, what: str, why: str, *, disruptive: bool = False) -> Change:
    """A change of the step `peers`."""
    return Change(sign, what, why, (command("wg", "show"),), disruptive, "peers")


def verdict_of(*findings: Finding) -> Verdict:
    """home reaches bcc and not company."""
    pings = {ip_address("192.168.2.1"): Ping(3, 3, 1.24), ip_address("192.168.2.3"): Ping(3, 0)}
    measured = {
        "home": Measurement("home", pings, {}, {}),
        "bcc": Measurement("bcc", {ip_address("192.168.2.2"): Ping(3, 2)}, {}, {}),
    }
    return Verdict(measured, findings)


def rendered(render: Callable[[Console], None], width: int = 120) -> str:
    """What is printed off a terminal, without styles."""
    return _rendered(render, Console(file=io.StringIO(), width=width, markup=False, highlight=False))


def rendered_on_terminal(render: Callable[[Console], None], width: int = 120, **options: Any) -> str:
    """What is printed on a terminal of that width."""
    stream = io.StringIO()
    return _rendered(
        render, Console(file=stream, width=width, force_terminal=True, markup=False, highlight=False, **options)
    )


def _rendered(render: Callable[[Console], None], console: Console) -> str:
    render(console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()
