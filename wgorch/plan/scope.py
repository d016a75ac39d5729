"""What a plan may touch: foreign rules are kept, saved values restored, other hosts' entries left alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from wgorch.gather.observed import Observed
from wgorch.inventory.model import Network
from wgorch.state.rules import foreign_rules
from wgorch.state.state import State, nothing
from wgorch.state.wireguard import Peer


def baseline(seen: Observed, have: State, network: Network, *, packages: bool = False) -> State:
    """The State after teardown: nothing managed, and the saved values where wgorch's are still in force.

    The packages that wgorch installed stay, unless `packages`.
    """
    gone = replace(
        nothing(have),
        packages=frozenset() if packages else have.packages,
        tables=have.tables - seen.removable_tables(network),
        sysctls=restored_sysctls(seen),
    )
    return keep_foreign(gone, have)


def keep_foreign(want: State, have: State) -> State:
    """A wanted State with the foreign rules of managed chains kept, behind managed ones; a chain that holds some stays."""
    foreign = {chain: kept for chain, rules in have.chains.items() if (kept := foreign_rules(rules, have.mark))}
    if not foreign:
        return want
    chains = {
        chain: (*want.chains.get(chain, ()), *foreign.get(chain, ())) for chain in want.chains.keys() | foreign.keys()
    }
    return replace(
        want,
        chains=chains,
        jumps=dict.fromkeys(chains, (1,)),
        tables=want.tables | {chain.table for chain in foreign},
    )


def limit_to(names: frozenset[str], full: State, have: State, keys: Mapping[str, str]) -> State:
    """The wanted State of a host of which only the peer entries of `names` may change.

    Everything else is wanted as it is. Endpoints that WireGuard learned are left alone.
    """
    current = {keys[name] for name in names if name in keys}
    peers = {
        interface: _entries_of(names, current, full.peers.get(interface, {}), its)
        for interface, its in have.peers.items()
    }
    # The lines of the script that chooses between relays, or finds spokes, follow from the entries.
    follows = bool(have.failover) and have.interfaces.keys() == full.interfaces.keys()
    return replace(
        have,
        peers=peers,
        sysctls={path: have.sysctls.get(path, value) for path, value in full.sysctls.items()},
        tools=full.tools,
        key_mode=have.key_mode,
        kept_secrets=full.kept_secrets,
        members=full.members,
        revision=full.revision,
        failover=full.failover if follows else have.failover,
        failover_text=full.failover_text if follows else have.failover_text,
    )


def moves_entries(want: State, have: State) -> bool:
    """True where a peer is to be on another interface than it is: the entries of some hosts alone cannot say that."""
    if want.interfaces.keys() != have.interfaces.keys():
        return len(want.interfaces) > 1 or len(have.interfaces) > 1
    where = {key: name for name, its in have.peers.items() for key in its}
    return any(where.get(key, name) != name for name, its in want.peers.items() for key in its)


def _entries_of(
    names: frozenset[str], current: set[str], full: Mapping[str, Peer], have: Mapping[str, Peer]
) -> dict[str, Peer]:
    theirs = {peer.allowed_ips for peer in full.values() if peer.name in names}
    peers = {
        key: replace(peer, endpoint=full[key].endpoint if key in full else peer.endpoint)
        for key, peer in have.items()
        if key not in current and peer.allowed_ips not in theirs
    }
    return peers | {key: peer for key, peer in full.items() if peer.name in names}


def restored_sysctls(seen: Observed, wanted_paths: Iterable[str] = ()) -> dict[str, str]:
    """Saved values to restore: of paths that are not wanted any more, where wgorch's value is still in force.

    What another network of wgorch on the host needs too, that one restores when it goes.
    """
    keep = frozenset(wanted_paths) | enabled_since(seen)
    return {
        p: r.before
        for p, r in seen.files.saved.items()
        if p not in keep and seen.sysctls.get(p) == r.applied and (p, r.applied) not in seen.files.needed
    }


def enabled_since(seen: Observed) -> frozenset[str]:
    """Forwarding sysctls of interfaces that were enabled for all since wgorch enabled them (by Docker): left alone."""
    if seen.files.forwarded_all != "0" or seen.sysctls.get("net/ipv4/conf/all/forwarding") != "1":
        return frozenset()
    return frozenset(p for p in seen.files.saved if re.fullmatch(r"net/ipv4/conf/[^/]+/forwarding", p))


def in_scope(have: State, want: State) -> State:
    """What was read, without sysctls that the wanted State does not name; those of the tunnel are its own."""
    kept = {p: v for p, v in have.sysctls.items() if p in want.sysctls or p.split("/")[3] in have.interfaces}
    return replace(have, sysctls=kept)
