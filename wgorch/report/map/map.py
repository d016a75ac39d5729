"""The network as a map: members as boxes, tunnels as edges with the state that a status and a verdict know."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from html import escape
from typing import Any

from wgorch.base.assets import asset
from wgorch.base.text import visible
from wgorch.facts.wireguard import Traffic
from wgorch.inventory.model import Host
from wgorch.outcome import Status
from wgorch.report.map.layout import lay_out
from wgorch.report.map.shapes import LABELS, MARKS, Box, Edge, EdgeState
from wgorch.report.map.svg import render_svg
from wgorch.report.sessions import session_state, size
from wgorch.topology.topology import Topology
from wgorch.verify.diagnose import Verdict

MAX_PATHS = 250
"""Number of hosts up to which the page holds every path: they grow with its square."""


_ESCAPED = {ord(c): f"\\u{ord(c):04x}" for c in "<>&'"}

_POLICY = "default-src 'none'"


def _policy(page: str, svg: str) -> str:
    """The content security policy: the page's own style sheets and script, each by its hash, and nothing else."""
    styles = re.findall(r"<style>(.*?)</style>", page + svg, re.S)
    scripts = re.findall(r"<script>(.*?)</script>", page, re.S)
    return f"{_POLICY}; style-src {' '.join(map(_hash, styles))}; script-src {' '.join(map(_hash, scripts))}"


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


@dataclass
class Map:
    """The map of a topology; without status and verdict only what the inventory declares."""

    topology: Topology
    status: Status | None = None
    verdict: Verdict | None = None

    @cached_property
    def members(self) -> Mapping[str, Host]:
        """Hosts and devices by name."""
        return self.topology.hosts

    @cached_property
    def edges(self) -> list[Edge]:
        """The tunnels, each once."""
        pairs = {tuple(sorted((name, peer))): None for name in self.members for peer in self.topology.peers(name)}
        return [self._edge(one, other) for one, other in pairs]

    @cached_property
    def boxes(self) -> dict[str, Box]:
        """The members at their places. Raises UsageError without igraph."""
        return lay_out({name: self._box(name, host) for name, host in self.members.items()}, self.edges)

    def svg(self, *, sized: bool = True) -> str:
        """The map as SVG; `sized`: with width and height, for a file."""
        name = self.topology.inventory.network.name
        title = f"WireGuard network {name}: {len(self.members)} members, {len(self.edges)} tunnels"
        return render_svg(title, self.boxes, self.edges, sized=sized)

    def html(self) -> str:
        """The map as a self-contained page."""
        names = list(self.members) if len(self.members) <= MAX_PATHS else []
        data: dict[str, Any] = {
            "paths": {a: {b: self.topology.path(a, b) for b in names if b != a} for a in names},
            "boxes": {name: [name, *box.lines, *box.lans] for name, box in self.boxes.items()},
        }
        page = asset("report", "map/map.html")
        values = {
            "NETWORK": escape(self.topology.inventory.network.name),
            "SVG": self.svg(sized=False),
            # No text of the data can end the script that holds it, or an attribute.
            "DATA": json.dumps(data).translate(_ESCAPED),
        }
        # In one pass: a value that holds the name of another is not filled in turn.
        filled = re.sub("@(NETWORK|SVG|DATA)@", lambda word: values[word[1]], page)
        return filled.replace(_POLICY, _policy(page, values["SVG"]), 1)

    def _box(self, name: str, host: Host) -> Box:
        lines = [str(address) for address in host.addresses]
        lines += [str(way.endpoint) for way in host.all_ways]
        lans = [f"LAN {lan}" if host.real(lan) == lan else f"LAN {host.real(lan)} as {lan}" for lan in host.subnets]
        kind = "device" if host.is_device else "relay" if host.relay else "host"
        error = self.status.unreachable.get(name) if self.status else None
        if error:
            lines.append(f"unreachable: {visible(error.problem)}"[:40])
        nat = not host.endpoint and not host.is_device
        return Box(name, tuple(lines), tuple(lans), nat, kind, lost=error is not None)

    def _edge(self, one: str, other: str) -> Edge:
        ends = [end for end in (self._traffic(one, other), self._traffic(other, one)) if end]
        if not ends:
            state = EdgeState.UNKNOWN
            return Edge(one, other, state, detail=f"{one} — {other}: {LABELS[state]}")
        age = min((age for age, _ in ends if age is not None), default=None)
        state = EdgeState(session_state(age))
        rtts = (self._rtt_ms(one, other), self._rtt_ms(other, one))
        rtt = next((f"{ms:.1f} ms" for ms in rtts if ms is not None), "")
        received, sent = max(its.received for _, its in ends), max(its.sent for _, its in ends)
        facts = [LABELS[state], *([f"handshake {age} s ago"] if age is not None else [])]
        facts += [f"received {size(received)}, sent {size(sent)}", *([f"RTT {rtt}"] if rtt else [])]
        return Edge(one, other, state, f"{MARKS[state]} {rtt}".rstrip(), f"{one} — {other}: {', '.join(facts)}")

    def _traffic(self, name: str, peer: str) -> tuple[int | None, Traffic] | None:
        """Age of the handshake and traffic as one end reports them; None if it was not asked or the key is unknown."""
        if self.status is None or name not in self.status.seen or peer not in self.status.keys:
            return None
        seen = self.status.seen[name]
        traffic = seen.wg(self.topology.inventory.network).traffic.get(self.status.keys[peer], Traffic())
        return traffic.handshake_age(seen.clock.time), traffic

    def _rtt_ms(self, name: str, peer: str) -> float | None:
        measured = self.verdict.measured.get(name) if self.verdict else None
        found = [measured.pings.get(address) for address in self.members[peer].addresses] if measured else []
        return next((ping.rtt_ms for ping in found if ping), None)
