"""The verbs. Each reads as a table of contents; what is said to people is said by whoever called."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from wgorch.apply.interrupts import Interrupts
from wgorch.apply.lease import LEASE_S, RECENT_S
from wgorch.apply.rollout import Rollout
from wgorch.apply.transaction import Transaction
from wgorch.apply.upload import referee
from wgorch.base.wgkey import names_by_key, new_pair
from wgorch.errors import DIFFERS, DONE, FAULT, MIXED, ROLLED_BACK, HostsFailed, Unfit, UsageError
from wgorch.facts.observed import Observed
from wgorch.interop.discover import look
from wgorch.inventory.fields.suggest import suggest
from wgorch.outcome import Exported, Outcome, Status
from wgorch.plan.host import HostPlan, plan_teardown
from wgorch.plan.preshared import secrets_of
from wgorch.plan.scope import baseline
from wgorch.remote.fleet import Fleet
from wgorch.run import Run
from wgorch.topology.topology import build
from wgorch.verify.diagnose import Finding, Verdict
from wgorch.verify.verify import exchanges, verify_hosts

if TYPE_CHECKING:
    from wgorch.interop.adopt import Adopted


def adopt(fleet: Fleet, interface: str, name: str) -> Adopted:
    """The inventory of a live network, read from its hosts. Raises HostsFailed."""
    from wgorch.interop.adopt import adopt as adopt_hosts

    seen, failed = look(fleet, interface, name)
    if failed:
        raise HostsFailed(list(failed.values()))
    return adopt_hosts(seen, {host: fleet.hosts[host].ssh for host in seen}, interface, name)


Consent = Callable[[Mapping[str, HostPlan]], bool | None]
"""Sees the plans, and raises where they must not be carried out; True where a person was asked, which took a while."""


def plan(run: Run) -> Outcome:
    """What `up` would do; reads only."""
    run.gather(run.involved, traffic=False)
    plans = run.plans()
    return Outcome(DIFFERS if any(p.changes for p in plans.values()) else DONE, plans)


def up(
    run: Run,
    consent: Consent,
    *,
    lease_s: int = LEASE_S,
    keep_going: bool = False,
) -> Outcome:
    """Make the network as the inventory says, or leave every host as it was."""
    with Interrupts() as interrupts:
        outcome = _up(run, consent, interrupts, lease_s, keep_going)
        if outcome.code == ROLLED_BACK and (fits := _what_fits(outcome)):
            # Nobody on the way says what is too large for it; only the tunnel itself could show that.
            run.max_mtu = fits
            outcome = _up(run, lambda _plans: None, interrupts, lease_s, keep_going)
        changed = bool(outcome.standing)
        run.rotating = frozenset()  # they have it now
        if outcome.code == DONE and run.network.direct and (changed or run.options.try_direct):
            from wgorch.apply import direct

            tried = tuple(direct.try_all(run, interrupts, lease_s))
            code = DONE if all(pair.settled for pair in tried) else MIXED
            outcome = replace(outcome, code=code, tried=tried, exchanges=exchanges(run))
        return outcome


def _up(
    run: Run,
    consent: Consent,
    interrupts: Interrupts,
    lease_s: int,
    keep_going: bool,
) -> Outcome:
    run.gather(run.involved, traffic=False, ahead=referee())
    plans = run.plans()
    asked = consent(plans)
    risky = [n for n, p in plans.items() if p.do and run.through_tunnel(n) and not run.options.may_lose_ssh]
    if risky:
        problem = "we reach it through the tunnel itself, and this plan changes that tunnel"
        hint = "give it another way for SSH; or --accept-risk lose-ssh: it is changed last, and takes itself back"
        raise HostsFailed([Unfit(name, "change it safely", problem, hint) for name in risky])
    changing = {name: p for name, p in plans.items() if p.changes}
    if not changing:
        return Outcome(DONE, plans, exchanges=exchanges(run), handshakes=run.fleet.handshakes)
    transaction = _transaction(run, lease_s, asked)
    return Rollout(run, transaction, interrupts, changing, keep_going=keep_going).up()


def _transaction(run: Run, lease_s: int, asked: bool | None) -> Transaction:
    recent_s = 0 if asked else RECENT_S
    return Transaction(run.network, run.fleet, run.asks, run.listener, lease_s, recent_s)


def _what_fits(outcome: Outcome) -> int:
    """The MTU with which everything would have worked, where nothing else was wrong; else 0."""
    findings = outcome.verdict.findings if outcome.verdict else ()
    return min((finding.fits for finding in findings), default=0)


def teardown(
    run: Run,
    consent: Consent,
    *,
    lease_s: int = LEASE_S,
    purge: bool = False,
    packages: bool = False,
) -> Outcome:
    """Take everything of ours away, and give back what was recorded."""
    with Interrupts() as interrupts:
        run.gather(run.names, ahead=referee())
        names = names_by_key(run.keys)
        plans = {}
        for name, seen in run.seen.items():
            have = seen.state(run.network)
            base = baseline(seen, have, run.network, packages=packages)
            plans[name] = plan_teardown(name, run.network, base, seen, run.playbooks.teardown, names)
        cut = [n for n, p in plans.items() if p.do and run.through_tunnel(n)]
        if cut:
            problem = "we reach it through the tunnel itself, which would be gone"
            hint = "give it another way for SSH, or run wgorch on it: ssh: local"
            raise HostsFailed([Unfit(name, "take the tunnel away", problem, hint) for name in cut])
        asked = consent(plans)
        changing = {n: p for n, p in plans.items() if p.changes or _leftovers(run.seen[n], purge)}
        if not changing:
            return Outcome(DONE, plans)
        transaction = _transaction(run, lease_s, asked)
        return Rollout(run, transaction, interrupts, changing).down("purge" if purge else "remove")


def _leftovers(seen: Observed, purge: bool) -> bool:
    return seen.has_directory and ((purge and seen.key_file) or bool(seen.recorded or seen.boot or seen.pending))


def verify(run: Run) -> Outcome:
    """Measure the whole network; changes nothing."""
    run.gather(run.names)
    verdict = verify_hosts(run, run.names, {})
    if not verdict.works:
        from wgorch.trace.follow import with_cause

        verdict = with_cause(run, verdict)
    return Outcome(DONE if verdict.works else FAULT, verdict=verdict)


def status(run: Run) -> Status:
    """How the network is; reads only, and says what it could of every host."""
    failed = run.gather(run.names, tolerant=True)
    plans: Mapping[str, HostPlan] = {}
    trouble: tuple[str, ...] = ()
    try:
        plans = run.plans()
    except HostsFailed as error:
        trouble = tuple(str(e) for e in error.errors)
    differs = bool(failed or trouble or any(p.changes for p in plans.values()))
    keys = {name: device.public_key for name, device in run.inventory.devices.items() if device.public_key}
    keys |= {n: s.public_key for n, s in run.seen.items() if s.public_key}
    return Status(DIFFERS if differs else DONE, run.seen, plans, failed, keys, trouble)


def measured(run: Run) -> Verdict:
    """What the hosts that were read have to say of each other, measured now."""
    network = run.network
    return verify_hosts(run, [name for name, seen in run.seen.items() if seen.is_managed(network)], {})


def export(run: Run, what: str | None, form: str) -> Exported:
    """The network as files for another tool; `what` is a device or a host, or None for every host.

    A device without a public key gets a new pair: the private key is in the text, and nowhere else.
    """
    from wgorch.interop import export as files

    inventory = run.inventory
    network = inventory.network.name
    if what is not None and what not in inventory.members:
        hint = suggest(what, inventory.members)
        raise UsageError(f'there is no device or host "{what}".{hint}')
    if form == "compose":
        if what is None or what not in inventory.devices:
            raise UsageError("a container is a device of the inventory\n    fix: name a device")
        return Exported({"docker-compose.yaml": files.compose(what, network)})
    run.gather(inventory.hosts)
    missing = [name for name in inventory.hosts if name not in run.keys]
    notes = (f"not known yet: the keys of {', '.join(missing)}; wgorch up makes them",) if missing else ()
    if form == "hosts":
        return Exported({"hosts": files.hosts_file(run.inventory.members, network)})
    if form == "peers":
        return Exported({"peers.conf": files.shared_peers(run.topology, run.keys)}, notes)
    if what is not None and what in inventory.devices:
        return _export_device(run, what)
    names = [what] if what else list(inventory.hosts)
    texts = {}
    topology, keys, mtu = run.topology, run.keys, run.mtu
    for name in names:
        secrets = secrets_of(run.topology, run.seen, name)
        texts[f"{name}.conf"] = files.wg_quick(topology, name, run.seen[name], keys, secrets, mtu)
    return Exported(texts, notes)


def _export_device(run: Run, name: str) -> Exported:
    from wgorch.interop import export as files

    device = run.inventory.devices[name]
    notes: list[str] = []
    private = None
    if device.public_key is None:
        private, public = new_pair()
        notes += [
            f"a new key pair for {name}: the private key is in this file and nowhere else. To let it in, put below",
            f"devices.{name} of {run.inventory.path}, and run wgorch up:",
            f"    public_key: {public}",
            f"    address: [{', '.join(map(repr, map(str, device.addresses)))}]",
        ]
        devices = {**run.inventory.devices, name: replace(device, public_key=public)}
        run.topology = build(replace(run.inventory, devices=devices))
    else:
        notes.append(
            f"{name} made its key itself: put the private one, which only it has, in the place that is left open"
        )
    missing = [peer for peer in run.topology.peers(name) if peer not in run.keys]
    if missing:
        raise UsageError(f"the keys of {', '.join(missing)} are not known yet\n    fix: wgorch up first")
    return Exported({f"{name}.conf": files.device(run.topology, name, run.keys, private)}, tuple(notes))


def examine(run: Run, names: list[str]) -> dict[str, tuple[Finding, ...]]:
    """What may stand in the tunnel's way on each of some hosts; reads only."""
    from wgorch.trace import doctor

    run.gather(names)
    ends = [host.endpoint.host for host in run.inventory.hosts.values() if host.endpoint]
    to_resolve = [end for end in ends if re.search(r"[a-z]", end) and ":" not in end]

    def work(name: str) -> tuple[Finding, ...]:
        text = run.fleet.open(name).exchange(doctor.program(to_resolve), "look at it", 30)
        looked = doctor.parse(name, text)
        return tuple(doctor.examine(run.topology.desired(name), run.seen[name], looked, int(time.time())))

    found, failed = run.fleet.on_hosts(names, work)
    if failed:
        raise HostsFailed(list(failed.values()))
    return found
