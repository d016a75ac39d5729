"""Failover: which of several relays a host uses just now, what takes a detour, and what is drained."""

from __future__ import annotations

from typing import NamedTuple

from wgorch.base.value import value
from wgorch.facts.grammar import integer, match
from wgorch.facts.part import Answers, Part, Reread

PART = Part({"failover": Reread.ALWAYS})

_INTERFACE = r"[^\s/]{1,15}"
_NAME = r"[a-z0-9][a-z0-9-]{0,31}"


class Active(NamedTuple):
    """The relay that a host uses."""

    interface: str = ""
    relay: str = ""
    since: int = 0
    """Uptime of the host in seconds when it began to."""
    switches: int = 0
    """Changes of the relay since the start of the host."""
    why: str = ""
    """``start``, ``lost``, ``loss``, ``drained`` or ``back``."""


class Detoured(NamedTuple):
    """A spoke that a relay does not hear, and reaches by another one."""

    spoke: str
    interface: str
    since: int
    """Uptime of the relay in seconds."""


@value
class Failover:
    """What the failover script of a host says."""

    active: Active = Active()
    detours: tuple[Detoured, ...] = ()
    drained: str = ""
    """Of a relay that is drained: UNIX time, and by whom."""
    left: frozenset[str] = frozenset()
    """Interfaces whose relays the host is to leave."""


def read(answers: Answers) -> Failover:
    """The Failover in a host's answers. Raises NotAnAnswer."""
    active, detours, drained, left = Active(), [], "", set()
    for line in answers.get("failover", []):
        word, _, rest = line.partition(" ")
        parts = rest.split(" ")
        if word == "active" and len(parts) == 5:
            interface, relay, since, switches, why = parts
            active = Active(
                match(_INTERFACE, interface),
                match(_NAME, relay),
                integer(since),
                integer(switches),
                match(r"\w{1,20}", why),
            )
        elif word == "detour" and len(parts) == 3:
            detours.append(Detoured(match(_NAME, parts[0]), match(_INTERFACE, parts[1]), integer(parts[2])))
        elif word == "drained":
            drained = match(r"[0-9]{1,12} \S{1,100}", rest)
        elif word == "left":
            left.add(match(_INTERFACE, rest))
    return Failover(active, tuple(detours), drained, frozenset(left))
