"""Plans of all hosts of a network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field, replace

from wgorch.base.value import value
from wgorch.base.wgkey import names_by_key
from wgorch.errors import HostError, HostsFailed, Unfit
from wgorch.facts.files import APPROVE
from wgorch.facts.path_mtu import NEEDED_BY_IPV6
from wgorch.facts.wireguard import Traffic
from wgorch.gather.observed import Observed
from wgorch.inventory.approval import ApprovalRule
from wgorch.inventory.model import Host
from wgorch.plan.absent import keys_held
from wgorch.plan.blockers import blockers, unreadable_blockers
from wgorch.plan.changed_keys import changed_keys
from wgorch.plan.host import HostPlan, named, plan_host
from wgorch.plan.members import Record, compose, device_files, keepers, parse, recorded_files, recorded_with
from wgorch.plan.notes import Note, loss_notes, relay_notes, return_routes, routes_inside
from wgorch.plan.playbook import Playbook
from wgorch.plan.policy import cuts_ssh, policy_notes, unenforced
from wgorch.plan.preshared import secrets_of
from wgorch.plan.scope import limit_to, moves_entries
from wgorch.state.state import State
from wgorch.steps import target_state
from wgorch.steps.interface import tunnel_mtu
from wgorch.steps.target import Target
from wgorch.topology.desired import Desired
from wgorch.topology.topology import Topology


@value
class NetworkFacts:
    """What the plans of a network rest on.

    `keys`: public keys by host; `mtu`: of every tunnel, in bytes; `absent`: hosts that were not reached.
    """

    topology: Topology
    seen: Mapping[str, Observed]
    keys: Mapping[str, str]
    mtu: int
    absent: frozenset[str] = frozenset()
    record: Record = Record()
    """The newest record of the members."""
    leaving: Mapping[str, Host] = field(default_factory=dict)
    """Hosts that left the network and are not taken down yet."""
    left_keys: Mapping[str, str] = field(default_factory=dict)
    """Their public keys, as recorded."""
    now: int = 0
    """UNIX time of the controller."""
    author: str = ""
    """``user@host`` of the controller."""
    drains: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    """Whether a relay is to be drained, by host and relay; others stay as they are."""

    @property
    def has_traffic(self) -> bool:
        """True where handshakes were read, too."""
        return any(there.wg(self.topology.inventory.network).traffic for there in self.seen.values())

    def left_out(self, limit: frozenset[str]) -> list[str]:
        """Hosts that get no key in this run and have shown none: absent ones, and those beyond the limit."""
        hosts = self.topology.inventory.hosts
        return [n for n in hosts if n in self.absent or (limit and n not in limit and n not in self.keys)]


def plan_network(
    facts: NetworkFacts, playbook: Playbook, limit: frozenset[str], accepted: frozenset[str]
) -> dict[str, HostPlan]:
    """The plan of every host that was read. Raises HostsFailed with every blocker.

    `limit`: the hosts to change, all where empty; of the others only their entries for these. `accepted`: hosts whose
    key may be another than their peers hold.
    """
    failed: list[HostError] = list(changed_keys(facts.topology, facts.seen, facts.keys, accepted))
    failed += cuts_ssh(facts.topology, facts.seen)
    left_out, rule = facts.left_out(limit), _approval_rule(facts, limit)
    _check_ipv6(facts)
    plans: dict[str, HostPlan] = {}
    for name, seen in facts.seen.items():
        only_entries = bool(limit) and name not in limit
        if only_entries and not seen.is_managed(facts.topology.inventory.network):
            continue
        found = [] if only_entries else list(blockers(facts.topology.desired(name), seen))
        try:
            held = keys_held(facts.topology, seen, left_out, facts.keys.values())
            record = _record(facts, name, limit, held)
            plan = _plan(facts, name, playbook, limit if only_entries else frozenset(), held, record, rule)
        except Unfit as error:
            found = found or [error]
        failed += found
        if not found and (plan.do or not only_entries):
            plans[name] = plan
    if failed:
        raise HostsFailed(failed)
    for name in list(plans)[:1]:
        policy = policy_notes(facts.topology, facts.record, name, facts.now)
        plans[name] = replace(plans[name], notes=(*plans[name].notes, *_devices(facts), *policy))
    return plans


NEVER = Traffic()
TABLES = frozenset({"filter", "nat", "mangle"})
"""Tables of iptables that hold chains of wgorch."""


def network_mtu(topology: Topology, seen: Mapping[str, Observed], *, redo: bool = False, most: int = 1500) -> int:
    """The MTU of every tunnel: as found when each host joined, or, with `redo`, as measured now; at most `most`."""
    return min([most, *_mtus(topology, seen, redo=redo)])


def _mtus(topology: Topology, seen: Mapping[str, Observed], *, redo: bool) -> Iterator[int]:
    for name, there in seen.items():
        if topology.inventory.hosts[name].mtu:
            continue
        known = there.files.boot_header.get("mtu", "") if "mtu-given" not in there.files.boot_header else ""
        yield int(known) if known.isdigit() and not redo else tunnel_mtu(topology.desired(name), there)


def _check_ipv6(facts: NetworkFacts) -> None:
    subnets = facts.topology.inventory.network.subnets
    if facts.mtu < NEEDED_BY_IPV6 and any(subnet.version == 6 for subnet in subnets):
        narrow = min(facts.seen, key=lambda n: tunnel_mtu(facts.topology.desired(n), facts.seen[n]))
        problem = f"the path MTU to its peers leaves {facts.mtu} bytes in the tunnel; IPv6 needs {NEEDED_BY_IPV6}"
        raise HostsFailed([Unfit(narrow, "carry IPv6", problem, "leave IPv6 out of network.subnet; IPv4 works")])


def _plan(
    facts: NetworkFacts,
    name: str,
    playbook: Playbook,
    entries_of: frozenset[str],
    held: Mapping[str, str],
    record: tuple[str, str],
    rule: ApprovalRule | None,
) -> HostPlan:
    """The plan of one host. Raises Unfit.

    `entries_of`: only its entries for these hosts may change; `held`: its keys of hosts that are left out; `record`: of
    the members, where it keeps one; `rule`: for approvals.
    """
    topology, seen = facts.topology, facts.seen[name]
    network, desired = topology.inventory.network, topology.desired(name)
    more = (facts.keys, playbook.runs_for(name), secrets_of(topology, facts.seen, name), facts.mtu)
    draining = _drains(facts, name)
    want = target_state(Target(desired, seen, *more, held, record, draining), seen.slices)
    after_start: State | None = None
    if name in topology.direct_peers:
        relayed = topology.without_direct_peers.desired(name)
        linked = {peer: key for peer, key in held.items() if relayed.link(peer)}
        after_start = target_state(Target(relayed, seen, *more, linked, drains=draining), seen.slices)
    names = names_by_key({**facts.left_keys, **facts.keys}) | {key: peer for peer, key in held.items() if key}
    if entries_of:
        if moves_entries(want, seen.state(network)):
            problem = "its interfaces change with the relays, and it is not among the hosts of --limit"
            raise Unfit(name, "change its entries alone", problem, "run wgorch up without --limit first")
        want = limit_to(entries_of, want, named(seen.state(network), names), facts.keys)
    touched = {chain.table for chain in want.chains} | (TABLES if seen.is_managed(network) else frozenset())
    if refused := [*unreadable_blockers(name, network, seen, touched), *unenforced(name, want, playbook)]:
        raise refused[0]
    plan = plan_host(name, network, want, seen, playbook, after_start, names, _header(facts, desired, seen, rule))
    return replace(
        plan,
        notes=(
            *plan.notes,
            *relay_notes(desired, plan.want, plan.have),
            *loss_notes(desired, plan.want, plan.have),
            *return_routes(desired, seen),
            *routes_inside(desired, seen),
            *_left_out(desired, held),
        ),
    )


def _drains(facts: NetworkFacts, name: str) -> dict[str, str]:
    """What is to change of the drained relays of a host: by relay, since when and by whom; empty to end it."""
    who = re.sub(r"[^\w@.:-]", "_", facts.author.partition(",")[0])
    mark = f"{facts.now} {who[:100]}"
    return {relay: mark if drained else "" for (host, relay), drained in facts.drains.items() if host == name}


def _header(facts: NetworkFacts, desired: Desired, seen: Observed, rule: ApprovalRule | None) -> dict[str, str]:
    """What the boot script keeps for later runs: an adopted interface, an MTU that was given, who must approve."""
    adopted = seen.adopted or seen.files.boot_header.get("adopted") == "yes"
    given = desired.host.mtu or desired.network.mtu
    header = ({"adopted": "yes"} if adopted else {}) | ({"mtu-given": "yes"} if given else {})
    if rule is None:
        return header
    since, _, text = seen.files.approval.partition(" ")
    return header | {APPROVE: f"{since if text == rule.text else facts.record.number + 1} {rule.text}"}


def _approval_rule(facts: NetworkFacts, limit: frozenset[str]) -> ApprovalRule | None:
    """The rule for approvals that hosts are to keep; with a limit the recorded one."""
    members = parse(facts.record) if limit and facts.record.text else None
    return members.inventory.approve if members else facts.topology.inventory.approve


def _record(facts: NetworkFacts, name: str, limit: frozenset[str], held: Mapping[str, str]) -> tuple[str, str]:
    """The record of the members that a host keeps, and its first line; empty where it keeps none.

    With a limit, the other hosts stay in it as they are.
    """
    if name not in keepers(facts.topology):
        return "", ""
    inventory, leaving = facts.topology.inventory, facts.leaving
    before = parse(facts.record) if limit or "" in held.values() else None
    if limit:
        inventory, leaving = recorded_with(before, inventory, limit)
    # A keeper may have no entry for an absent host: the record knows its key.
    recorded = before.keys if before else {}
    keys = {**recorded, **{name: key for name, key in held.items() if key}, **facts.keys}
    known = {host: key for host, key in keys.items() if key}
    files = device_files(facts.topology, known, facts.record, facts.now)
    return compose(inventory, known, leaving, files), f"{facts.record.number + 1} {facts.now} {facts.author}"


def _devices(facts: NetworkFacts) -> Iterator[Note]:
    """Devices that no peer knows yet, and those whose file this change makes stale, or an earlier one made."""
    inventory = facts.topology.inventory
    for name, device in inventory.devices.items():
        if not device.public_key:
            yield Note(name, f"no peer knows this device yet: wgorch export {name} --write makes its key")
    before = recorded_files(facts.record)
    for name, (digest, since) in device_files(facts.topology, facts.keys, facts.record, facts.now).items():
        old, _ = before.get(name, (digest, 0))
        key = inventory.devices[name].public_key or ""
        latest = max(
            (s.wg(inventory.network).traffic.get(key, NEVER).handshake for s in facts.seen.values()), default=0
        )
        if digest != old:
            yield Note(name, f"its configuration file is stale after this change: wgorch export {name}")
        elif since and facts.has_traffic and latest < since:
            yield Note(name, f"has not used its new configuration file yet: wgorch export {name}")


def _left_out(desired: Desired, held: Mapping[str, str]) -> Iterator[Note]:
    """Peers without an entry, since their key is not known."""
    for link in desired.links:
        if held.get(link.peer) == "":
            yield Note(
                desired.name, f"no peer {link.peer} yet: it is not reached in this run, and its key is not known"
            )
