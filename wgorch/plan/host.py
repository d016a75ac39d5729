"""The plan of one host, pure: Changes from its State to the wanted one, their undo script, and the boot script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from wgorch.adapters.startup import digest
from wgorch.base.value import value
from wgorch.facts.files import FORMAT, FORMAT_SINCE
from wgorch.gather.observed import Observed
from wgorch.inventory.model import Network
from wgorch.plan.notes import Note
from wgorch.plan.notes import notes as notes_on
from wgorch.plan.playbook import Playbook, UserStep
from wgorch.plan.probe import probe_script
from wgorch.plan.scope import in_scope, keep_foreign, restored_sysctls
from wgorch.plan.script import Script, boot_script, script
from wgorch.state.change import Change, change
from wgorch.state.state import State, nothing
from wgorch.steps import all_steps
from wgorch.steps.firewall import firewall_of
from wgorch.steps.interface import tag
from wgorch.steps.members import STEP as MEMBERS
from wgorch.steps.runs import run_changes

BUILT = ("tunnel", "traffic")


@value
class HostPlan:
    """What one host needs. `prepare` is never undone; `do` is under the lease; `stay` comes after confirm.

    What only a host that is changed needs is made when it is asked for.
    """

    host: str
    want: State
    have: State
    prepare: tuple[Change, ...]
    do: tuple[Change, ...]
    stay: tuple[Change, ...]
    make_undo: Callable[[], tuple[Change, ...]]
    make_boot: Callable[[], Script]
    make_probe: Callable[[], str]
    notes: tuple[Note, ...] = ()
    boot_before: str = ""
    """SHA-256 of the boot script that is there; empty if none is."""

    @property
    def undo(self) -> tuple[Change, ...]:
        """The Changes that roll `do` back."""
        return self.make_undo()

    @property
    def probe(self) -> str:
        """The script that prints what runs: compared before the change and after its rollback."""
        return self.make_probe()

    @property
    def boot(self) -> Script:
        """The script that sets the whole State at every start of the host."""
        return self.make_boot()

    @property
    def changes(self) -> tuple[Change, ...]:
        """All differences, in the order in which they are made."""
        return (*self.prepare, *self.do, *self.stay)

    @property
    def disruptive(self) -> bool:
        """True if running traffic may notice the plan."""
        return any(c.disruptive for c in self.changes)

    @property
    def changes_boot(self) -> bool:
        """True if the boot script changes."""
        return any(c.step == BOOT for c in self.changes)

    @property
    def writes_record(self) -> bool:
        """True if the record of the members changes, which makes a revision."""
        return any(c.step == MEMBERS for c in self.changes)

    @property
    def loses_preshared(self) -> bool:
        """True if a peer has a preshared key, and is to have none."""
        want = {(i, key) for i, its in self.want.peers.items() for key, peer in its.items() if not peer.preshared}
        return any(
            (i, key) in want for i, its in self.have.peers.items() for key, peer in its.items() if peer.preshared
        )

    @property
    def is_first(self) -> bool:
        """True if the host has no tunnel yet and gets one."""
        return bool(self.want.interfaces) and not self.have.interfaces

    @property
    def has_new_interfaces(self) -> bool:
        """True if the host gets an interface of the network that it has not."""
        return bool(self.want.interfaces.keys() - self.have.interfaces.keys())

    @property
    def do_program(self) -> Script:
        return script("from how this host was seen to how it should be", self.want, self.do)

    @property
    def undo_program(self) -> Script:
        return script("back to how this host was seen", self.want, self.undo)

    @property
    def stay_program(self) -> Script:
        return script("what makes a confirmed change last", self.want, self.stay)

    @property
    def prepare_program(self) -> Script:
        return script("what must be there before anything changes", self.want, self.prepare)


def plan_host(
    host: str,
    network: Network,
    want: State,
    seen: Observed,
    playbook: Playbook,
    after_start: State | None = None,
    names: Mapping[str, str] | None = None,
    header: Mapping[str, str] | None = None,
) -> HostPlan:
    """The plan of one host that should be in the state `want`; `after_start`: the state after a boot, if that differs.

    `names`: of peers, by their public keys; `header`: lines that the boot script keeps for later runs.
    """
    have = named(seen.state(network), names or {})
    after = after_start or want

    def make_boot() -> Script:
        return _boot(host, network, after, playbook, header or {})

    want = keep_foreign(want, have)
    if back := restored_sysctls(seen, want.sysctls):
        want = replace(want, sysctls={**back, **want.sysctls})
    here = in_scope(have, want)
    do = tuple(changes_between(want, here, playbook.steps(*BUILT)))
    notes = list(notes_on(host, network, want, seen))
    if do and (want.chains or want.nft or want.firewalld):
        notes.insert(0, Note(host, f"firewall: {firewall_of(seen)}"))
    return HostPlan(
        host=host,
        want=want,
        have=have,
        prepare=tuple(changes_between(want, have, playbook.steps("prepare"))),
        do=do,
        stay=tuple(_stay(want, have, seen, playbook, make_boot)),
        make_undo=lambda: tuple(changes_between(here, want, _undoing(here, want, playbook))),
        make_boot=make_boot,
        make_probe=lambda: probe_script(want, here),
        notes=tuple(notes),
        boot_before=seen.files.boot,
    )


def _stay(
    want: State, have: State, seen: Observed, playbook: Playbook, make_boot: Callable[[], Script]
) -> Iterator[Change]:
    """The Changes after confirmation, the boot script's first."""
    if not seen.files.boot:
        yield _boot_change("+", "missing")
    elif seen.files.boot != digest(make_boot().text):
        yield _boot_change("~", "outdated")
    yield from changes_between(want, have, playbook.steps("stay"))
    if not seen.keys.clean:
        yield change("~", "private key", "the former key file is still there")


def plan_teardown(
    host: str,
    network: Network,
    base: State,
    seen: Observed,
    playbook: Playbook,
    names: Mapping[str, str] | None = None,
    *,
    purge: bool = False,
) -> HostPlan:
    """The plan of one host from which everything that wgorch manages goes; `purge`: its private key, too."""
    have = named(seen.state(network), names or {})
    here = in_scope(have, base)
    steps = list(playbook.steps(*BUILT))
    runs = [UserStep(name, run, frozenset()) for name, run in have.runs.items()]
    stay = list(changes_between(base, have, playbook.steps("stay")))
    if seen.files.boot:
        stay.insert(0, change("-", "boot script", "nothing is left to start"))
    if purge and seen.keys.exists:
        stay.append(change("-", "private key", "--purge deletes it"))
    return HostPlan(
        host=host,
        want=base,
        have=have,
        prepare=(),
        do=tuple(changes_between(base, here, [*runs, *steps])),
        stay=tuple(stay),
        make_undo=lambda: tuple(changes_between(here, base, [*_backwards(steps), *runs])),
        make_boot=lambda: script("nothing is wanted of this host", base, ()),
        make_probe=lambda: probe_script(base, here),
        notes=tuple(notes_on(host, network, base, seen)),
    )


def _undoing(here: State, want: State, playbook: Playbook) -> list[str | UserStep]:
    """The steps that undo a change, last first; but an interface that comes back comes before what leads into it."""
    steps = list(playbook.steps(*BUILT))
    return steps if here.interfaces.keys() - want.interfaces.keys() else _backwards(steps)


def _backwards(steps: Iterable[str | UserStep]) -> list[str | UserStep]:
    """The steps last first; but a table can only go after the chains in it."""
    order = list(steps)[::-1]
    return [step for step in order if step != "empty_tables"] + [step for step in order if step == "empty_tables"]


def changes_between(want: State, have: State, steps: Iterable[str | UserStep]) -> Iterator[Change]:
    """What some steps find to do, in their order."""
    known = all_steps()
    for step in steps:
        if isinstance(step, UserStep):
            yield from (replace(made, step="run") for made in run_changes(step.name, want, have))
        else:
            for made in known[step](want, have):
                # Not by `replace`, which takes ten times as long.
                yield Change(made.sign, made.what, made.why, made.commands, made.disruptive, step, made.make_values)


BOOT = "boot"
"""The step of the start-up script itself: it has no commands, as confirming a change puts it in its place."""


def _boot_change(sign: str, why: str) -> Change:
    return Change(sign, "boot script", why, (), step=BOOT)


def _boot(host: str, network: Network, want: State, playbook: Playbook, more: Mapping[str, str]) -> Script:
    """The boot script: the same steps, from nothing. `more`: further lines of its header."""
    changes = changes_between(want, nothing(want), playbook.steps(*BUILT))
    interfaces = {
        path.split("/")[3]
        for path in want.sysctls
        if path.split("/")[3] not in ("all", "default", *want.interfaces) and not path.endswith("/rp_filter")
    }
    header = {
        "host": host,
        "network": network.name,
        "interface": network.interface,
        "subnet": " ".join(map(str, network.subnets)),
    }
    interface = want.interfaces.get(network.interface)
    if interface and interface.public_key in want.keys:
        header |= {"key": tag(interface), "mtu": str(interface.mtu)}
    header |= {"format": str(FORMAT), "since": FORMAT_SINCE, **more}
    if network.ipv6:
        header["ipv6"] = "yes"
    if network.exits or network.several_relays:
        header["exits"] = "yes"
    detours = network.detour_table if len(want.interfaces) > 1 else 0
    return boot_script(want, changes, header, network.interface, interfaces, network.table, detours)


def named(state: State, names: Mapping[str, str]) -> State:
    """A State whose peers carry the names of the hosts they are."""
    peers = {
        interface: {key: replace(peer, name=names.get(key, peer.name)) for key, peer in its.items()}
        for interface, its in state.peers.items()
    }
    return replace(state, peers=peers)
