"""The state of a network as Prometheus reads it: text for a scrape, or a file for node_exporter's textfile collector."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from wgorch.base.text import one_line
from wgorch.base.wgkey import names_by_key
from wgorch.outcome import Status
from wgorch.topology.topology import Topology

METRICS = {
    "wgorch_reached": ("gauge", "1 where the host could be asked."),
    "wgorch_drift_changes": ("gauge", "Changes that would make the host as the inventory says."),
    "wgorch_peer_latest_handshake_seconds": ("gauge", "When the session with a peer was proven last; 0 for never."),
    "wgorch_peer_handshake_age_seconds": ("gauge", "How long ago that was, by the host's own clock."),
    "wgorch_peer_received_bytes_total": ("counter", "Bytes received from a peer."),
    "wgorch_peer_sent_bytes_total": ("counter", "Bytes sent to a peer."),
}

Sample = tuple[str, Mapping[str, str], float]


def exposition(topology: Topology, status: Status) -> str:
    """The whole text, each metric with its help and type."""
    samples = list(_samples(topology, status))
    lines = []
    for name, (kind, text) in METRICS.items():
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
        lines += [_line(labels, value, name) for metric, labels, value in samples if metric == name]
    return "\n".join(lines) + "\n"


def _samples(topology: Topology, status: Status) -> Iterator[Sample]:
    network = topology.inventory.network
    names = names_by_key(status.keys)
    for host in (*status.seen, *status.unreachable):
        yield "wgorch_reached", {"network": network.name, "host": host}, float(host in status.seen)
    for host, plan in status.plans.items():
        yield "wgorch_drift_changes", {"network": network.name, "host": host}, float(len(plan.changes))
    for host, seen in status.seen.items():
        for key, traffic in seen.traffic.items() if seen.is_managed(network) else ():
            labels = {"network": network.name, "host": host, "peer": names.get(key, key)}
            yield "wgorch_peer_latest_handshake_seconds", labels, float(traffic.handshake)
            if traffic.handshake:
                yield "wgorch_peer_handshake_age_seconds", labels, float(max(0, seen.clock - traffic.handshake))
            yield "wgorch_peer_received_bytes_total", labels, float(traffic.received)
            yield "wgorch_peer_sent_bytes_total", labels, float(traffic.sent)


def _line(labels: Mapping[str, str], value: float, name: str) -> str:
    quoted = ",".join(f'{k}="{_escaped(v)}"' for k, v in labels.items())
    return f"{name}{{{quoted}}} {value:.0f}"


def _escaped(text: str) -> str:
    return one_line(text).replace("\\", "\\\\").replace('"', '\\"')


def write(text: str, path: Path) -> None:
    """The file appears whole: a collector may read it at any moment."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).chmod(0o644)
    Path(name).replace(path)
