"""One run over an inventory: its options, its sessions, and what the hosts said."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass, field, replace
from itertools import islice
from typing import NoReturn

from wgorch.approval import approvers
from wgorch.errors import HostError, HostsFailed, Unfit
from wgorch.events import Event, Listener
from wgorch.gather.active import avoided
from wgorch.gather.gather import Ask, Exchange, gather, near_networks
from wgorch.gather.observed import Observed
from wgorch.inventory.model import Host, Inventory, Network
from wgorch.membership import author, refuse_shrunk, removed_hosts, undone_changes
from wgorch.plan.absent import keys_held, stranded
from wgorch.plan.host import HostPlan
from wgorch.plan.learned import addresses_are_given, double_claims, keep_addresses, versions_of, working_direct_peers
from wgorch.plan.members import newest, recorded_keys
from wgorch.plan.network import NetworkFacts, network_mtu, plan_network
from wgorch.plan.notes import Note
from wgorch.plan.playbook import Playbooks
from wgorch.plan.preshared import lacking
from wgorch.remote.fleet import Fleet
from wgorch.remote.shell import NONE, Definitions
from wgorch.run_options import RunOptions
from wgorch.topology.desired import Cut, DirectPeer
from wgorch.topology.topology import Topology, build

MAX_MTU_TARGETS = 16
"""Upper bound on path-MTU probes per host."""


@dataclass
class Run:
    """An inventory, the sessions to its hosts, and their facts."""

    inventory: Inventory
    fleet: Fleet
    listener: Listener
    playbooks: Playbooks
    options: RunOptions = RunOptions()  # noqa: RUF009 - a value
    built: InitVar[Topology | None] = None
    topology: Topology = field(init=False)
    seen: dict[str, Observed] = field(default_factory=dict)
    absent: dict[str, HostError] = field(default_factory=dict)
    """Hosts that were not reached, or not read, and why: they are left out of this run."""
    max_mtu: int = 1500
    """Upper bound of the tunnel MTU, in bytes; verification may lower it."""
    broken_before: frozenset[tuple[str, str]] = frozenset()
    """Paths and sessions that did not work before the change either, so that they are no proof against it."""
    approved: tuple[str, ...] = ()
    """Who approved the change, where a rule asks for it."""
    is_approved: bool = False
    """True where the change was found to have the approvals that it needs."""
    rotating: frozenset[str] = field(init=False)
    """Hosts whose new key is not confirmed yet."""

    def __post_init__(self, built: Topology | None) -> None:
        self.topology = built or build(self.inventory)
        self.rotating = self.options.rotate_keys

    @property
    def network(self) -> Network:
        return self.inventory.network

    @property
    def names(self) -> list[str]:
        """The hosts of this run: all, or those that --limit names."""
        return [name for name in self.inventory.hosts if not self.options.limit or name in self.options.limit]

    @property
    def present(self) -> list[str]:
        """The hosts of this run that were reached."""
        return [name for name in self.names if name not in self.absent]

    @property
    def involved(self) -> list[str]:
        """The hosts of this run and their peers, whose entries for them change with them."""
        if not self.options.limit:
            return self.names
        peers = {peer for name in self.names for peer in self.topology.peers(name)}
        if self.network.direct:
            # Which of them they reach without their relay is known only when both ends are read.
            others = self.inventory.hosts
            peers |= {o for name in self.names for o in others if self.topology.can_peer_directly(name, o)}
        return self.asked_for([name for name in self.inventory.hosts if name in {*self.names, *peers}])

    def asked_for(self, names: list[str]) -> list[str]:
        """The hosts to read for the sake of some: all, where only the hosts know their addresses."""
        return names if addresses_are_given(self.inventory) else list(self.inventory.hosts)

    def ask(self, name: str) -> Ask:
        """Parameters of the fact script of one host."""
        host = self.inventory.hosts[name]
        targets: list[str] = []
        if not (host.mtu or self.network.mtu):
            ends = (end for peer in self.topology.peers(name) for end in self.topology.endpoints_for(peer, name))
            targets = list(dict.fromkeys(islice((end.host for end in ends), MAX_MTU_TARGETS)))
        nets, redo = near_networks(self.topology.desired(name)), self.options.redo_mtu
        ports = (host.listen_port, *self.topology.ports_of(name).values())
        return Ask(ports, host.private_key, tuple(targets), redo, nets=nets, adopt=self.options.adopt)

    @property
    def asks(self) -> dict[str, Ask]:
        return {name: self.ask(name) for name in self.inventory.hosts}

    def gather(
        self,
        names: Iterable[str],
        *,
        tolerant: bool = False,
        traffic: bool = True,
        preload: Definitions = NONE,
    ) -> dict[str, HostError]:
        """Read hosts. Those that are off or cut off are absent from then on, and are not tried again in this run.

        Raises HostsFailed where none is reached, or one with --strict, or where reading fails otherwise; with
        `tolerant` every host is tried, and the errors are returned, by host. `traffic`: read counters and handshakes,
        too, on which no plan depends. `preload`: definitions that later scripts on the hosts of this run need.
        """
        if not tolerant:
            names = [name for name in names if name not in self.absent]

        def work(name: str) -> Observed:
            self.listener.event(name, Event.CONNECT)
            shell = self.fleet.open(name)
            ask = replace(self.ask(name), no_counters=not traffic)
            _, seen = gather(shell, self.network, ask, Exchange(preload=preload if name in self.names else NONE))
            self.listener.event(name, Event.GATHERED)
            return seen

        seen, failed = self.fleet.on_hosts(names, work)
        self.seen.update(seen)
        for name, error in failed.items():
            self.listener.event(name, Event.FAILED, str(error))
        absent = failed if tolerant else {name: error for name, error in failed.items() if error.is_absence}
        self.absent = {name: error for name, error in self.absent.items() if name not in seen} | absent
        for name in absent:
            self.seen.pop(name, None)
        if not tolerant and (len(absent) < len(failed) or (failed and (self.options.strict or not self.seen))):
            raise HostsFailed(list(failed.values()))
        self._keep_what_hosts_have()
        return failed

    def use(self, seen: Mapping[str, Observed], absent: Mapping[str, HostError]) -> None:
        """Go on from facts that were read before, without asking any host."""
        self.seen, self.absent = dict(seen), dict(absent)
        self._keep_what_hosts_have()

    def require_approvals(self) -> None:
        """Refuse a change that the rule in force has not enough approvals for. Raises UsageError."""
        if not self.is_approved:
            self.approved = approvers(self.inventory, self.seen, self.options.signed, self.rotating)
            self.is_approved = True

    def require(self, name: str) -> None:
        """Raise HostsFailed if a host is absent that the run cannot do without."""
        if name in self.absent:
            raise HostsFailed([self.absent[name]])

    def _keep_what_hosts_have(self) -> None:
        inventory, versions = keep_addresses(self.inventory, self.seen), versions_of(self.topology, self.seen)
        if inventory != self.inventory or versions != self.topology.versions:
            self.inventory, self.topology = inventory, build(inventory, self.topology.direct_peers, versions)
        if self.network.direct:
            self.use_direct_peers(working_direct_peers(self.topology, self.seen, self.keys, self.absent))

    def rename_interface(self, interface: str) -> None:
        """Go on with another name of the WireGuard interface."""
        self.inventory = replace(self.inventory, network=replace(self.network, interface=interface))
        self.topology = build(self.inventory, versions=self.topology.versions)

    def use_direct_peers(self, direct_peers: Mapping[str, Mapping[str, DirectPeer]]) -> None:
        """Let some spokes reach each other without their relay."""
        if (found := {name: others for name, others in direct_peers.items() if others}) != self.topology.direct_peers:
            self.topology = build(self.inventory, found, self.topology.versions)

    @property
    def keys(self) -> dict[str, str]:
        """The public keys known so far, by host. Raises HostsFailed where two hosts show the same one."""
        keys = {name: device.public_key for name, device in self.inventory.devices.items() if device.public_key}
        for name, seen in self.seen.items():
            live = seen.wg(self.network).public_key
            kept = (live, seen.keys.public) if seen.adopted else (seen.keys.public, live)
            key = seen.keys.source or kept[0] or kept[1]
            if live in seen.keys.staged:
                key = live  # taken up, and not confirmed yet: an adopted one beside the key of an earlier network
            if name in self.rotating:
                key = min(seen.keys.staged, default="")
            if key:
                keys[name] = key
        owner: dict[str, str] = {}
        for name, key in keys.items():
            twin = owner.setdefault(key, name)
            if twin != name:
                problem = f"it has the same key as {twin} ({key[:8]}…)"
                hint = f"one is a copy of the other: delete {self.network.directory}/private_key on one of them"
                raise HostsFailed([Unfit(name, "use its key", problem, hint)])
        return keys

    @property
    def keys_of_absent(self) -> dict[str, dict[str, str]]:
        """By host that was read, the keys by which it knows the absent ones; empty where it does not."""
        known = self.keys.values() if self.absent else ()
        return {name: keys_held(self.topology, seen, self.absent, known) for name, seen in self.seen.items()}

    @property
    def all_keys(self) -> dict[str, str]:
        """The same, and of absent hosts the keys that a peer knows them by. Raises HostsFailed."""
        return {name: key for its in self.keys_of_absent.values() for name, key in its.items() if key} | self.keys

    @property
    def _is_partial(self) -> bool:
        """True where this run is not about all of the network: with a limit, or without an inventory."""
        return bool(self.options.limit) or not self.inventory.path

    @property
    def removed(self) -> dict[str, Host]:
        """Hosts of the network that left the inventory and are to be taken down; none with a limit."""
        return {} if self._is_partial else removed_hosts(self.inventory, self.seen)

    @property
    def undone(self) -> list[str]:
        """What this inventory would undo of changes that it is not based on, made from elsewhere."""
        return [] if self._is_partial else undone_changes(self.inventory, self.seen)

    @property
    def mtu(self) -> int:
        """The MTU of every tunnel, in bytes."""
        found = network_mtu(self.topology, self.seen, redo=self.options.redo_mtu, most=self.max_mtu)
        if self.options.redo_mtu and self.absent:
            # What the paths of absent hosts carry is known only from before.
            found = min(found, network_mtu(self.topology, self.seen, most=self.max_mtu))
        return found

    @property
    def avoided(self) -> Cut:
        """Sessions with relays that hosts do not use just now, as far as they were read."""
        return avoided(self.topology, self.seen)

    def through_tunnel(self, name: str) -> bool:
        """True where the SSH session to a host runs through the tunnel that is to be changed."""
        return self.seen[name].ssh_interface in self.seen[name].interfaces(self.network)

    def plans(self) -> dict[str, HostPlan]:
        """The plan of every host that was read. Raises HostsFailed with every blocker."""
        if claims := list(double_claims(self.inventory, self.seen)):
            raise HostsFailed(claims)
        removed, record = self.removed, newest(self.seen)
        refuse_shrunk(self.inventory, removed)
        members = record, removed, recorded_keys(record, removed), int(time.time()), self.written_by
        facts = NetworkFacts(
            self.topology, self.seen, self.keys, self.mtu, frozenset(self.absent), *members, self.options.drains
        )
        accepted = self.options.accept_new_keys | self.rotating
        plans = plan_network(facts, self.playbooks.up, self.options.limit, accepted)
        reached_at = {name: self.fleet.address(name) for name in self.absent}
        if left := [error for plan in plans.values() for error in stranded(self.topology, plan, reached_at)]:
            raise HostsFailed(left)
        return self._with_preshared(plans) if self.network.preshared_keys else plans

    @property
    def written_by(self) -> str:
        """The author of a revision, and who approved it."""
        return f"{author()}, approved by {', '.join(self.approved)}" if self.approved else author()

    @property
    def classical(self) -> frozenset[str]:
        """The hosts whose SSH session is not known to have a post-quantum key exchange."""
        sessions = {name: self.fleet.session(name) for name in self.seen}
        return frozenset(name for name, session in sessions.items() if session and not session.is_post_quantum)

    def _with_preshared(self, plans: dict[str, HostPlan]) -> dict[str, HostPlan]:
        """The same plans, with a note where a preshared key will be sent over a classical key exchange.

        Raises HostsFailed where the inventory forbids that.
        """
        pairs = lacking(self.topology, self.seen, [name for name, plan in plans.items() if plan.do])
        classical = self.classical
        exposed = [pair for pair in pairs if not classical.isdisjoint(pair)]
        if exposed and not self.network.over_classical:
            self._refuse_classical(sorted({name for pair in exposed for name in pair} & classical))
        for name in {name for pair in exposed for name in pair}:
            peers = sorted({*(peer for pair in exposed if name in pair for peer in pair)} - {name})
            note = Note(
                name, f"preshared keys with {', '.join(peers)} are sent over SSH without post-quantum key exchange"
            )
            plans[name] = replace(plans[name], notes=(*plans[name].notes, note))
        return plans

    def _refuse_classical(self, names: Iterable[str]) -> NoReturn:
        action = "send a preshared key"
        hint = "update its sshd (OpenSSH 9.9 and later have mlkem768x25519-sha256), or set preshared_keys: true"
        raise HostsFailed([Unfit(name, action, self.fleet.key_exchanges(name), hint) for name in names])
