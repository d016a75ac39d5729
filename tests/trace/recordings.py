"""Recorded traces of the reference network, one per fault; made by ``python -m tests.lab.record``."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

from wgorch.gather.gather import NONCE
from wgorch.gather.observed import Observed, observed
from wgorch.inventory.load import load
from wgorch.topology.topology import build
from wgorch.trace.capture import Capture, parse
from wgorch.trace.explain import Trace, explain
from wgorch.trace.probe import Probe

HERE = Path(__file__).parent
TOPOLOGY = build(load(HERE.parents[1] / "inventory" / "home-company.yaml"))


def recorded(name: str) -> tuple[dict[str, Observed], dict[str, Capture], Probe]:
    """Facts and captures by host, and the probe."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    kept = json.loads((HERE / "recorded" / f"{slug}.json").read_text())
    assert kept["nonce"] == NONCE
    probe = Probe(ip_address("192.168.2.2"), ip_address("10.10.13.61"), size=kept["size"], full_size=kept["full_size"])
    facts = {
        h: observed(h, f"{NONCE} {text.partition(chr(10) + NONCE + ' ')[2]}", NONCE)
        for h, text in kept["facts"].items()
    }
    return facts, {h: parse(h, text, probe) for h, text in kept["seen"].items()}, probe


def without_tools(captures: dict[str, Capture]) -> dict[str, Capture]:
    """The captures of hosts that have neither nft nor tcpdump."""
    return {
        h: replace(c, tool="", sightings={}, outer={"in": (), "out": ()}, drops=(), counted_drops=())
        for h, c in captures.items()
    }


def explained(name: str, *, blind: bool = False) -> Trace:
    facts, captures, probe = recorded(name)
    keys = {host: o.keys.public for host, o in facts.items()}
    return explain(TOPOLOGY, facts, keys, without_tools(captures) if blind else captures, probe, "home")
