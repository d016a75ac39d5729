"""Arrivals of UDP and TCP, counted on the last host of their path: silence alone does not tell what became of a datagram."""

from __future__ import annotations

import re
import secrets
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from wgorch.base.sh import Sh, sh_lines
from wgorch.base.value import value
from wgorch.facts.grammar import integer, read_answers
from wgorch.gather.gather import ENVIRONMENT, NONCE
from wgorch.host.programs import parameters, uploaded
from wgorch.inventory.flow import Flow
from wgorch.inventory.policy import PING, UDP
from wgorch.run import Run
from wgorch.topology.path import walk
from wgorch.verify.measure import PATIENCE_S, Attempt, Measurement

_LIFE_S = 15 * PATIENCE_S
"""Seconds after which the counters of a controller that is gone are removed."""


@value
class Watch:
    """Counters on the last hosts of some flows."""

    table: str
    flows: Mapping[str, tuple[Flow, ...]]
    """By host, in the order of their counters."""


def begin(run: Run, names: Sequence[str], flows: Sequence[Flow]) -> Watch:
    """Count, on those of `names` that they end at, what arrives of the flows that an answer alone does not tell about."""
    wanted: dict[str, list[Flow]] = {}
    for flow in flows:
        if flow.service.protocol != PING and (flow.service.protocol == UDP or flow.refused):
            wanted.setdefault(_last_host(run, flow), []).append(flow)
    table = f"wgorch-verify-{secrets.token_hex(4)}"

    def work(name: str) -> bool:
        text = run.fleet.open(name).exchange(_script(table, _rules(run, table, name, wanted[name])), "count arrivals")
        return "watching" in _answer(name, text)

    counting, _ = run.fleet.on_hosts([name for name in names if name in wanted], work)
    return Watch(table, {name: tuple(wanted[name]) for name, counts in counting.items() if counts})


def finish(run: Run, watch: Watch, measured: Mapping[str, Measurement]) -> dict[str, Measurement]:
    """The same measurements with what became of the flows; removes the counters."""

    def work(name: str) -> dict[Flow, bool]:
        answer = _answer(name, run.fleet.open(name).exchange(_script(watch.table), "count arrivals"))
        flows = watch.flows[name]
        return {flows[number]: arrived for number, arrived in _counted(answer).items() if number < len(flows)}

    # A table that is gone meanwhile, by a reload of nftables for one, has counted nothing.
    shown, _ = run.fleet.on_hosts(list(watch.flows), work)
    counted = {flow: arrived for flows in shown.values() for flow, arrived in flows.items()}
    came = {flow for flow, arrived in counted.items() if arrived}
    return {name: replace(m, attempts=judged(m.attempts, counted, came)) for name, m in measured.items()}


def judged(attempts: Mapping[Flow, Attempt], counted: Container[Flow], came: Container[Flow]) -> dict[Flow, Attempt]:
    """What became of flows. `counted`: those whose arrival was watched; `came`: those of them that arrived."""
    found = dict(attempts)
    for flow, attempt in attempts.items():
        silent_datagram = flow.service.protocol == UDP and attempt is Attempt.SILENT
        if silent_datagram and flow not in counted:
            found[flow] = Attempt.UNSEEN
        elif silent_datagram and flow in came:
            found[flow] = Attempt.ARRIVED
        elif attempt is Attempt.CLOSED and flow in counted and flow not in came:
            found[flow] = Attempt.REJECTED
    return found


def _last_host(run: Run, flow: Flow) -> str:
    """The last host on a flow's path that wgorch runs anything on."""
    path = walk(run.topology, flow.source, flow.address, cut=run.avoided).hosts
    return next(name for name in reversed(path) if name in run.inventory.hosts)


def _script(table: str, rules: str = "") -> Sh:
    words = {"table": table, "rules": rules, "seconds": str(_LIFE_S), "nonce": NONCE}
    return sh_lines([ENVIRONMENT, parameters(words), uploaded("arrivals.sh")])


def _rules(run: Run, table: str, host: str, flows: Sequence[Flow]) -> str:
    """A table of counters, one for each flow; it accepts everything.

    A connection's addresses are compared as they are in the tunnel, before any NAT of this host.
    """
    counters = []
    for number, flow in enumerate(flows):
        family = "ip" if flow.address.version == 4 else "ip6"
        source = run.topology.hosts[flow.source].address_of(flow.address.version)
        by = "fib saddr type local" if flow.source == host else f"ct original {family} saddr {source}"
        to = run.inventory.hosts[host].real_address(flow.address) if flow.source == host else flow.address
        # Its own direction: a reset by a REJECT of this host belongs to the connection, too.
        what = f"ct direction original {by} ct original {family} daddr {to} meta l4proto {flow.service.protocol}"
        counters.append(f'{what} ct original proto-dst {flow.port} counter comment "flow {number}"')
    lines = [f"table inet {table} {{"]
    for hook in ("input", "postrouting"):
        lines += [f"chain {hook} {{", f"type filter hook {hook} priority 300; policy accept;", *counters, "}"]
    return "\n".join([*lines, "}"])


def _answer(name: str, text: str) -> list[str]:
    return read_answers(name, text, NONCE, "count arrivals", lambda answers: answers["counted"])


def _counted(lines: list[str]) -> dict[int, bool]:
    """Whether packets were counted, by the number of the flow."""
    found: dict[int, bool] = {}
    for line in lines:
        hit = re.search(r' counter packets ([0-9]{1,18}) bytes [0-9]{1,18} comment "flow ([0-9]{1,9})"', line)
        if hit:
            found[integer(hit[2])] = found.get(integer(hit[2]), False) or integer(hit[1]) > 0
    return found
