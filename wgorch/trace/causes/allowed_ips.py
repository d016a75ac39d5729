"""Allowed-ips or a public key of a peer are wrong."""

from __future__ import annotations

from wgorch.base.ip import network, network_text
from wgorch.inventory.model import IPAddress
from wgorch.trace.evidence import Evidence, short
from wgorch.verify.diagnose import by_hand
from wgorch.verify.finding import Finding


def missing_at_sender(evidence: Evidence, host: str, target: IPAddress) -> Finding | None:
    """The peer that a host sends a target to is not the next hop."""
    hop, peer = evidence.next_hop(host, target), evidence.peer_for(host, target)
    if hop is None or (peer is not None and evidence.name_of(peer) == hop):
        return None
    if peer is not None and evidence.name_of(peer) not in evidence.keys:
        expected = short(evidence.keys.get(hop, ""))
        what = f"wrong public key for peer {hop}: {short(peer.public_key)}, expected {expected}"
        return Finding(host, what, "wgorch up")
    holder = f" (assigned to peer {evidence.name_of(peer)})" if peer else ""
    return _lacking(evidence, host, hop, target, holder)


def missing_at_receiver(evidence: Evidence, host: str, sender: str, source: IPAddress) -> Finding | None:
    """The receiver has no peer for the sender, or drops its packets by their source address."""
    peer = evidence.peer(host, sender)
    if peer is None:
        key = short(evidence.keys.get(sender, ""))
        return Finding(host, f"no peer with the public key of {sender} ({key})", "wgorch up")
    if any(source in net for net in map(network, peer.allowed_ips)):
        return None
    return _lacking(evidence, host, sender, source, ": WireGuard drops its packets")


def _lacking(evidence: Evidence, host: str, peer: str, address: IPAddress, detail: str) -> Finding:
    subnet, link = evidence.subnet_of(address), evidence.topology.desired(host).link(peer)
    # The whole list: older versions of wg know no way to add to it.
    nets = ",".join(map(network_text, link.allowed_ips)) if link else subnet
    interface = link.interface or evidence.tunnel if link else evidence.tunnel
    setting = f"wg set {interface} peer {evidence.key_of(peer)} allowed-ips {nets}"
    return Finding(host, f"peer {peer} lacks allowed-ips {subnet}{detail}", by_hand(setting))
