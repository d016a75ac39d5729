"""Two hosts behind NAT reach each other without their relay, where their NATs let them.

Their relay sees under which address and port each of them comes out. Both get the other's as a peer without allowed-ips,
which carries nothing and harms nothing; WireGuard's own handshakes open both NATs. Only where one came through do the
allowed-ips move from the relay to the direct peer. After a start, and where the direct way dies, it is the relay again.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from wgorch.apply.interrupts import Interrupted, Interrupts
from wgorch.apply.lease import LEASE_S
from wgorch.apply.rollout import Rollout
from wgorch.apply.transaction import Transaction
from wgorch.base.wgkey import names_by_key
from wgorch.errors import DONE, HostsFailed
from wgorch.facts.gather import ENVIRONMENT
from wgorch.inventory.model import Endpoint
from wgorch.outcome import DirectResult
from wgorch.run import Run
from wgorch.state.change import quote_words
from wgorch.topology.desired import DirectPeer

PATIENCE_S = 14
"""WireGuard repeats a lost first packet after 5 s; by then both NATs were opened from inside."""


_WAIT = """\
tries=0
while [ "$tries" -lt "$patience" ]; do
    left=
    for key in $keys; do
        at=$(wg show "$interface" latest-handshakes | while read -r peer at; do [ "$peer" = "$key" ] && echo "$at"; done)
        [ "${at:-0}" -gt 0 ] || left=yes
    done
    [ -n "$left" ] || break
    sleep 1
    tries=$((tries + 1))
done
wg show "$interface" latest-handshakes | while read -r peer at; do [ "$at" -eq 0 ] || printf 'met %s\\n' "$peer"; done
"""


Pairs = Mapping[str, Mapping[str, DirectPeer]]


def try_all(run: Run, interrupts: Interrupts, lease_s: int = LEASE_S) -> list[DirectResult]:
    """Let every pair that only a relay brings together try it; nothing else of the network changes."""
    lease_s = max(lease_s, 4 * PATIENCE_S)  # it must outlast the wait for a handshake
    names = [name for name in run.names if name in run.seen]
    pairs = [p for p in combinations(names, 2) if run.topology.can_peer_directly(*p) and not _carried(run, *p)]
    try:
        return _try(run, interrupts, pairs, lease_s) if pairs else []
    except (HostsFailed, Interrupted) as error:
        # What was under way goes back by itself; that it did is not known.
        return [DirectResult(*pair, f"given up in the middle: {error}", settled=False) for pair in pairs]


def _try(run: Run, interrupts: Interrupts, pairs: list[tuple[str, str]], lease_s: int) -> list[DirectResult]:
    run.gather(run.involved)
    seen_at = {name: _seen_at_relay(run, name) for name in dict.fromkeys(n for pair in pairs for n in pair)}
    tried = {pair: _ruled_out(pair, seen_at) for pair in pairs}
    hopeful = [pair for pair, why in tried.items() if not why]
    carrying = dict(run.topology.direct_peers)
    settled = True
    if hopeful:
        run.use_direct_peers(_with(carrying, hopeful, seen_at))
        met = _meet(run, interrupts, hopeful, lease_s)
        tried |= {pair: "" if pair in met else _NO_HANDSHAKE.format(*pair) for pair in hopeful}
        run.use_direct_peers(_with(carrying, met))
        if _change(run, interrupts, lease_s) != DONE:
            tried |= dict.fromkeys(met, "packets did not get through that way, so it was taken back")
            run.gather(run.involved)
            run.use_direct_peers(carrying)
            settled = _change(run, interrupts, lease_s) == DONE
    return [DirectResult(*pair, why, settled) for pair, why in tried.items()]


_NO_HANDSHAKE = (
    f"no handshake within {PATIENCE_S} s: the NAT of {{0}} or of {{1}} gives every way another port, or drops it"
)


def _carried(run: Run, one: str, other: str) -> bool:
    return other in run.topology.direct_peers.get(one, {})


def _seen_at_relay(run: Run, name: str) -> Endpoint | None:
    """The address and port under which its relay sees a host."""
    relay = run.topology.relay_of(name)
    seen = run.seen.get(relay or "")
    traffic = seen.traffic.get(run.keys[name]) if seen else None
    host, _, port = traffic.endpoint.rpartition(":") if traffic and traffic.handshake else ("", "", "")
    return Endpoint(host.strip("[]"), int(port)) if host else None


def _ruled_out(pair: tuple[str, str], seen_at: Mapping[str, Endpoint | None]) -> str:
    one, other = (seen_at[name] for name in pair)
    for name, end in zip(pair, (one, other), strict=True):
        if end is None:
            return f"the relay has no session with {name}"
    assert one is not None and other is not None
    if one.host == other.host:
        return f"both come out at {one.host}, and few routers let their own clients meet there"
    return ""


def _with(
    carrying: Pairs, pairs: list[tuple[str, str]], seen_at: Mapping[str, Endpoint | None] | None = None
) -> dict[str, dict[str, DirectPeer]]:
    """The shortcuts that there are, and those for some pairs: to be tried where `seen_at` is given, else to carry."""
    found = {name: dict(others) for name, others in carrying.items()}
    for one, other in pairs:
        for here, there in ((one, other), (other, one)):
            direct_peer = DirectPeer(endpoint=seen_at[there]) if seen_at else DirectPeer(active=True)
            found.setdefault(here, {})[there] = direct_peer
    return found


def _phases(run: Run, interrupts: Interrupts, lease_s: int) -> Rollout | None:
    plans = {name: plan for name, plan in run.plans().items() if plan.changes}
    transaction = Transaction(run.network, run.fleet, run.asks, run.listener, lease_s)
    return Rollout(run, transaction, interrupts, plans) if plans else None


def _change(run: Run, interrupts: Interrupts, lease_s: int) -> int:
    phases = _phases(run, interrupts, lease_s)
    return phases.up().code if phases else DONE


def _meet(run: Run, interrupts: Interrupts, pairs: list[tuple[str, str]], lease_s: int) -> list[tuple[str, str]]:
    """The pairs of which both hosts saw a handshake."""
    met: dict[str, set[str]] = {}
    names = names_by_key(run.keys)
    awaited = {
        name: [o for pair in pairs if name in pair for o in pair if o != name] for pair in pairs for name in pair
    }

    def wait(name: str) -> set[str]:
        keys = " ".join(run.keys[other] for other in awaited[name])
        given = f"interface={quote_words([run.network.interface])} patience={PATIENCE_S} keys={quote_words([keys])}"
        said = run.fleet.open(name).exchange(f"{ENVIRONMENT}{given}\n{_WAIT}", "wait for a handshake", 60)
        return {names[line[4:]] for line in said.split("\n") if line.startswith("met ") and line[4:] in names}

    def prove() -> bool:
        found, _ = run.fleet.on_hosts(awaited, wait)
        met.update(found)
        return any(_both(met, pair) for pair in pairs)

    phases = _phases(run, interrupts, lease_s)
    try:
        outcome = phases.up(prove) if phases else None
    except HostsFailed:
        return []
    if phases:
        run.gather(run.involved)
    return [pair for pair in pairs if _both(met, pair)] if outcome and outcome.code == DONE else []


def _both(met: Mapping[str, set[str]], pair: tuple[str, str]) -> bool:
    one, other = pair
    return other in met.get(one, ()) and one in met.get(other, ())
