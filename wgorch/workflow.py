"""The verbs. Each reads as a table of contents; what is said to people is said by whoever called."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from wgorch.apply import LEASE_S, Transaction
from wgorch.change import Interrupts, Outcome, Phases, exchanges, measure_all
from wgorch.errors import DIFFERS, DONE, FAULT, HostError, HostsFailed, UsageError
from wgorch.facts.observed import Observed
from wgorch.operation import Operation, with_names
from wgorch.plan import HostPlan, plan_teardown
from wgorch.remote.fleet import Fleet
from wgorch.resolve import baseline


class Declined(UsageError):
    """The plan needs consent and did not get it."""


@dataclass(frozen=True)
class Found:
    """A network of ours on a host, as the host itself tells it."""

    name: str
    interface: str


def discover(fleet: Fleet, host: str) -> list[Found]:
    """The networks of ours on a host, asked of the host alone. Raises HostError."""
    text = fleet.open(host).exchange(DISCOVER, "find what of ours is there", 30)
    found = {}
    for line in text.split("\n"):
        hit = re.fullmatch(r"network ([a-z][a-z0-9-]{0,14}) ([a-zA-Z][a-zA-Z0-9_.-]{0,14})?", line.strip() + " ")
        hit = hit or re.fullmatch(r"network ([a-z][a-z0-9-]{0,14}) ([a-zA-Z][a-zA-Z0-9_.-]{0,14})", line.strip())
        if hit and (hit[2] or hit[1] not in found):
            found[hit[1]] = hit[2] or "wg0"
    return [Found(name, interface) for name, interface in found.items()]


DISCOVER = """\
for path in /var/lib/wgorch/*/; do
    [ -d "$path" ] || continue
    name=${path%/}; printf 'network %s \\n' "${name##*/}"
    [ -r "$path/boot" ] && while read -r mark word value; do
        [ "$mark $word" = '#: interface' ] && printf 'network %s %s\\n' "${name##*/}" "$value"
    done <"$path/boot"
done
for path in /sys/class/net/*; do
    alias=; [ -r "$path/ifalias" ] && read -r alias <"$path/ifalias"
    case $alias in wgorch:*) printf 'network %s %s\\n' "${alias#wgorch:}" "${path##*/}" ;; esac
done
"""


def plan(operation: Operation) -> Outcome:
    """What `up` would do; reads only."""
    operation.gather(operation.involved)
    plans = operation.plans()
    return Outcome(DIFFERS if any(p.changes for p in plans.values()) else DONE, plans)


def up(
    operation: Operation,
    consent: Callable[[Mapping[str, HostPlan]], None],
    *,
    lease_s: int = LEASE_S,
    keep_going: bool = False,
) -> Outcome:
    """Make the network as the inventory says, or leave every host as it was."""
    with Interrupts() as interrupts:
        operation.gather(operation.involved)
        plans = operation.plans()
        consent(plans)
        changing = {name: p for name, p in plans.items() if p.changes}
        if not changing:
            return Outcome(DONE, plans, exchanges=exchanges(operation), handshakes=operation.fleet.handshakes)
        run = Transaction(operation.network, operation.fleet, operation.ports, operation.listener, lease_s)
        return Phases(operation, run, interrupts, changing, keep_going=keep_going).up()


def teardown(
    operation: Operation,
    consent: Callable[[Mapping[str, HostPlan]], None],
    *,
    lease_s: int = LEASE_S,
    purge: bool = False,
) -> Outcome:
    """Take everything of ours away, and give back what was recorded."""
    with Interrupts() as interrupts:
        operation.gather(operation.names)
        names = {key: name for name, key in operation.keys.items()}
        plans = {}
        for name, seen in operation.seen.items():
            have = seen.state(operation.network)
            made = plan_teardown(
                name, operation.network, baseline(seen, have, operation.network), seen, operation.playbooks.teardown
            )
            plans[name] = with_names(made, names)
        consent(plans)
        changing = {n: p for n, p in plans.items() if p.changes or _leftovers(operation.seen[n], purge)}
        if not changing:
            return Outcome(DONE, plans)
        run = Transaction(operation.network, operation.fleet, operation.ports, operation.listener, lease_s)
        return Phases(operation, run, interrupts, changing).down("purge" if purge else "remove")


def _leftovers(seen: Observed, purge: bool) -> bool:
    return seen.has_directory and ((purge and seen.key_file) or bool(seen.recorded or seen.boot or seen.pending))


def verify(operation: Operation) -> Outcome:
    """Measure the whole network; changes nothing."""
    operation.gather(operation.names)
    verdict = measure_all(operation, operation.names, {})
    return Outcome(DONE if verdict.works else FAULT, verdict=verdict)


@dataclass(frozen=True)
class Status:
    """What every host says of itself, and how it differs from the inventory."""

    code: int
    seen: Mapping[str, Observed]
    plans: Mapping[str, HostPlan]
    unreachable: Mapping[str, HostError]
    keys: Mapping[str, str]
    trouble: tuple[str, ...] = ()


def status(operation: Operation) -> Status:
    """How the network is; reads only, and says what it could of every host."""
    failed = operation.gather(operation.names, tolerant=True)
    plans: Mapping[str, HostPlan] = {}
    trouble: tuple[str, ...] = ()
    try:
        plans = operation.plans()
    except HostsFailed as error:
        trouble = tuple(str(e) for e in error.errors)
    differs = bool(failed or trouble or any(p.changes for p in plans.values()))
    keys = {n: s.public_key for n, s in operation.seen.items() if s.public_key}
    return Status(DIFFERS if differs else DONE, operation.seen, plans, failed, keys, trouble)
