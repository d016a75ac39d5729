"""Hole punching: let two hosts behind NAT peer directly, without their relay, where their NATs allow it.

The relay sees under which endpoint each is mapped. Both get the other as a peer without allowed-ips, which carries no
traffic; WireGuard's own handshakes open both NATs. Allowed-ips move from the relay to the direct peer only after a handshake.
After a boot, and where the direct path dies, it is the relay again.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from wgorch.apply.interrupts import Interrupted, Interrupts
from wgorch.apply.lease import LEASE_S
from wgorch.apply.rollout import Rollout
from wgorch.apply.transaction import Transaction
from wgorch.base.sh import Sh, sh_lines
from wgorch.base.wgkey import names_by_key
from wgorch.errors import DONE, HostsFailed
from wgorch.gather.gather import ENVIRONMENT
from wgorch.host.programs import parameters, uploaded
from wgorch.inventory.endpoint import Endpoint
from wgorch.outcome import DirectResult
from wgorch.run import Run
from wgorch.topology.desired import DirectPeer

PATIENCE_S = 14
"""WireGuard repeats a lost handshake after 5 s; by then both NATs have an entry from inside."""


Pairs = Mapping[str, Mapping[str, DirectPeer]]


def try_all(run: Run, interrupts: Interrupts, lease_s: int = LEASE_S) -> list[DirectResult]:
    """Try hole punching for every pair that only a relay connects; nothing else of the network changes."""
    lease_s = max(lease_s, 4 * PATIENCE_S)  # it must outlast the wait for a handshake
    names = [name for name in run.names if name in run.seen]
    pairs = [p for p in combinations(names, 2) if run.topology.can_peer_directly(*p) and not _is_active(run, *p)]
    try:
        return _try(run, interrupts, pairs, lease_s) if pairs else []
    except (HostsFailed, Interrupted) as error:
        # What was under way rolls back by itself; whether it did is not known.
        return [DirectResult(*pair, f"aborted: {error}", settled=False) for pair in pairs]


def _try(run: Run, interrupts: Interrupts, pairs: list[tuple[str, str]], lease_s: int) -> list[DirectResult]:
    run.gather(run.involved)
    seen_at = {name: _seen_at_relay(run, name) for name in dict.fromkeys(n for pair in pairs for n in pair)}
    tried = {pair: _ruled_out(pair, seen_at) for pair in pairs}
    candidates = [pair for pair, why in tried.items() if not why]
    active = dict(run.topology.direct_peers)
    settled = True
    if candidates:
        run.use_direct_peers(_with(active, candidates, seen_at))
        met = _meet(run, interrupts, candidates, lease_s)
        tried |= {pair: "" if pair in met else NO_HANDSHAKE.format(*pair) for pair in candidates}
        run.use_direct_peers(_with(active, met))
        if _change(run, interrupts, lease_s) != DONE:
            tried |= dict.fromkeys(met, "no packets got through; rolled back to the relay")
            run.gather(run.involved)
            run.use_direct_peers(active)
            settled = _change(run, interrupts, lease_s) == DONE
    return [DirectResult(*pair, why, settled) for pair, why in tried.items()]


NO_HANDSHAKE = f"no handshake within {PATIENCE_S} s: symmetric NAT (endpoint-dependent mapping) at {{0}} or {{1}}, or UDP is dropped"


def _is_active(run: Run, one: str, other: str) -> bool:
    return other in run.topology.direct_peers.get(one, {})


def _seen_at_relay(run: Run, name: str) -> Endpoint | None:
    """The endpoint under which its relay sees a host."""
    relay = run.topology.relay_of(name)
    seen = run.seen.get(relay or "")
    traffic = seen.wg(run.network).traffic.get(run.keys[name]) if seen else None
    host, _, port = traffic.endpoint.rpartition(":") if traffic and traffic.handshake else ("", "", "")
    return Endpoint(host.strip("[]"), int(port)) if host else None


def _ruled_out(pair: tuple[str, str], seen_at: Mapping[str, Endpoint | None]) -> str:
    one, other = (seen_at[name] for name in pair)
    for name, end in zip(pair, (one, other), strict=True):
        if end is None:
            return f"the relay has no session with {name}"
    assert one is not None and other is not None
    if one.host == other.host:
        return f"both are behind {one.host}, and few routers support hairpin NAT"
    return ""


def _with(
    active: Pairs, pairs: list[tuple[str, str]], seen_at: Mapping[str, Endpoint | None] | None = None
) -> dict[str, dict[str, DirectPeer]]:
    """The active direct peers, and those of some pairs: to be tried where `seen_at` is given, else active."""
    found = {name: dict(others) for name, others in active.items()}
    for one, other in pairs:
        for here, there in ((one, other), (other, one)):
            direct_peer = DirectPeer(endpoint=seen_at[there]) if seen_at else DirectPeer(active=True)
            found.setdefault(here, {})[there] = direct_peer
    return found


def _rollout(run: Run, interrupts: Interrupts, lease_s: int) -> Rollout | None:
    plans = {name: plan for name, plan in run.plans().items() if plan.changes}
    transaction = Transaction(run.network, run.fleet, run.asks, run.listener, lease_s)
    return Rollout(run, transaction, interrupts, plans) if plans else None


def _change(run: Run, interrupts: Interrupts, lease_s: int) -> int:
    rollout = _rollout(run, interrupts, lease_s)
    return rollout.up().code if rollout else DONE


def _meet(run: Run, interrupts: Interrupts, pairs: list[tuple[str, str]], lease_s: int) -> list[tuple[str, str]]:
    """The pairs of which both hosts saw a handshake."""
    met: dict[str, set[str]] = {}
    names = names_by_key(run.keys)
    awaited = {
        name: [o for pair in pairs if name in pair for o in pair if o != name] for pair in pairs for name in pair
    }

    def wait(name: str) -> set[str]:
        program = wait_program(run.network.interface, [run.keys[other] for other in awaited[name]])
        said = run.fleet.open(name).exchange(program, "wait for a handshake", 60)
        return {names[line[4:]] for line in said.split("\n") if line.startswith("met ") and line[4:] in names}

    def prove() -> bool:
        found, _ = run.fleet.on_hosts(awaited, wait)
        met.update(found)
        return any(_both(met, pair) for pair in pairs)

    rollout = _rollout(run, interrupts, lease_s)
    try:
        outcome = rollout.up(prove) if rollout else None
    except HostsFailed:
        return []
    if rollout:
        run.gather(run.involved)
    return [pair for pair in pairs if _both(met, pair)] if outcome and outcome.code == DONE else []


def wait_program(interface: str, keys: list[str]) -> Sh:
    """The program that waits for handshakes with peers, and prints those that it saw."""
    words = {"interface": interface, "patience": str(PATIENCE_S), "keys": " ".join(keys)}
    return sh_lines([ENVIRONMENT, parameters(words), uploaded("wait_handshake.sh")])


def _both(met: Mapping[str, set[str]], pair: tuple[str, str]) -> bool:
    one, other = pair
    return other in met.get(one, ()) and one in met.get(other, ())
