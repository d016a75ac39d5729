"""The verbs. Each reads as a table of contents; what is said to people is said by whoever called."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from wgorch import curve25519
from wgorch.apply import LEASE_S, RECENT_S, Transaction, referee
from wgorch.change import Interrupts, Outcome, Phases, exchanges, measure_all
from wgorch.errors import DIFFERS, DONE, FAULT, MIXED, ROLLED_BACK, HostError, HostsFailed, Unfit, UsageError
from wgorch.facts.gather import Ask, gather
from wgorch.facts.observed import Observed
from wgorch.frozen import frozen
from wgorch.inventory.fields import suggest
from wgorch.inventory.load import DEFAULT_PORT
from wgorch.inventory.model import Network
from wgorch.operation import Operation, with_names
from wgorch.plan import HostPlan, plan_teardown
from wgorch.remote.fleet import Fleet
from wgorch.resolve import baseline
from wgorch.topology.build import build
from wgorch.verify.diagnose import Finding, Verdict

# What only some verbs need is imported where it is: it would cost every `up` some 10 ms.
if TYPE_CHECKING:
    from wgorch.adopt import Adopted


class Declined(UsageError):
    """The plan needs consent and did not get it."""


@frozen
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


def look(fleet: Fleet, interface: str, name: str = "office") -> tuple[dict[str, Observed], dict[str, HostError]]:
    """How some machines are, of which nothing is known yet; and those that could not be asked."""
    network = Network(name, (), interface, ipv6=True)

    def work(host: str) -> Observed:
        return gather(fleet.open(host), network, Ask(DEFAULT_PORT, adopt=True))[1]

    return fleet.each(fleet.hosts, work)


def adopt(fleet: Fleet, interface: str, name: str) -> Adopted:
    """The inventory of a live network, read from its hosts. Raises HostsFailed."""
    from wgorch.adopt import adopt as adopt_hosts

    seen, failed = look(fleet, interface, name)
    if failed:
        raise HostsFailed(list(failed.values()))
    return adopt_hosts(seen, {host: fleet.hosts[host].ssh for host in seen}, interface, name)


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


Consent = Callable[[Mapping[str, HostPlan]], bool | None]
"""Sees the plans, and raises where they must not be carried out; True where a person was asked, which took a while."""


def plan(operation: Operation) -> Outcome:
    """What `up` would do; reads only."""
    operation.gather(operation.involved, traffic=False)
    plans = operation.plans()
    return Outcome(DIFFERS if any(p.changes for p in plans.values()) else DONE, plans)


def up(
    operation: Operation,
    consent: Consent,
    *,
    lease_s: int = LEASE_S,
    keep_going: bool = False,
) -> Outcome:
    """Make the network as the inventory says, or leave every host as it was."""
    with Interrupts() as interrupts:
        outcome = _up(operation, consent, interrupts, lease_s, keep_going)
        if outcome.code == ROLLED_BACK and (fits := _what_fits(outcome)):
            # Nobody on the way says what is too large for it; only the tunnel itself could show that.
            operation.most_mtu = fits
            outcome = _up(operation, lambda _plans: None, interrupts, lease_s, keep_going)
        changed = bool(outcome.standing)
        operation.new_keys_for = frozenset()  # they have it now
        if outcome.code == DONE and operation.network.direct and (changed or operation.try_direct):
            from wgorch import shortcut

            tried = tuple(shortcut.try_all(operation, interrupts, lease_s))
            code = DONE if all(pair.settled for pair in tried) else MIXED
            outcome = replace(outcome, code=code, tried=tried, exchanges=exchanges(operation))
        return outcome


def _up(
    operation: Operation,
    consent: Consent,
    interrupts: Interrupts,
    lease_s: int,
    keep_going: bool,
) -> Outcome:
    operation.gather(operation.involved, traffic=False, ahead=referee())
    plans = operation.plans()
    asked = consent(plans)
    risky = [n for n, p in plans.items() if p.do and operation.through_tunnel(n) and not operation.may_lose_ssh]
    if risky:
        saw = "we reach it through the tunnel itself, and this plan changes that tunnel"
        fix = "give it another way for SSH; or --accept-risk lose-ssh: it is changed last, and takes itself back"
        raise HostsFailed([Unfit(name, "change it safely", saw, fix) for name in risky])
    changing = {name: p for name, p in plans.items() if p.changes}
    if not changing:
        return Outcome(DONE, plans, exchanges=exchanges(operation), handshakes=operation.fleet.handshakes)
    run = _transaction(operation, lease_s, asked)
    return Phases(operation, run, interrupts, changing, keep_going=keep_going).up()


def _transaction(operation: Operation, lease_s: int, asked: bool | None) -> Transaction:
    recent_s = 0 if asked else RECENT_S
    return Transaction(operation.network, operation.fleet, operation.asks, operation.listener, lease_s, recent_s)


def _what_fits(outcome: Outcome) -> int:
    """The MTU with which everything would have worked, where nothing else was wrong; else 0."""
    findings = outcome.verdict.findings if outcome.verdict else ()
    return min((finding.fits for finding in findings), default=0)


def teardown(
    operation: Operation,
    consent: Consent,
    *,
    lease_s: int = LEASE_S,
    purge: bool = False,
    packages: bool = False,
) -> Outcome:
    """Take everything of ours away, and give back what was recorded."""
    with Interrupts() as interrupts:
        operation.gather(operation.names, ahead=referee())
        names = {key: name for name, key in operation.keys.items()}
        plans = {}
        for name, seen in operation.seen.items():
            have = seen.state(operation.network)
            base = baseline(seen, have, operation.network, packages=packages)
            made = plan_teardown(name, operation.network, base, seen, operation.playbooks.teardown)
            plans[name] = with_names(made, names)
        cut = [n for n, p in plans.items() if p.do and operation.through_tunnel(n)]
        if cut:
            saw = "we reach it through the tunnel itself, which would be gone"
            fix = "give it another way for SSH, or run wgorch on it: ssh: local"
            raise HostsFailed([Unfit(name, "take the tunnel away", saw, fix) for name in cut])
        asked = consent(plans)
        changing = {n: p for n, p in plans.items() if p.changes or _leftovers(operation.seen[n], purge)}
        if not changing:
            return Outcome(DONE, plans)
        run = _transaction(operation, lease_s, asked)
        return Phases(operation, run, interrupts, changing).down("purge" if purge else "remove")


def _leftovers(seen: Observed, purge: bool) -> bool:
    return seen.has_directory and ((purge and seen.key_file) or bool(seen.recorded or seen.boot or seen.pending))


def verify(operation: Operation) -> Outcome:
    """Measure the whole network; changes nothing."""
    operation.gather(operation.names)
    verdict = measure_all(operation, operation.names, {})
    if not verdict.works:
        from wgorch.follow import with_cause

        verdict = with_cause(operation, verdict)
    return Outcome(DONE if verdict.works else FAULT, verdict=verdict)


@frozen
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
    keys = {name: device.public_key for name, device in operation.inventory.devices.items() if device.public_key}
    keys |= {n: s.public_key for n, s in operation.seen.items() if s.public_key}
    return Status(DIFFERS if differs else DONE, operation.seen, plans, failed, keys, trouble)


def measured(operation: Operation) -> Verdict:
    """What the hosts that were read have to say of each other, measured now."""
    network = operation.network
    return measure_all(operation, [name for name, seen in operation.seen.items() if seen.is_ours(network)], {})


@frozen
class Exported:
    """Texts by file name, and what a person must know about them."""

    texts: Mapping[str, str]
    notes: tuple[str, ...] = ()

    @property
    def only(self) -> str:
        """The one text there is. Raises UsageError."""
        if len(self.texts) != 1:
            raise UsageError("a code holds one file\n    fix: name one device")
        return next(iter(self.texts.values()))


def export(operation: Operation, what: str | None, form: str) -> Exported:
    """The network as files for another tool; `what` is a device or a host, or None for every host.

    A device without a public key gets a new pair: the private key is in the text, and nowhere else.
    """
    from wgorch import export as files

    inventory = operation.inventory
    network = inventory.network.name
    if what is not None and what not in inventory.members:
        hint = suggest(what, inventory.members)
        raise UsageError(f'there is no device or host "{what}".{hint}')
    if form == "compose":
        if what is None or what not in inventory.devices:
            raise UsageError("a container is a device of the inventory\n    fix: name a device")
        return Exported({"docker-compose.yaml": files.compose(what, network)})
    operation.gather(inventory.hosts)
    missing = [name for name in inventory.hosts if name not in operation.keys]
    notes = (f"not known yet: the keys of {', '.join(missing)}; wgorch up makes them",) if missing else ()
    if form == "hosts":
        return Exported({"hosts": files.hosts_file(operation.inventory.members, network)})
    if form == "peers":
        return Exported({"peers.conf": files.shared_peers(operation.topology, operation.keys)}, notes)
    if what is not None and what in inventory.devices:
        return _export_device(operation, what)
    names = [what] if what else list(inventory.hosts)
    texts = {}
    topology, keys, mtu = operation.topology, operation.keys, operation.mtu
    for name in names:
        secrets = operation.secrets_of(name)
        texts[f"{name}.conf"] = files.wg_quick(topology, name, operation.seen[name], keys, secrets, mtu)
    return Exported(texts, notes)


def _export_device(operation: Operation, name: str) -> Exported:
    from wgorch import export as files

    device = operation.inventory.devices[name]
    notes: list[str] = []
    private = None
    if device.public_key is None:
        private, public = curve25519.new_pair()
        notes += [
            f"a new key pair for {name}: the private key is in this file and nowhere else. To let it in, put below",
            f"devices.{name} of {operation.inventory.path}, and run wgorch up:",
            f"    public_key: {public}",
            f"    address: [{', '.join(map(repr, map(str, device.addresses)))}]",
        ]
        devices = {**operation.inventory.devices, name: replace(device, public_key=public)}
        operation.topology = build(replace(operation.inventory, devices=devices))
    else:
        notes.append(
            f"{name} made its key itself: put the private one, which only it has, in the place that is left open"
        )
    missing = [peer for peer in operation.topology.peers(name) if peer not in operation.keys]
    if missing:
        raise UsageError(f"the keys of {', '.join(missing)} are not known yet\n    fix: wgorch up first")
    return Exported({f"{name}.conf": files.device(operation.topology, name, operation.keys, private)}, tuple(notes))


def examine(operation: Operation, names: list[str]) -> dict[str, tuple[Finding, ...]]:
    """What may stand in the tunnel's way on each of some hosts; reads only."""
    from wgorch.trace import doctor

    operation.gather(names)
    ends = [host.endpoint.host for host in operation.inventory.hosts.values() if host.endpoint]
    to_resolve = [end for end in ends if re.search(r"[a-z]", end) and ":" not in end]

    def work(name: str) -> tuple[Finding, ...]:
        text = operation.fleet.open(name).exchange(doctor.program(to_resolve), "look at it", 30)
        looked = doctor.parse(name, text)
        return tuple(doctor.examine(operation.topology.desired(name), operation.seen[name], looked, int(time.time())))

    found, failed = operation.fleet.each(names, work)
    if failed:
        raise HostsFailed(list(failed.values()))
    return found
