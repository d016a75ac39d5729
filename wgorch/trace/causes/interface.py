"""An interface is missing or down."""

from __future__ import annotations

from wgorch.base.sh import quote
from wgorch.trace.evidence import Evidence
from wgorch.verify.diagnose import by_hand
from wgorch.verify.finding import Finding


def interface_down(evidence: Evidence, host: str, interface: str) -> Finding | None:
    """An interface of a host carries no packets."""
    device = evidence.facts[host].links.devices.get(interface)
    managed = interface in evidence.tunnels(host)
    if device is None:
        return Finding(host, f"interface {interface} not found", "wgorch up" if managed else "correct lan_interface")
    if not device.up:
        up = f"ip link set {quote(interface)} up"
        return Finding(host, f"{interface} is down", by_hand(up) if managed else up)
    return None


def tunnel_down(evidence: Evidence, host: str) -> Finding | None:
    """The tunnel interface of a host carries no packets."""
    return interface_down(evidence, host, evidence.tunnel)
