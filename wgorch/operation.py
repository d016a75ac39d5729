"""One run over an inventory: its topology, its sessions, what the hosts said, and the plans made of that."""

from __future__ import annotations

from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass, field, replace
from hashlib import sha256
from ipaddress import ip_network
from itertools import islice
from secrets import token_bytes

from wgorch.apply import Listener
from wgorch.command import Change
from wgorch.conflicts import changed_keys, conflicts, ways_back
from wgorch.errors import HostError, HostsFailed, Unfit, UsageError
from wgorch.facts.gather import Ask, gather
from wgorch.facts.observed import Observed
from wgorch.inventory.addresses import assign
from wgorch.inventory.fields import suggest
from wgorch.inventory.model import Inventory, IPAddress, Network
from wgorch.plan import HostPlan, named, plan_host
from wgorch.playbook import Playbooks
from wgorch.remote.fleet import Fleet
from wgorch.remote.shell import NONE, Definitions
from wgorch.resolve import NEEDED_BY_IPV6, only_entries_of, room, wanted
from wgorch.topology.build import Shortcut, Topology, build
from wgorch.verify.diagnose import Since

MOST_WAYS = 16
"""To how many endpoints a host measures the way; more would tell nothing new."""

DIGEST = 32
"""How many digits of a preshared key's SHA-256 its file is named by."""


@dataclass
class Operation:
    """An inventory, its topology and the sessions of one run.

    `new_keys_for`: hosts that are to have a new key. `measure_ways`: the MTU is found anew, and is `most_mtu` at most.
    `adopt`: interfaces of that name that are nobody's are taken over. `may_lose_ssh`: hosts that are reached through the tunnel itself may be changed. `try_direct`: relays are left out where that works, even where nothing else changes.
    """

    inventory: Inventory
    fleet: Fleet
    listener: Listener
    playbooks: Playbooks
    limit: frozenset[str] = frozenset()
    accept_new_keys: frozenset[str] = frozenset()
    new_keys_for: frozenset[str] = frozenset()
    measure_ways: bool = False
    most_mtu: int = 1500
    try_direct: bool = False
    may_lose_ssh: bool = False
    adopt: bool = False
    known: InitVar[Topology | None] = None
    topology: Topology = field(init=False)
    seen: dict[str, Observed] = field(default_factory=dict)

    def __post_init__(self, known: Topology | None) -> None:
        self.topology = known or build(self.inventory)

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
        if self.network.direct:
            # Whom they reach without their relay is known only when both are asked.
            peers |= {other for name in self.names for other in self.inventory.hosts if self.may_meet(name, other)}
        return self.asked_for([name for name in self.inventory.hosts if name in self.limit or name in peers])

    def asked_for(self, names: list[str]) -> list[str]:
        """The hosts to be read for the sake of some: all, where only they themselves know their addresses."""
        return names if self._addresses_are_given else list(self.inventory.hosts)

    def ask(self, name: str) -> Ask:
        """What is asked of a host besides what is asked of every host."""
        host = self.inventory.hosts[name]
        ways: list[str] = []
        if not (host.mtu or self.network.mtu):
            ends = (self.topology.hosts[peer].endpoint for peer in self.topology.peers(name))
            ways = list(dict.fromkeys(islice((end.host for end in ends if end), MOST_WAYS)))
        return Ask(host.listen_port, host.private_key, tuple(ways), self.measure_ways, adopt=self.adopt)

    @property
    def asks(self) -> dict[str, Ask]:
        return {name: self.ask(name) for name in self.inventory.hosts}

    # --- gather

    def gather(
        self,
        names: Iterable[str],
        *,
        tolerant: bool = False,
        traffic: bool = True,
        ahead: Definitions = NONE,
    ) -> dict[str, HostError]:
        """Ask hosts everything. Raises HostsFailed unless `tolerant`; then what failed is returned.

        `traffic`: what their sessions have carried, too, which no plan depends on. `ahead`: what the hosts of this run
        are told meanwhile, for later.
        """

        def work(name: str) -> Observed:
            self.listener.event(name, "connect")
            shell = self.fleet.open(name)
            ask = replace(self.ask(name), brief=not traffic)
            _, seen = gather(shell, self.network, ask, ahead=ahead if name in self.names else NONE)
            self.listener.event(name, "gathered")
            return seen

        seen, failed = self.fleet.each(names, work)
        self.seen.update(seen)
        self._adopt_addresses()
        self._adopt_shortcuts()
        for name, error in failed.items():
            self.listener.event(name, "failed", str(error))
        if failed and not tolerant:
            raise HostsFailed(list(failed.values()))
        return failed

    @property
    def _addresses_are_given(self) -> bool:
        return all(len(host.given) == len(self.network.subnets) for host in self.inventory.members.values())

    def _adopt_addresses(self) -> None:
        """Hosts to which the inventory gives no address keep the one they have; others get what nobody has."""
        if self._addresses_are_given:
            return
        ours = {n: s for n, s in self.seen.items() if s.is_ours(self.network)}
        real = self._addresses_of_devices()
        real |= {n: tuple(a.ip for card, a in s.addresses if card == self.network.interface) for n, s in ours.items()}
        # What was only supposed of those who could not be asked gives way to what others really have.
        sure = {address for own in real.values() for address in own}
        others = {n: m.addresses for n, m in self.inventory.members.items() if n not in self.seen and n not in real}
        had = {name: tuple(a for a in own if a not in sure) for name, own in others.items()} | real
        nets = (ip_network(text) for s in ours.values() for peer in s.peers.values() for text in peer.allowed_ips)
        taken = {net.network_address for net in nets if net.prefixlen == net.max_prefixlen}
        inventory = assign(self.inventory, had, taken - {a for own in had.values() for a in own})
        if inventory != self.inventory:
            self.inventory, self.topology = inventory, build(inventory, self.topology.shortcuts)

    def _adopt_shortcuts(self) -> None:
        """Two spokes that both send each other's packets without the relay go on so."""
        if not self.network.direct:
            return
        names = {key: name for name, key in self.keys.items()}
        carry: dict[str, dict[str, Shortcut]] = defaultdict(dict)
        for name, seen in self.seen.items():
            for key, peer in seen.peers.items() if seen.is_ours(self.network) else ():
                other = names.get(key)
                if other and other in self.seen and peer.allowed_ips and self.may_meet(name, other):
                    carry[name][other] = Shortcut(carries=True)
        both = {n: {o: s for o, s in others.items() if n in carry.get(o, {})} for n, others in carry.items()}
        self.use_shortcuts(both)

    def use_shortcuts(self, shortcuts: Mapping[str, Mapping[str, Shortcut]]) -> None:
        """Let some spokes reach each other without their relay."""
        found = {name: others for name, others in shortcuts.items() if others}
        if found != self.topology.shortcuts:
            self.topology = build(self.inventory, found)

    def may_meet(self, one: str, other: str) -> bool:
        """True for two hosts behind NAT that nothing but a relay brings together."""
        hosts = self.inventory.hosts
        if one not in hosts or other not in hosts or one == other or hosts[one].endpoint or hosts[other].endpoint:
            return False
        return self.topology.relay_of(one) is not None and self.topology.relay_of(other) is not None

    def _addresses_of_devices(self) -> dict[str, tuple[IPAddress, ...]]:
        """What the peers of our devices let them have."""
        names = {device.public_key: name for name, device in self.inventory.devices.items() if device.public_key}
        found = {}
        for seen in self.seen.values():
            for key, peer in seen.peers.items() if seen.is_ours(self.network) else ():
                if key in names:
                    found[names[key]] = tuple(ip_network(text).network_address for text in peer.allowed_ips)
        return found

    @property
    def keys(self) -> dict[str, str]:
        """The public keys known so far, by host. Raises where two hosts show the same one."""
        keys = {name: device.public_key for name, device in self.inventory.devices.items() if device.public_key}
        for name, seen in self.seen.items():
            key = seen.offered_key or seen.key_file_public or seen.public_key
            if name in self.new_keys_for:
                key = min(seen.next_keys, default="")
            if key:
                keys[name] = key
        owner: dict[str, str] = {}
        for name, key in keys.items():
            twin = owner.setdefault(key, name)
            if twin != name:
                saw = f"it has the same key as {twin} ({key[:8]}…)"
                fix = f"one is a copy of the other: delete {self.network.directory}/private_key on one of them"
                raise HostsFailed([Unfit(name, "use its key", saw, fix)])
        return keys

    def through_tunnel(self, name: str) -> bool:
        """True where our SSH session to a host came through the tunnel that is to be changed."""
        return self.seen[name].login_card == self.network.interface

    # --- plan

    @property
    def mtu(self) -> int:
        """What fits through every tunnel of the network: as was found when each host joined it, and now where asked."""
        found = [self.most_mtu]
        for name, seen in self.seen.items():
            known = seen.boot_header.get("mtu", "")
            if self.inventory.hosts[name].mtu:
                continue
            if known.isdigit() and not self.measure_ways:
                found.append(int(known))
            else:
                found.append(room(self.topology.desired(name), seen))
        return min(found)

    def secrets_of(self, name: str) -> dict[str, str]:
        """The files of the preshared keys that a host has in common with each peer, or is to have."""
        found = {}
        for link in self.topology.desired(name).links:
            if link.preshared and link.peer in self.seen:
                common = _shared(self.seen[name], link.peer) & _shared(self.seen[link.peer], name)
                found[link.peer] = f"psk.{link.peer}.{min(common, default='<new>')}"
        return found

    def new_secrets(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        """Preshared keys for those pairs that have none in common: by host and file name. Nothing else ever holds them."""
        among = set(names)
        made: dict[str, dict[str, str]] = defaultdict(dict)
        for name in sorted(among):
            for peer, file in self.secrets_of(name).items():
                if file.endswith("<new>") and peer in among and name < peer:
                    secret = b64encode(token_bytes(32)).decode()
                    digest = sha256(f"{secret}\n".encode()).hexdigest()[:DIGEST]
                    made[name][f"psk.{peer}.{digest}"] = secret
                    made[peer][f"psk.{name}.{digest}"] = secret
        return made

    def plans(self) -> dict[str, HostPlan]:
        """The plan of every host that was seen. Raises HostsFailed with all that stands in the way."""
        steps = self.playbooks.up
        keys = self.keys
        accepted = self.accept_new_keys | self.new_keys_for
        failed: list[HostError] = list(changed_keys(self.topology, self.seen, keys, accepted))
        mtu = self.mtu
        if mtu < NEEDED_BY_IPV6 and any(subnet.version == 6 for subnet in self.network.subnets):
            narrow = min(self.seen, key=lambda n: room(self.topology.desired(n), self.seen[n]))
            saw = f"what fits on the way to its peers leaves {mtu} bytes in the tunnel; IPv6 needs {NEEDED_BY_IPV6}"
            raise HostsFailed([Unfit(narrow, "carry IPv6", saw, "leave IPv6 out of network.subnet; IPv4 works")])
        plans: dict[str, HostPlan] = {}
        for name, seen in self.seen.items():
            aside = bool(self.limit) and name not in self.limit
            if aside and not seen.is_ours(self.network):
                continue
            desired = self.topology.desired(name)
            found = [] if aside else list(conflicts(desired, seen))
            more = (keys, steps.runs_for(name), self.secrets_of(name), mtu)
            after_start = None
            try:
                want = wanted(desired, seen, *more)
                if name in self.topology.shortcuts:
                    after_start = wanted(self.topology.without_shortcuts.desired(name), seen, *more)
            except Unfit as error:
                found = found or [error]
            failed += found
            if found:
                continue
            if aside:
                want = only_entries_of(self.limit, want, seen.state(self.network), keys)
            plan = plan_host(name, self.network, want, seen, steps, after_start)
            plan = replace(plan, notes=(*plan.notes, *ways_back(desired, seen)))
            if aside and not plan.do:
                continue
            plans[name] = with_names(plan, {key: name for name, key in keys.items()})
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
            old_peers = plan.have.peers
            fresh = {
                p.name
                for key, p in plan.want.peers.items()
                if everything or key not in old_peers or old_peers[key].preshared != p.preshared
            }
            found[name] = Since(self.seen[name].clock, frozenset(fresh))
        return found


def with_names(plan: HostPlan, names: Mapping[str, str]) -> HostPlan:
    """A plan in which peers are called by their names, where those are known by their keys."""

    def told(changes: Iterable[Change]) -> tuple[Change, ...]:
        return tuple(replace(c, what=_name_key(c.what, names)) if c.step == "peers" else c for c in changes)

    make_undo = plan.make_undo
    return replace(plan, have=named(plan.have, names), do=told(plan.do), make_undo=lambda: told(make_undo()))


def _name_key(what: str, names: Mapping[str, str]) -> str:
    for key, name in names.items():
        if what == f"peer {key[:8]}…":
            return f"peer {name}"
    return what


def _shared(seen: Observed, peer: str) -> set[str]:
    """The digests in the names of a host's files for a peer, where each is the digest of what the file holds."""
    files = ((name.split("."), digest) for name, digest in seen.secrets.items())
    return {words[2] for words, digest in files if words[1:-1] == [peer] and digest.startswith(words[2])}


def check_names(inventory: Inventory, names: Iterable[str]) -> frozenset[str]:
    """The hosts that --limit names. Raises UsageError for one that is not in the inventory."""
    for name in names:
        if name not in inventory.hosts:
            hint = suggest(name, inventory.hosts)
            raise UsageError(
                f'there is no host "{name}" in {inventory.path}.{hint}\n    fix: one of {", ".join(inventory.hosts)}'
            )
    return frozenset(names)
