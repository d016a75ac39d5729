"""Which sessions must be newer than a change to prove it."""

from __future__ import annotations

from collections.abc import Mapping

from wgorch.plan.host import HostPlan
from wgorch.run import Run
from wgorch.verify.diagnose import Since


def new_sessions(run: Run, plans: Mapping[str, HostPlan]) -> dict[str, Since]:
    """Peers of each host whose session must be newer than the change, and the moment before it by the host's clock.

    Only a new peer or a new key needs one: after any other change the old session goes on, and the pings prove it.
    """
    found = {}
    for name, plan in plans.items():
        old, new = plan.have.interface, plan.want.interface
        everything = old is None or new is None or old.public_key != new.public_key
        old_peers = plan.have.peers
        fresh = {
            p.name
            for key, p in plan.want.peers.items()
            if everything or key not in old_peers or old_peers[key].preshared != p.preshared
        }
        found[name] = Since(run.seen[name].clock, frozenset(fresh))
    return found
