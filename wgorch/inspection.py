"""The verbs that only read, as tables of contents; they print nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

from wgorch.base.ip import is_ip_host
from wgorch.errors import ABSENT, DIFFERS, DONE, FAULT, HostsFailed
from wgorch.outcome import Outcome, Status, with_absent
from wgorch.plan.absent import absences
from wgorch.plan.hold import held_changes, hold_on
from wgorch.plan.host import HostPlan
from wgorch.plan.members import Record, newest
from wgorch.run import Run
from wgorch.verify.diagnose import Verdict
from wgorch.verify.finding import Finding
from wgorch.verify.targets import Skipped
from wgorch.verify.verify import verify_hosts


def verify(run: Run) -> Outcome:
    """Test every path from the hosts, or with a limit those among the named ones; read-only."""
    run.gather(run.names)
    up = [name for name in run.present if run.seen[name].is_managed(run.network)]
    down = frozenset(run.present) - frozenset(up)
    beyond = frozenset(run.inventory.hosts) - frozenset(run.names)
    verdict = verify_hosts(run, up, {}, skipped=Skipped(down | beyond, down))
    if down:
        verdict = replace(verdict, findings=(*_without_tunnel(run, down), *verdict.findings))
    elif not verdict.works:
        from wgorch.trace.follow import with_cause

        verdict = with_cause(run, verdict)
    return with_absent(run.absent, Outcome(DONE if verdict.works else FAULT, verdict=verdict))


def _without_tunnel(run: Run, down: frozenset[str]) -> Iterator[Finding]:
    """Hosts without the network's interface, and those where one of that name is another's."""
    interface = run.network.interface
    foreign = frozenset(name for name in down if interface in run.seen[name].links.devices)
    what = f"no interface {interface} of network {run.network.name}"
    for names, more, hint in (
        (down - foreign, "", "wgorch up"),
        (foreign, f" ({interface} there is not managed by wgorch)", "wgorch up --adopt, or set network.interface"),
    ):
        if names:
            yield Finding(", ".join(name for name in run.present if name in names), what + more, hint)


def status(run: Run) -> Status:
    """Read what each host runs and how it differs from the inventory; an unreachable host is part of the result."""
    failed = run.gather(run.names, tolerant=True)
    plans: Mapping[str, HostPlan] = {}
    errors: tuple[str, ...] = ()
    try:
        plans = run.plans()
    except HostsFailed as error:
        errors = tuple(str(e) for e in error.errors)
    unread = any(not error.is_absence for error in failed.values())
    # What a held change does after its confirmation is no drift.
    plans = {name: replace(p, stay=()) if hold_on(run.seen[name]) else p for name, p in plans.items()}
    differs = errors or run.removed or unread or any(p.changes for p in plans.values())
    known = run.keys_of_absent
    keys = {name: key for its in known.values() for name, key in its.items() if key}
    keys |= {name: device.public_key for name, device in run.inventory.devices.items() if device.public_key}
    keys |= {n: key for n, s in run.seen.items() if (key := s.wg(run.network).public_key)}
    ssh = {name: run.fleet.session(name) for name in run.seen}
    away = absences(run.topology, run.seen, known, failed)
    held = tuple(change for change in held_changes(run.seen) if change.left_s)
    code = DIFFERS if differs else ABSENT if failed else DONE
    return Status(
        code,
        run.seen,
        plans,
        failed,
        keys,
        errors,
        ssh,
        away,
        record if (record := newest(run.seen)).text else Record(),
        run.removed,
        held,
        run.avoided,
    )


def measured(run: Run) -> Verdict:
    """Test the paths between the hosts that were read and have the tunnel."""
    network = run.network
    return verify_hosts(run, [name for name, seen in run.seen.items() if seen.is_managed(network)], {})


def examine(run: Run, names: list[str]) -> dict[str, tuple[Finding, ...]]:
    """Diagnose the settings of hosts that can break the tunnel, without absent ones; read-only. Raises HostsFailed."""
    from wgorch.trace import doctor, doctor_facts

    run.gather(names)
    names = [name for name in names if name not in run.absent]
    ends = [way.endpoint.host for host in run.inventory.hosts.values() for way in host.all_ways]
    to_resolve = [end for end in ends if not is_ip_host(end)]

    def work(name: str) -> tuple[Finding, ...]:
        text = run.fleet.open(name).exchange(doctor_facts.script(to_resolve), "inspect the host", 30)
        facts = doctor_facts.parse(name, text)
        return tuple(doctor.examine(run.topology.desired(name), run.seen[name], facts, int(time.time())))

    found, failed = run.fleet.on_hosts(names, work)
    if failed:
        raise HostsFailed(list(failed.values()))
    return found
