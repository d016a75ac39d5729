"""The sessions of a host as reports show them: peer, traffic, age of the latest handshake."""

from __future__ import annotations

from enum import StrEnum

from wgorch.base.value import value
from wgorch.base.wgkey import names_by_key
from wgorch.facts.wireguard import STALE_S, Traffic
from wgorch.gather.active import active_choice
from wgorch.outcome import Status
from wgorch.topology.topology import Topology


class SessionState(StrEnum):
    """State of a session by the age of its latest handshake."""

    UP = "up"
    STALE = "stale"
    DOWN = "down"
    """No handshake yet."""


STYLES = {SessionState.UP: "green", SessionState.STALE: "yellow", SessionState.DOWN: "red"}


def session_state(age_s: int | None) -> SessionState:
    """The state of a session whose latest handshake has that age, None: never."""
    if age_s is None:
        return SessionState.DOWN
    return SessionState.STALE if age_s > STALE_S else SessionState.UP


@value
class Session:
    """A session of a host with a peer."""

    key: str
    """Public key of the peer."""
    name: str | None
    """Name of the peer, None if its key is not in the inventory."""
    traffic: Traffic
    age_s: int | None
    """Age of the latest handshake by the host's clock, None: never."""

    @property
    def label(self) -> str:
        """The peer for people: its name, or the start of its key."""
        return self.name or f"{self.key[:8]}…"

    @property
    def age(self) -> str:
        """The age for people."""
        return "never" if self.age_s is None else ago(self.age_s)

    @property
    def style(self) -> str:
        """The style of the age."""
        return STYLES[session_state(self.age_s)]


def ago(seconds: int) -> str:
    """An age for people: ``12 s ago``, ``3 h ago``."""
    return f"{duration(seconds)} ago"


def duration(seconds: int) -> str:
    """A time for people: ``12 s``, ``3 h``."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def sessions(topology: Topology, status: Status) -> dict[str, list[Session]]:
    """The sessions of each host that was reached, ordered by peer: wg lists them in any order."""
    names = names_by_key(status.keys)
    network = topology.inventory.network
    return {
        host: sorted(
            (
                Session(key, names.get(key), traffic, traffic.handshake_age(seen.clock.time))
                for key, traffic in seen.wg(network).traffic.items()
            ),
            key=lambda session: session.name or session.key,
        )
        for host, seen in status.seen.items()
    }


class Use(StrEnum):
    """What a host does with one of several relays."""

    ACTIVE = "active"
    STANDBY = "standby"
    DRAINED = "drained"
    """It is not to be used, whether or not it works."""


@value
class RelayUse:
    """A relay that a host can use."""

    relay: str
    interface: str
    state: Use
    since_s: int | None = None
    """Seconds since it is used, None where that is not known."""
    switches: int | None = None
    """Changes of the relay since the start of the host."""
    why: str = ""
    """Why it is used: ``start``, ``lost``, ``loss``, ``drained`` or ``back``."""


def relay_uses(topology: Topology, status: Status, name: str) -> list[RelayUse]:
    """The relays that a host chooses between, the preferred one first; none where it does not choose."""
    if name not in topology.hosts or name not in status.seen:
        return []
    seen = status.seen[name]
    active, said = active_choice(topology, name, seen), seen.failover.active
    found = []
    for choice in topology.desired(name).choices:
        there = status.seen.get(choice.relay)
        drained = choice.interface in seen.failover.left or bool(there and there.failover.drained)
        if choice != active:
            found.append(RelayUse(choice.relay, choice.interface, Use.DRAINED if drained else Use.STANDBY))
        elif said.interface == choice.interface:
            since = max(0, seen.clock.uptime - said.since)
            found.append(RelayUse(choice.relay, choice.interface, Use.ACTIVE, since, said.switches, said.why))
        else:
            found.append(RelayUse(choice.relay, choice.interface, Use.ACTIVE))
    return found


def size(count: float) -> str:
    """Bytes for people: ``1.5 KiB``."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
