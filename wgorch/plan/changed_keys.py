"""Detect hosts whose WireGuard key is not the one that their peers hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wgorch.base.ip import network_text
from wgorch.errors import HostError, Unfit
from wgorch.gather.observed import Observed
from wgorch.topology.topology import Topology


def changed_keys(
    topology: Topology, seen: Mapping[str, Observed], keys: Mapping[str, str], accepted: frozenset[str]
) -> Iterator[HostError]:
    """Hosts that show another key than their peers hold for them: a reinstalled machine, or another one in its place.

    Where one peer holds the key that is shown, it was changed by wgorch while the others were absent.
    """
    current = set(keys.values())
    managed = {peer: there for peer, there in seen.items() if there.is_managed(topology.inventory.network)}
    strange = {
        p: {k: e for k, e in there.wg(topology.inventory.network).peers.items() if k not in current}
        for p, there in managed.items()
    }
    witnessed = {key for there in managed.values() for key in there.wg(topology.inventory.network).peers}
    for name in seen:
        if name in accepted or keys.get(name) in witnessed:
            continue
        own = {f"{address}/{address.max_prefixlen}" for address in topology.hosts[name].addresses}
        for peer in topology.peers(name):
            if not strange.get(peer):
                continue
            link = topology.desired(peer).link(name)
            expected = tuple(map(network_text, link.allowed_ips)) if link else ()
            held = [
                key
                for key, entry in strange[peer].items()
                if own & set(entry.allowed_ips) or entry.allowed_ips == expected
            ]
            if held:
                shows = f"shows the key {keys[name][:8]}…" if name in keys else "has no key any more"
                problem = f"it {shows}, but {peer} knows it by {held[0][:8]}…"
                hint = f"if it was set up anew, and you know by whom: --accept-new-key {name}"
                yield Unfit(name, "trust its key", problem, hint)
                break
