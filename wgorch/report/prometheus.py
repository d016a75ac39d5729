"""The state of a network as Prometheus metrics, for a scrape or for node_exporter's textfile collector."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from wgorch.base.text import one_line
from wgorch.outcome import Status
from wgorch.report.files import write_text
from wgorch.report.sessions import sessions
from wgorch.topology.topology import Topology

METRICS = {
    "wgorch_reached": ("gauge", "1 if the host was reached over SSH, else 0."),
    "wgorch_drift_changes": ("gauge", "Number of changes that wgorch up would make on the host."),
    "wgorch_peer_latest_handshake_seconds": ("gauge", "UNIX time of the latest handshake (0: never)."),
    "wgorch_peer_handshake_age_seconds": ("gauge", "Seconds since the latest handshake, by the host's clock."),
    "wgorch_peer_received_bytes_total": ("counter", "Bytes received from the peer."),
    "wgorch_peer_sent_bytes_total": ("counter", "Bytes sent to the peer."),
}
"""Type and help text by metric."""

Sample = tuple[str, Mapping[str, str], float]
"""Metric, labels, value."""


def exposition(topology: Topology, status: Status) -> str:
    """All metrics in the text exposition format."""
    samples = list(_samples(topology, status))
    lines = []
    for name, (kind, text) in METRICS.items():
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
        lines += [_line(labels, value, name) for metric, labels, value in samples if metric == name]
    return "\n".join(lines) + "\n"


def _samples(topology: Topology, status: Status) -> Iterator[Sample]:
    network = topology.inventory.network
    for host in (*status.seen, *status.unreachable):
        yield "wgorch_reached", {"network": network.name, "host": host}, float(host in status.seen)
    for host, plan in status.plans.items():
        yield "wgorch_drift_changes", {"network": network.name, "host": host}, float(len(plan.changes))
    for host, its in sessions(topology, status).items():
        for session in its if status.seen[host].is_managed(network) else ():
            labels = {"network": network.name, "host": host, "peer": session.name or session.key}
            yield "wgorch_peer_latest_handshake_seconds", labels, float(session.traffic.handshake)
            if session.age_s is not None:
                yield "wgorch_peer_handshake_age_seconds", labels, float(session.age_s)
            yield "wgorch_peer_received_bytes_total", labels, float(session.traffic.received)
            yield "wgorch_peer_sent_bytes_total", labels, float(session.traffic.sent)


def _line(labels: Mapping[str, str], value: float, name: str) -> str:
    quoted = ",".join(f'{label}="{_escape(text)}"' for label, text in labels.items())
    return f"{name}{{{quoted}}} {value:.0f}"


def _escape(text: str) -> str:
    return one_line(text).replace("\\", "\\\\").replace('"', '\\"')


def write(text: str, path: Path) -> None:
    """Replace the file atomically: a collector may read it at any moment. Raises UsageError."""
    write_text(text, path, 0o644)
