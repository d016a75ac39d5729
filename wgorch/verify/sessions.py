"""Which sessions must be newer than a change to prove it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from wgorch.facts.wireguard import Traffic
from wgorch.plan.host import HostPlan
from wgorch.run import Run
from wgorch.verify.diagnose import Since


def new_sessions(
    run: Run, plans: Mapping[str, HostPlan], before: Mapping[str, Mapping[str, Traffic]]
) -> dict[str, dict[str, Since]]:
    """Peers of each host whose session must be newer than the change, and how new.

    `before`: what was read of the sessions of each host before the change, by public key.

    Only a new peer or a new key needs one: after any other change the old session goes on, and the pings prove it.
    """
    found = {}
    for name, plan in plans.items():
        moment = run.seen[name].clock.time
        peers = (pair for interface in plan.want.peers for pair in _fresh_peers(plan, interface))
        found[name] = {peer: Since(moment, _latest(before.get(name, {}), key) if key else 0) for peer, key in peers}
    return found


def _latest(sessions: Mapping[str, Traffic], key: str) -> int:
    """UNIX time of the latest handshake with a key; later than any where it was not read."""
    return sessions[key].handshake if key in sessions else sys.maxsize


def _fresh_peers(plan: HostPlan, interface: str) -> Iterator[tuple[str, str]]:
    """Names of the peers on one interface whose session must be new, and their keys where it had them before."""
    old, new = plan.have.interfaces.get(interface), plan.want.interfaces.get(interface)
    new_key = old is None or new is None or old.public_key != new.public_key
    old_peers = plan.have.peers.get(interface, {})
    for key, peer in plan.want.peers[interface].items():
        if new_key or key not in old_peers or old_peers[key].preshared != peer.preshared:
            yield peer.name, key if key in old_peers else ""
