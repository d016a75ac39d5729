"""What one host captured of a probe, parsed from the output of its trace script."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field

from wgorch.base.text import one_line
from wgorch.base.value import value
from wgorch.facts.grammar import integer, pairs, public_key, read_answers
from wgorch.facts.part import Answers
from wgorch.gather.gather import NONCE
from wgorch.trace import drops, sightings
from wgorch.trace.drops import Drop
from wgorch.trace.probe import Kind, Probe
from wgorch.trace.sightings import Sighting, Sightings


@value
class Capture:
    """What one host captured of a probe."""

    host: str
    tool: str
    """``nft`` or ``tcpdump``; empty where neither is installed, and then no packet was observed."""
    sightings: Sightings
    outer: Sightings
    """WireGuard's own UDP packets, by direction: ``in`` and ``out``."""
    drops: tuple[Drop, ...]
    """Rules and policies that dropped the probe, as nft traced it."""
    counted_drops: tuple[Drop, ...]
    """Those of iptables whose counters grew meanwhile."""
    route: str
    """First line of ``ip route get TARGET``."""
    neighbour: str
    """First line of ``ip neighbour show TARGET``."""
    handshakes: Mapping[str, int]
    """UNIX time of the latest handshake by public key, 0 for none."""
    endpoints: Mapping[str, str]
    """Current endpoint by public key."""
    clock: int
    """UNIX time of the host."""
    answered: bool | None = None
    """Whether a reply came back; None on a host that sent nothing."""
    refused: bool = False
    """True where the target's answer was that nothing listens: a TCP reset, or ICMP port unreachable."""
    full_answered: bool | None = None
    packets: bytes = field(default=b"", repr=False)
    """A pcap file, where one was asked for."""

    def sighted(self, kind: Kind, direction: str, interface: str) -> tuple[Sighting, ...]:
        """Sightings of a packet that came in or went out by an interface."""
        return tuple(s for s in self.sightings.get(f"{kind} {direction}", ()) if s.interface == interface)


def parse(host: str, text: str, probe: Probe) -> Capture:
    """The Capture in the output of a host's trace script. Raises Garbled."""
    return read_answers(host, text, NONCE, "read the trace", lambda answers: _capture(host, text, answers, probe))


def _capture(host: str, text: str, answers: Answers, probe: Probe) -> Capture:
    before, _, _ = text.partition(f"\n{NONCE} ")
    lines = text.split("\n")  # of background jobs, too: they print at any time, with a first word of their own
    tool = "" if _died(lines) else "".join(answers["by"])
    found = sightings.of_nft(answers["sets"]) if tool == "nft" else sightings.of_tcpdump(lines, probe) if tool else {}
    return Capture(
        host=host,
        tool=tool if tool in ("nft", "tcpdump") else "",
        sightings={name: s for name, s in found.items() if not name.startswith("outer")},
        outer={d: (*found.get(f"outer4 {d}", ()), *found.get(f"outer6 {d}", ())) for d in ("in", "out")},
        drops=tuple(dict.fromkeys(drops.traced(lines))),
        counted_drops=tuple(drops.counted(answers.get("counted-before", []), answers.get("counted-after", []), probe)),
        route=one_line("".join(answers["route"][:1]), 200),
        neighbour=one_line("".join(answers["neighbour"][:1]), 200),
        handshakes={public_key(key): integer(moment) for key, moment in pairs(answers["latest-handshakes"])},
        endpoints=dict(pairs(answers["endpoints"])),
        clock=integer(answers["clock"][0]),
        answered=_answered("small", before),
        refused="small refused" in before.split("\n"),
        full_answered=_answered("full", before),
        packets=_packets(lines),
    )


def _died(lines: list[str]) -> bool:
    """True where tcpdump ended by itself, and not by its time or its number of packets: what it missed is not known."""
    ends = [line.removeprefix("sight tcpdump-status ") for line in lines if line.startswith("sight tcpdump-status ")]
    return any(end not in ("0", "124", "143") for end in ends)


def _answered(word: str, text: str) -> bool | None:
    lines = [line for line in text.split("\n") if line.startswith(f"{word} ")]
    return any(re.search(r"\b[1-9]\d* (packets )?received", line) for line in lines) if lines else None


def _packets(lines: list[str]) -> bytes:
    import base64
    import binascii

    try:
        return base64.b64decode("".join(line[5:] for line in lines if line.startswith("pcap ")))
    except binascii.Error:
        return b""
