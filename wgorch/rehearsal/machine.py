"""Machines of a rehearsal world and their network devices."""

from __future__ import annotations

from pathlib import Path

from wgorch.base.value import value

PLACE = Path("/run/wgorch-rehearsal")


@value
class Card:
    """A network card: its name, the segment it is plugged into, its addresses with prefix."""

    name: str
    segment: str
    addresses: tuple[str, ...] = ()
    mtu: int = 1500


@value
class Machine:
    """One machine. `nat`: the outer card of a NAT router; `tcp_in`: ports it lets in there from outside.

    `handed_in`: what it hands on from there, as (protocol, port, address behind it). IPv6 it passes on unchanged, and
    lets nothing in that was not asked for. `gateways`: the way out, of IPv4, of IPv6 or both.

    `sshd`: options of its own sshd beyond the world's, or None for no sshd. `systemd`: a real systemd is its init.
    """

    name: str
    cards: tuple[Card, ...]
    gateways: tuple[str, ...] = ()
    forwards: bool = False
    nat: str | None = None
    hard_nat: bool = False
    tcp_in: tuple[int, ...] = ()
    handed_in: tuple[tuple[str, int, str], ...] = ()
    sshd: tuple[str, ...] | None = None
    systemd: bool = False
    routes: tuple[tuple[str, str], ...] = ()


class WorldError(RuntimeError):
    """The world could not be built; says which part and why."""
