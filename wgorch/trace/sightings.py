"""Packets on interfaces, as nft's sets or tcpdump's lines report them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from wgorch.facts.path_mtu import ICMP_HEADER
from wgorch.trace.probe import Kind, Probe


class Sighting(NamedTuple):
    """A packet on an interface, with its addresses there."""

    interface: str
    source: str
    destination: str


Sightings = Mapping[str, tuple[Sighting, ...]]
"""By set name: kind and direction of the packet, as ``request in``."""


def of_nft(lines: list[str]) -> dict[str, tuple[Sighting, ...]]:
    """Sightings in the sets of ``nft list table``."""
    _, *parts = re.split(r"\bset ([a-z0-9-]+) \{", " ".join(lines))
    found = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        kind, _, direction = name.rpartition("-")
        found[f"{kind} {direction}"] = tuple(_elements(body))
    return found


def _elements(body: str) -> Iterator[Sighting]:
    hit = re.search(r"elements = \{([^}]*)\}", body)
    for element in hit[1].split(",") if hit else ():
        parts = re.fullmatch(r'\s*"([^"\s]{1,15})" \. ([0-9a-fA-F:.]{2,45}) \. ([0-9a-fA-F:.]{2,45})\s*', element)
        if parts:
            yield Sighting(parts[1], parts[2], parts[3])


_TCPDUMP = re.compile(r"sight \S+ (\S{1,15}) +(In|Out) +IP6? ([0-9a-fA-F:.]+) > ([0-9a-fA-F:.]+): (.*)")


def of_tcpdump(lines: list[str], probe: Probe) -> dict[str, tuple[Sighting, ...]]:
    """Sightings in tcpdump's lines, which carry ``sight`` in front."""
    found: dict[str, dict[Sighting, None]] = {}
    for line in lines:
        if hit := _TCPDUMP.match(line):
            ends = [hit[3], hit[4]] if probe.protocol == "icmp" else [end.rpartition(".")[0] for end in hit.group(3, 4)]
            kind = _kind(probe, ends[0], hit[5])
            found.setdefault(f"{kind} {hit[2].lower()}", {})[Sighting(hit[1], *ends)] = None
    return {kind: tuple(sightings) for kind, sightings in found.items()}


def _kind(probe: Probe, source: str, details: str) -> Kind:
    if probe.protocol != "icmp":
        return Kind.of(reply=source == str(probe.target), full=False)
    size = re.search(r"length (\d{1,18})", details)
    full = bool(probe.full_size) and size is not None and int(size[1]) == probe.full_size + ICMP_HEADER
    return Kind.of(reply="echo reply" in details, full=full)
