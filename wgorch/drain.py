"""Drain a relay for maintenance: hosts leave it while it still forwards, and return when it is undrained."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

from wgorch.base.sh import sh
from wgorch.base.value import value
from wgorch.errors import UsageError
from wgorch.run import Run

LOOK_EVERY_S = 2
STILL = 3
"""Looks in a row without a forwarded packet after which a relay is empty."""


def check_names(run: Run, host: str, relay: str | None) -> None:
    """Refuse what is no relay, and a relay that the host does not choose: by the inventory alone. Raises UsageError."""
    topology = run.topology
    if relay is None and not topology.hosts[host].relay:
        names = ", ".join(topology.relays) or "none"
        raise UsageError(
            f"{host} is no relay", f"relays: {names}; one host leaves a relay with: wgorch drain {host} --from RELAY"
        )
    if relay is not None:
        relays = topology.relays_of(host)
        if len(relays) < 2 or relay not in relays:
            problem = f"{host} does not choose between {relay} and another relay"
            raise UsageError(problem, f"relays of {host}: {', '.join(relays) or 'none'}")


def check_relay(run: Run, relay: str) -> None:
    """Refuse to drain the last relay that a spoke could use. The hosts must have been read. Raises UsageError."""
    topology = run.topology
    if stuck := [name for name in topology.spokes if _depends_on(run, name, relay)]:
        usable = [other for other in topology.relays if other != relay and _is_usable(run, other)]
        hint = "undrain another relay, or bring it back" if not usable else f"links: give {stuck[0]} another relay"
        raise UsageError(f"{relay} is the last relay of {', '.join(stuck)}", hint)


def _depends_on(run: Run, name: str, relay: str) -> bool:
    """True for a host that could use no other relay; a device has one, and stays."""
    relays = run.topology.relays_of(name)
    if relay not in relays or run.topology.hosts[name].is_device:
        return False
    there = run.seen.get(name)
    left = there.failover.left if there else frozenset()
    others = [c.relay for c in run.topology.desired(name).choices if c.relay != relay and c.interface not in left]
    return not any(_is_usable(run, other) for other in others)


def _is_usable(run: Run, relay: str) -> bool:
    there = run.seen.get(relay)
    return there is not None and there.is_managed(run.network) and not there.failover.drained


def check_spoke(run: Run, name: str, relay: str) -> None:
    """Refuse to let a host leave its last relay. The hosts must have been read. Raises UsageError."""
    relays = run.topology.relays_of(name)
    there = run.seen[name]
    left = {c.relay for c in run.topology.desired(name).choices if c.interface in there.failover.left}
    if not any(_is_usable(run, other) for other in relays if other != relay and other not in left):
        raise UsageError(f"{relay} is the last relay of {name}", "undrain another one")


def devices_of(run: Run, relay: str) -> list[str]:
    """The devices that connect to a relay alone: they do not leave it."""
    return [n for n, d in run.topology.hosts.items() if d.is_device and relay in run.topology.relays_of(n)]


@value
class Emptied:
    """What a drained relay still forwards."""

    is_empty: bool
    rate: float = 0
    """Packets in a second that it forwarded at last; maybe not of this network."""


def wait_until_empty(run: Run, relay: str, patience_s: float) -> Emptied:
    """Wait until a relay forwards nothing. Raises HostError."""
    began, still, last = time.monotonic(), 0, -1
    rate, at = 0.0, began
    for total in _forwarded(run, relay):
        now = time.monotonic()
        if last >= 0:
            rate = (total - last) / max(now - at, 0.001)
            still = still + 1 if total == last else 0
        last, at = total, now
        if still >= STILL or now - began > patience_s:
            break
        time.sleep(LOOK_EVERY_S)
    return Emptied(still >= STILL, 0 if still >= STILL else rate)


def _forwarded(run: Run, relay: str) -> Iterator[int]:
    """The number of packets that a host has forwarded, of both IP versions, each time it is asked for."""
    script = sh("cat /proc/net/snmp /proc/net/snmp6 2>/dev/null || :")
    while True:
        text = run.fleet.open(relay).exchange(script, "count what it forwards", 20)
        yield _count(text)


def _count(text: str) -> int:
    names, numbers = ([line.split() for line in text.split("\n") if line.startswith("Ip: ")] + [[], []])[:2]
    four = re.fullmatch(r"[0-9]{1,20}", dict(zip(names, numbers, strict=False)).get("ForwDatagrams", ""))
    six = re.search(r"^Ip6OutForwDatagrams\s+([0-9]{1,20})$", text, re.M)
    return int(four[0] if four else 0) + int(six[1] if six else 0)
