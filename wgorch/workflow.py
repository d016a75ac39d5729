"""The verbs. Each reads as a table of contents; what is said to people is said by whoever called."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType

from wgorch import playbook as playbooks
from wgorch.apply import LEASE_S, Listener, Standing, Transaction
from wgorch.command import Change
from wgorch.errors import (
    DIFFERS,
    DONE,
    FAULT,
    INTERRUPTED,
    MIXED,
    ROLLED_BACK,
    Garbled,
    HostError,
    HostsFailed,
    Unfit,
    UsageError,
    WgorchError,
)
from wgorch.facts.gather import gather
from wgorch.facts.observed import Observed
from wgorch.facts.parse import NotAnAnswer, public_key
from wgorch.inventory.fields import suggest
from wgorch.inventory.model import Inventory, Network
from wgorch.plan import HostPlan, named, plan_host, plan_teardown
from wgorch.remote.fleet import Fleet
from wgorch.resolve import baseline, changed_keys, conflicts, only_entries_of, wanted
from wgorch.topology.build import Topology, build
from wgorch.verify import measure
from wgorch.verify.diagnose import Finding, Since, Verdict, diagnose


class Interrupted(WgorchError):
    """Ctrl-C before anything was changed."""

    exit_code = INTERRUPTED


class Declined(UsageError):
    """The plan needs consent and did not get it."""


@dataclass
class Interrupts:
    """Ctrl-C: the first lets the phase end and then goes back; the second leaves at once, and the leases do the rest."""

    asked: bool = False

    def __enter__(self) -> Interrupts:
        try:
            self._before = signal.signal(signal.SIGINT, self._hear)
        except ValueError:  # not in the main thread
            self._before = None
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


@dataclass
class World:
    """An inventory, its topology and the sessions of one run."""

    inventory: Inventory
    fleet: Fleet
    listener: Listener
    limit: frozenset[str] = frozenset()
    playbook_directory: Path | None = None
    accept_new_keys: frozenset[str] = frozenset()
    topology: Topology = field(init=False)
    seen: dict[str, Observed] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.topology = build(self.inventory)

    @property
    def network(self) -> Network:
        return self.inventory.network

    @property
    def names(self) -> list[str]:
        """The hosts of this run: all, or those that --limit names."""
        return [name for name in self.inventory.hosts if not self.limit or name in self.limit]

    @property
    def involved(self) -> list[str]:
        """The hosts of this run and their peers, whose entries for them change with them."""
        if not self.limit:
            return self.names
        peers = {peer for name in self.names for peer in self.topology.peers(name)}
        return [name for name in self.inventory.hosts if name in self.limit or name in peers]

    @property
    def ports(self) -> dict[str, int]:
        return {name: host.listen_port for name, host in self.inventory.hosts.items()}

    def playbook(self, name: str) -> playbooks.Playbook:
        """The order of the steps of a verb."""
        path = playbooks.find(f"{name}.yaml", self.inventory.path, self.playbook_directory)
        return playbooks.load(path, frozenset(self.inventory.hosts))

    # --- gather

    def gather(self, names: Iterable[str], *, tolerant: bool = False) -> dict[str, HostError]:
        """Ask hosts everything. Raises HostsFailed unless `tolerant`; then what failed is returned."""

        def work(name: str) -> Observed:
            self.listener.event(name, "connect")
            shell = self.fleet.open(name)
            _, seen = gather(shell, self.network, self.ports[name])
            self.listener.event(name, "gathered")
            return seen

        seen, failed = self.fleet.each(names, work)
        self.seen.update(seen)
        for name, error in failed.items():
            self.listener.event(name, "failed", str(error))
        if failed and not tolerant:
            raise HostsFailed(list(failed.values()))
        return failed

    @property
    def keys(self) -> dict[str, str]:
        """The public keys known so far, by host. Raises where two hosts show the same one."""
        keys = {n: s.key_file_public or s.public_key for n, s in self.seen.items() if s.key_file_public or s.public_key}
        owner: dict[str, str] = {}
        for name, key in keys.items():
            twin = owner.setdefault(key, name)
            if twin != name:
                saw = f"it has the same key as {twin} ({key[:8]}…)"
                fix = f"one is a copy of the other: delete {self.network.directory}/private_key on one of them"
                raise HostsFailed([Unfit(name, "use its key", saw, fix)])
        return keys

    # --- plan

    def plans(self) -> dict[str, HostPlan]:
        """The plan of every host that was seen. Raises HostsFailed with all that stands in the way."""
        playbook = self.playbook("up")
        keys = self.keys
        failed: list[HostError] = list(changed_keys(self.topology, self.seen, keys, self.accept_new_keys))
        plans: dict[str, HostPlan] = {}
        for name, seen in self.seen.items():
            aside = bool(self.limit) and name not in self.limit
            if aside and not seen.is_ours(self.network):
                continue
            desired = self.topology.desired(name)
            found = [] if aside else list(conflicts(desired, seen))
            try:
                want = wanted(desired, seen, keys, playbook.runs_for(name))
            except Unfit as error:
                found = found or [error]
            failed += found
            if found:
                continue
            if aside:
                want = only_entries_of(self.limit, want, seen.state(self.network), keys)
            plan = plan_host(name, self.network, want, seen, playbook)
            if aside and not plan.do:
                continue
            plans[name] = _with_names(plan, {key: name for name, key in keys.items()})
        if failed:
            raise HostsFailed(failed)
        return plans

    def new_sessions(self, plans: Mapping[str, HostPlan]) -> dict[str, Since]:
        """For each host the peers whose session must be newer than the change, and the moment before it, by its own clock.

        Only a new peer or a new key needs one: with any other change the old session goes on, and the pings prove it.
        """
        found = {}
        for name, plan in plans.items():
            old, new = plan.have.interface, plan.want.interface
            everything = old is None or new is None or old.public_key != new.public_key
            fresh = {p.name for key, p in plan.want.peers.items() if everything or key not in plan.have.peers}
            found[name] = Since(self.seen[name].clock, frozenset(fresh))
        return found


def _with_names(plan: HostPlan, names: Mapping[str, str]) -> HostPlan:
    def told(changes: Iterable[Change]) -> tuple[Change, ...]:
        return tuple(replace(c, what=_name_key(c.what, names)) if c.step == "peers" else c for c in changes)

    return replace(plan, have=named(plan.have, names), do=told(plan.do), undo=told(plan.undo))


def _name_key(what: str, names: Mapping[str, str]) -> str:
    for key, name in names.items():
        if what == f"peer {key[:8]}…":
            return f"peer {name}"
    return what


# --- the verbs


@dataclass(frozen=True)
class Outcome:
    """How a verb ended."""

    code: int
    plans: Mapping[str, HostPlan] = field(default_factory=dict)
    verdict: Verdict | None = None
    standing: Mapping[str, Standing] = field(default_factory=dict)
    failed: tuple[HostError, ...] = ()
    exchanges: Mapping[str, int] = field(default_factory=dict)
    handshakes: int = 0


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


def plan(world: World) -> Outcome:
    """What `up` would do; reads only."""
    world.gather(world.involved)
    plans = world.plans()
    return Outcome(DIFFERS if any(p.changes for p in plans.values()) else DONE, plans)


def up(
    world: World,
    consent: Callable[[Mapping[str, HostPlan]], None],
    *,
    lease_s: int = LEASE_S,
    keep_going: bool = False,
) -> Outcome:
    """Make the network as the inventory says, or leave every host as it was."""
    with Interrupts() as interrupts:
        world.gather(world.involved)
        plans = world.plans()
        consent(plans)
        changing = {name: p for name, p in plans.items() if p.changes}
        if not changing:
            return Outcome(DONE, plans, exchanges=_exchanges(world), handshakes=world.fleet.handshakes)
        run = Transaction(world.network, world.fleet, world.ports, world.listener, lease_s)
        return _Change(world, run, interrupts, changing, keep_going=keep_going).up()


def teardown(
    world: World,
    consent: Callable[[Mapping[str, HostPlan]], None],
    *,
    lease_s: int = LEASE_S,
    purge: bool = False,
) -> Outcome:
    """Take everything of ours away, and give back what was recorded."""
    with Interrupts() as interrupts:
        world.gather(world.names)
        playbook = world.playbook("teardown")
        names = {key: name for name, key in world.keys.items()}
        plans = {}
        for name, seen in world.seen.items():
            have = seen.state(world.network)
            made = plan_teardown(name, world.network, baseline(seen, have, world.network), seen, playbook)
            plans[name] = _with_names(made, names)
        consent(plans)
        changing = {n: p for n, p in plans.items() if p.changes or _leftovers(world.seen[n], purge)}
        if not changing:
            return Outcome(DONE, plans)
        run = Transaction(world.network, world.fleet, world.ports, world.listener, lease_s)
        return _Change(world, run, interrupts, changing).down("purge" if purge else "remove")


def _leftovers(seen: Observed, purge: bool) -> bool:
    return seen.has_directory and ((purge and seen.key_file) or bool(seen.recorded or seen.boot or seen.pending))


def verify(world: World) -> Outcome:
    """Measure the whole network; changes nothing."""
    world.gather(world.names)
    verdict = _verify(world, world.names, {})
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


def status(world: World) -> Status:
    """How the network is; reads only, and says what it could of every host."""
    failed = world.gather(world.names, tolerant=True)
    plans: Mapping[str, HostPlan] = {}
    trouble: tuple[str, ...] = ()
    try:
        plans = world.plans()
    except HostsFailed as error:
        trouble = tuple(str(e) for e in error.errors)
    differs = bool(failed or trouble or any(p.changes for p in plans.values()))
    keys = {n: s.public_key for n, s in world.seen.items() if s.public_key}
    return Status(DIFFERS if differs else DONE, world.seen, plans, failed, keys, trouble)


def _verify(
    world: World,
    names: list[str],
    since: Mapping[str, Since],
    before: Mapping[str, str] | None = None,
    left_out: Iterable[str] = (),
) -> Verdict:
    network = world.network
    topology = world.topology

    def work(name: str) -> measure.Measured:
        world.listener.event(name, "verify")
        addresses = measure.targets(topology, name)
        direct = [topology.hosts[peer].address for peer in topology.peers(name)]
        card = world.seen[name].cards.get(network.interface)
        mtu = card.mtu if card else 1420
        program = measure.program(
            network.interface, addresses, direct, mtu, measure.PATIENCE_S, (before or {}).get(name, "")
        )
        text = world.fleet.open(name).exchange(program, "measure", measure.PATIENCE_S + 30)
        world.listener.event(name, "verified")
        return measure.parse(name, text, addresses)

    measured, failed = world.fleet.each(names, work)
    verdict = diagnose(topology, measured, world.keys, since, frozenset(left_out))
    lost = tuple(Finding(name, f"could not be asked: {error.saw}") for name, error in failed.items())
    return Verdict(verdict.measured, (*verdict.findings, *lost))


def _exchanges(world: World) -> dict[str, int]:
    return {name: shell.exchanges for name, shell in world.fleet.shells.items()}


@dataclass
class _Change:
    """The phases of one change, in order; whatever fails leads back."""

    world: World
    run: Transaction
    interrupts: Interrupts
    plans: dict[str, HostPlan]
    keep_going: bool = False
    failed: list[HostError] = field(default_factory=list)
    shown: Mapping[str, HostPlan] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.shown = dict(self.plans)

    def up(self) -> Outcome:
        """Make the changes of `up`."""
        self._lock()
        self._keys_are_known()
        clocks = self.world.new_sessions(self.plans)
        self._phase(self.run.stage, before_change=True)
        try:
            if not self._in_order(self._apply):
                return self._back("the change failed")
            verdict = self._prove(clocks)
            if not verdict.works:
                return self._back("verification failed", verdict)
            if not self._in_order(self.run.confirm, confirming=True):
                return self._back("a host did not confirm", verdict)
            return self._finish("keep", verdict)
        except KeyboardInterrupt:
            return self._left_alone()

    def down(self, keep: str) -> Outcome:
        """Make the changes of `teardown`: spokes first, so that nobody's way is taken from under them."""
        self._lock()
        self._phase(self.run.stage, before_change=True)
        try:
            order = self._order()[::-1]
            if not all(self._some(self._apply, group) for group in order):
                return self._back("the change failed")
            if not self._knock():
                return self._back("SSH was lost")
            if not all(self._some(self.run.confirm, group, confirming=True) for group in order):
                return self._back("a host did not confirm")
            return self._finish(keep, None)
        except KeyboardInterrupt:
            return self._left_alone()

    # --- phases

    def _lock(self) -> None:
        plans, seen = self.plans, self.world.seen

        def work(name: str) -> Observed:
            return self.run.lock(name, plans[name], seen[name])

        again, failed = self.world.fleet.each(plans, work)
        if failed:
            self._give_up(list(failed.values()))
        self.world.seen.update(again)
        self._unless_interrupted()

    def _keys_are_known(self) -> None:
        """Plan once more, now that every host has its key; what is made is what was shown, with the keys in it."""
        try:
            for name in self.plans:
                seen = self.world.seen[name]
                try:
                    public_key(seen.key_file_public)
                except NotAnAnswer as error:
                    raise HostsFailed([Garbled(name, "learn its public key", str(error))]) from None
            again = self.world.plans()
        except HostsFailed as error:
            self._give_up(list(error.errors))
        # A host whose only change was its key, or whose peers' keys were not known yet, is planned anew.
        self.plans = {name: again[name] for name in again if name in self.plans}

    def _phase(self, work: Callable[[str, HostPlan], object], *, before_change: bool) -> None:
        plans = self.plans
        _, failed = self.world.fleet.each(plans, lambda name: work(name, plans[name]))
        if failed and before_change:
            self._give_up(list(failed.values()))
        self._unless_interrupted()

    def _apply(self, name: str) -> None:
        self.world.seen[name] = self.run.apply(name, self.plans[name])

    def _order(self) -> list[list[str]]:
        """Relays, then the others: a first handshake to a relay that does not know the host yet costs 5 s."""
        relays = [n for n in self.plans if self.world.inventory.hosts[n].endpoint]
        return [group for group in (relays, [n for n in self.plans if n not in relays]) if group]

    def _in_order(self, work: Callable[[str], object], *, confirming: bool = False) -> bool:
        return all(self._some(work, group, confirming=confirming) for group in self._order())

    def _some(self, work: Callable[[str], object], names: list[str], *, confirming: bool = False) -> bool:
        names = [name for name in names if name in self.plans]
        _, failed = self.world.fleet.each(names, work)
        self.failed += failed.values()
        for name, error in failed.items():
            self.world.listener.event(name, "failed", str(error))
        if failed and self.keep_going:
            # They go back alone; the others go on without them.
            self.run.revert([n for n in failed if self.run.standing[n].state != "old"], "it failed")
            for name in failed:
                self.plans.pop(name, None)
            failed = {} if self.plans else failed
        return not failed and (confirming or not self.interrupts.asked)

    def _prove(self, clocks: Mapping[str, Since]) -> Verdict:
        renew = dict.fromkeys(self.plans, self.run.renew())
        left_out = set(self.shown) - set(self.plans)
        names = [name for name in self.world.names if name not in left_out]
        verdict = _verify(self.world, names, clocks, renew, left_out)
        ended = [
            n
            for n, m in verdict.measured.items()
            if n in self.plans and f"renewed {self.run.run} " not in m.said_before
        ]
        if ended:
            over = tuple(Finding(name, "its lease ended before it could be renewed") for name in ended)
            verdict = Verdict(verdict.measured, (*over, *verdict.findings))
        if not self._knock():
            lost = tuple(Finding(e.host, f"SSH is lost: {e.saw}") for e in self.failed)
            verdict = Verdict(verdict.measured, (*verdict.findings, *lost))
        if self.interrupts.asked:
            verdict = Verdict(verdict.measured, (*verdict.findings, Finding("you", "interrupted with Ctrl-C")))
        return verdict

    def _knock(self) -> bool:
        """A new connection to every host's sshd, by the same way as the session came."""
        _, failed = self.world.fleet.each(self.plans, self.world.fleet.knock)
        self.failed += failed.values()
        return not failed

    def _finish(self, keep: str, verdict: Verdict | None) -> Outcome:
        plans = self.plans
        _, failed = self.world.fleet.each(plans, lambda name: self.run.finish(name, plans[name], keep))
        self.failed += failed.values()
        for name, error in failed.items():
            self.run.standing[name] = Standing("new", f"confirmed, but: {error.saw}")
        return self._outcome(MIXED if self.failed else DONE, verdict)

    # --- ways back

    def _give_up(self, errors: list[HostError]) -> None:
        """Nothing was changed yet: unlock and say why."""
        self.run.unlock(self.plans)
        raise HostsFailed(errors)

    def _unless_interrupted(self) -> None:
        if self.interrupts.asked:
            self.run.unlock(self.plans)
            raise Interrupted("interrupted; nothing was changed")

    def _back(self, why: str, verdict: Verdict | None = None) -> Outcome:
        touched = [name for name in self.shown if name in self.run.standing]
        self.run.unlock([name for name in self.plans if name not in touched])
        self.run.revert([n for n in touched if self.run.standing[n].state != "old"], why)
        old = all(self.run.standing[name].state == "old" for name in touched)
        return self._outcome(ROLLED_BACK if old else MIXED, verdict)

    def _left_alone(self) -> Outcome:
        """Ctrl-C twice: say where each host stands and when its lease ends."""
        for name, end in self.run.armed.items():
            if self.run.standing[name].state == "unconfirmed":
                left = max(0, round(end - time.monotonic()))
                self.run.standing[name] = Standing("unknown", f"takes itself back within {left} s")
        return self._outcome(MIXED, None)

    def _outcome(self, code: int, verdict: Verdict | None) -> Outcome:
        standing = {name: self.run.standing.get(name, Standing()) for name in self.shown}
        return Outcome(
            code,
            self.shown,
            verdict,
            standing,
            tuple(self.failed),
            _exchanges(self.world),
            self.world.fleet.handshakes,
        )


def check_names(inventory: Inventory, names: Iterable[str]) -> frozenset[str]:
    """The hosts that --limit names. Raises UsageError for one that is not in the inventory."""
    for name in names:
        if name not in inventory.hosts:
            hint = suggest(name, inventory.hosts)
            raise UsageError(
                f'there is no host "{name}" in {inventory.path}.{hint}\n    fix: one of {", ".join(inventory.hosts)}'
            )
    return frozenset(names)
