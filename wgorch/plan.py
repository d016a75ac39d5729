"""From how a host is and how it should be to what to do, how to take it back, and what to do at its every start; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from wgorch.command import Change, change, command
from wgorch.facts.observed import Observed, our_chains
from wgorch.frozen import frozen
from wgorch.inventory.model import Network
from wgorch.playbook import Playbook, UserStep
from wgorch.program import Program, boot_program, probe_program, program
from wgorch.resolve import firewall_of, foreign_rules, given_back, in_scope, keep_foreign, switched_on_since
from wgorch.state import Run, State, nothing
from wgorch.steps import all_steps
from wgorch.steps.interface import tag
from wgorch.unit import digest

BUILT = ("tunnel", "traffic")


@frozen
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
    make_boot: Callable[[], Program]
    make_probe: Callable[[], str]
    notes: tuple[str, ...] = ()

    @property
    def undo(self) -> tuple[Change, ...]:
        """The way back from `do`."""
        return self.make_undo()

    @property
    def probe(self) -> str:
        """The program that tells whether the way back led back."""
        return self.make_probe()

    @property
    def boot(self) -> Program:
        """The program that makes all of it at a start of the host."""
        return self.make_boot()

    @property
    def changes(self) -> tuple[Change, ...]:
        """All differences, in the order in which they are made."""
        return (*self.prepare, *self.do, *self.stay)

    @property
    def disturbs(self) -> bool:
        """True where something that runs now is taken away or interrupted."""
        return any(c.disturbs or c.sign == "-" for c in self.changes)

    @property
    def do_program(self) -> Program:
        return program("from how this host was seen to how it should be", self.want, self.do)

    @property
    def undo_program(self) -> Program:
        return program("back to how this host was seen", self.want, self.undo)

    @property
    def stay_program(self) -> Program:
        return program("what makes a confirmed change last", self.want, self.stay)

    @property
    def prepare_program(self) -> Program:
        return program("what must be there before anything changes", self.want, self.prepare)


def plan_host(
    host: str, network: Network, want: State, seen: Observed, playbook: Playbook, after_start: State | None = None
) -> HostPlan:
    """The plan of one host that should be as `want` says; `after_start`: and how after a start, if that differs."""
    have = seen.state(network)
    after = after_start or want

    def make_boot() -> Program:
        return _boot(host, network, after, playbook)

    want = keep_foreign(want, have)
    if back := given_back(seen, want.sysctls):
        want = replace(want, sysctls={**back, **want.sysctls})
    here = in_scope(have, want)
    stay = list(changes_between(want, have, playbook.steps("stay")))
    if not seen.boot or seen.boot != digest(make_boot().text):
        why = "there is none" if not seen.boot else "it makes another state than this one"
        stay.insert(0, change("~" if seen.boot else "+", "boot program", why))
    if not seen.settled:
        stay.append(change("~", "private key", "the one before it still lies beside it"))
    do = tuple(changes_between(want, here, playbook.steps(*BUILT)))
    notes = list(_notes(host, network, want, seen))
    if do and (want.chains or want.nft or want.firewalld):
        notes.insert(0, f"{host}: firewall: {firewall_of(seen)}")
    return HostPlan(
        host=host,
        want=want,
        have=have,
        prepare=tuple(changes_between(want, have, playbook.steps("prepare"))),
        do=do,
        stay=tuple(stay),
        make_undo=lambda: tuple(changes_between(here, want, _backwards(playbook.steps(*BUILT)))),
        make_boot=make_boot,
        make_probe=lambda: probe_program(want, here, network.interface),
        notes=tuple(notes),
    )


def plan_teardown(host: str, network: Network, base: State, seen: Observed, playbook: Playbook) -> HostPlan:
    """The plan of one host from which everything of ours goes."""
    have = seen.state(network)
    here = in_scope(have, base)
    steps = list(playbook.steps(*BUILT))
    runs = [UserStep(name, run, frozenset()) for name, run in have.runs.items()]
    stay = list(changes_between(base, have, playbook.steps("stay")))
    if seen.boot:
        stay.insert(0, change("-", "boot program", "nothing is left to start"))
    return HostPlan(
        host=host,
        want=base,
        have=have,
        prepare=(),
        do=tuple(changes_between(base, here, [*runs, *steps])),
        stay=tuple(stay),
        make_undo=lambda: tuple(changes_between(here, base, [*_backwards(steps), *runs])),
        make_boot=lambda: program("nothing is wanted of this host", base, ()),
        make_probe=lambda: probe_program(base, here, network.interface),
        notes=tuple(_notes(host, network, base, seen)),
    )


def _backwards(steps: Iterable[str | UserStep]) -> list[str | UserStep]:
    """The steps last first; but a table can only go after the chains in it."""
    order = list(steps)[::-1]
    return [step for step in order if step != "tables"] + [step for step in order if step == "tables"]


def changes_between(want: State, have: State, steps: Iterable[str | UserStep]) -> Iterator[Change]:
    """What some steps find to do, in their order."""
    known = all_steps()
    for step in steps:
        if isinstance(step, UserStep):
            yield from _run_changes(step.name, want.runs.get(step.name), have.runs.get(step.name))
        else:
            for made in known[step](want, have):
                # Not by `replace`, which takes ten times as long.
                yield Change(made.sign, made.what, made.why, made.commands, made.disturbs, step)


def _run_changes(name: str, want: Run | None, have: Run | None) -> Iterator[Change]:
    if want == have:
        return
    if want is not None:
        why = "a step of the playbook" if have is None else "the playbook's command is another one"
        yield replace(change("+", f"run {name}", why, command("sh", "-c", want.command)), step="run")
    elif have is not None and have.undo:
        taken = change("-", f"run {name}", "its undo", command("sh", "-c", have.undo))
        yield replace(taken, step="run")


def _boot(host: str, network: Network, want: State, playbook: Playbook) -> Program:
    """The boot program: the same steps, from nothing."""
    changes = changes_between(want, nothing(want), playbook.steps(*BUILT))
    cards = {
        path.split("/")[3]
        for path in want.sysctls
        if path.split("/")[3] not in ("all", "default", network.interface) and not path.endswith("/rp_filter")
    }
    header = {
        "host": host,
        "network": network.name,
        "interface": network.interface,
        "subnet": " ".join(map(str, network.subnets)),
    }
    if want.interface and want.interface.public_key in want.keys:
        header |= {"key": tag(want.interface), "mtu": str(want.interface.mtu)}
    if network.ipv6:
        header["ipv6"] = "yes"
    if network.exits:
        header["exits"] = "yes"
    return boot_program(want, changes, header, network.interface, cards, network.table)


def _notes(host: str, network: Network, want: State, seen: Observed) -> Iterator[str]:
    for chain in our_chains(network):
        rules = seen.rules.get(chain.table, {}).get(chain.name, ())
        for rule in foreign_rules(rules, network.mark):
            yield f"{host}: not ours, kept in chain {chain.name}: {rule}"
    if seen.legacy_too:
        yield f"{host}: iptables has rules of both kinds there, nft's and legacy; ours go where `iptables` itself leads"
    if want.interface and "wg-quick" in seen.managers:
        unit = f"wg-quick@{network.interface}"
        yield f"{host}: {unit} starts that interface, too, at the next reboot: systemctl disable {unit}"
    if want.interface and not seen.starter:
        yield f"{host}: it will not survive a reboot: neither systemd, OpenRC, runit nor cron runs here"
    if want.interface and want.watch_text and not want.watch:
        yield f"{host}: nothing there looks from time to time whether a peer's address became another"
    if seen.lock and seen.lock.boot_id == seen.boot_id and seen.lock.until > seen.uptime:
        yield f"{host}: locked by {seen.lock.who} for another {seen.lock.until - seen.uptime} s at most"
    if seen.pending or seen.reverting:
        yield f"{host}: a change is not confirmed yet; it takes itself back unless it is"
    elif seen.outcome:
        words = seen.outcome.split(" ")
        result = {"reverted": "taken back", "rebooted": "taken back by the start-up program"}.get(words[0], words[0])
        yield f"{host}: the last change was {result} ({' '.join(words[2:])})"
    if not want.interface and "nft" not in seen.tools and (tables := seen.left_empty(network)):
        yield f"{host}: {', '.join(sorted(tables))} of iptables stay, empty: there is no nft, which alone could end them"
    for path in sorted(switched_on_since(seen) - want.sysctls.keys()):
        told = path.replace("/", ".")
        yield f"{host}: {told} was {seen.recorded[path].before}; since then all cards were let forward: left alone"
    if seen.ufw_flushes and want.chains and "ufw-user-forward" in seen.rules.get("filter", {}):
        yield f"{host}: ufw's reload empties our chains there: MANAGE_BUILTINS=no in /etc/default/ufw, or wgorch up after it"
    for path, record in seen.recorded.items():
        if not want.interface and seen.sysctls.get(path) not in (record.ours, None):
            now = seen.sysctls[path]
            yield f"{host}: {path.replace('/', '.')} was {record.before}, we made it {record.ours}, now it is {now}: left alone"


def named(state: State, names: Mapping[str, str]) -> State:
    """A State whose peers carry the names of the hosts they are."""
    peers = {key: replace(peer, name=names.get(key, peer.name)) for key, peer in state.peers.items()}
    return replace(state, peers=peers)
