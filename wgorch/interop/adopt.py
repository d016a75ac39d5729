"""Generate an inventory from live WireGuard interfaces.

Read-only. ``wgorch up --adopt`` then marks what exists; keys, ports, peers and sessions stay.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from wgorch.base.sh import quote, sh
from wgorch.base.text import visible
from wgorch.base.value import value
from wgorch.errors import HostError, HostsFailed, InventoryError, Unfit, UsageError
from wgorch.gather.observed import Observed
from wgorch.host.programs import uploaded
from wgorch.interop import configurations, yaml
from wgorch.interop.configurations import Configuration
from wgorch.interop.discover import look
from wgorch.interop.live_network import LiveNetwork
from wgorch.inventory.assign import assign
from wgorch.inventory.dump import dump_text
from wgorch.inventory.load import loads
from wgorch.inventory.model import MARK, SshTarget
from wgorch.plan.blockers import adoption_blockers
from wgorch.plan.members import newest, parse
from wgorch.plan.network import NetworkFacts, network_mtu, plan_network
from wgorch.plan.playbook import load_all
from wgorch.remote.fleet import Fleet
from wgorch.steps.routes import ANOTHER_PROTO
from wgorch.topology.topology import build

DEFAULT_KEEPALIVE_S = 25
"""What a host without an endpoint gets from an inventory that does not say."""


@value
class Adoption:
    """An inventory of a live network."""

    text: str
    notes: tuple[str, ...]
    """What to correct or to do by hand."""
    recorded: bool = False
    """True where the network is wgorch's own: nothing is left to adopt."""


def adopt_network(fleet: Fleet, interface: str, name: str) -> Adoption:
    """Generate the inventory of a live network from its hosts; read-only. Raises HostsFailed."""
    seen, failed = look(fleet, interface, name)
    if failed:
        raise HostsFailed(list(failed.values()))
    if managed := managed_networks(seen):
        return _recorded(fleet, managed)
    ssh = {host: fleet.hosts[host].ssh for host in seen}
    files = read_configurations(fleet, seen, interface)
    adoption = adopt(seen, ssh, interface, name, files)
    if moved := list(_moved(LiveNetwork(seen, ssh, interface, files), seen, adoption.text)):
        raise HostsFailed(moved)
    return adoption


def read_configurations(fleet: Fleet, hosts: Iterable[str], interface: str) -> dict[str, list[Configuration]]:
    """The files that make an interface, by host. Raises HostsFailed."""
    program = sh("interface={interface}\n{program}", interface=quote(interface), program=uploaded("configurations.sh"))

    def work(host: str) -> list[Configuration]:
        return configurations.read(fleet.open(host).exchange(program, f"read what makes {interface}", 30))

    found, failed = fleet.on_hosts(hosts, work)
    if failed:
        raise HostsFailed(list(failed.values()))
    return found


def managed_networks(seen: Mapping[str, Observed]) -> dict[str, list[str]]:
    """The networks of wgorch on some hosts: their names, and the hosts of each."""
    found: dict[str, list[str]] = defaultdict(list)
    for host, there in seen.items():
        for device in there.links.devices.values():
            if device.alias.startswith(MARK):
                found[device.alias.removeprefix(MARK)].append(host)
    return dict(found)


def _recorded(fleet: Fleet, managed: Mapping[str, list[str]]) -> Adoption:
    """The inventory of a network of wgorch, from the record that its relays keep. Raises UsageError."""
    (name, hosts), *others = managed.items()
    if others:
        raise UsageError(f"these hosts are in the networks {', '.join(managed)} of wgorch", "name hosts of one of them")
    seen, failed = look(fleet, "wg0", name)
    if failed:
        raise HostsFailed(list(failed.values()))
    record = newest(seen)
    members = parse(record) if record.text else None
    if members is None:
        problem = f"{', '.join(hosts)}: in network {name} of wgorch; no record of its members is here"
        raise UsageError(problem, "name a relay of the network: it keeps the record")
    head = f"Network {name} as its hosts recorded it: revision {record.number}, by {record.who}."
    notes = [
        f"{len(members.inventory.members)} members; key files of the former controller (ssh.identity) are not in it"
    ]
    notes += [f"{host} left the network and was not taken down yet" for host in members.leaving]
    return Adoption(f"# {visible(head)}\n{dump_text(members.inventory)}", tuple(notes), recorded=True)


def adopt(
    seen: Mapping[str, Observed],
    ssh: Mapping[str, SshTarget],
    interface: str,
    network: str,
    files: Mapping[str, Sequence[Configuration]] | None = None,
) -> Adoption:
    """The inventory of hosts by SSH target; `network`: the name it gets; `files`: as read. Raises HostsFailed."""
    failed = [error for host, s in seen.items() for error in _blockers(host, s, interface)]
    if failed:
        raise HostsFailed(failed)
    live = LiveNetwork(seen, ssh, interface, files)
    return Adoption(_text(live, network), tuple(_notes(live)))


KEEPS = ("mark of ", "key of ")
"""Changes of an adoption that move nothing: a key is the same in another file."""
LIVE = frozenset({"interface", "addresses", "peers", "routes", "exit_routes"})
"""Steps whose objects a live network has."""


def _second_addresses(live: LiveNetwork, seen: Mapping[str, Observed]) -> Iterator[HostError]:
    """Hosts with more addresses than an inventory has."""
    for host in seen:
        addresses = live.addresses(host)
        for version in (4, 6):
            its = [address for address in addresses if (":" in address) == (version == 6)]
            if len(its) > 1:
                problem = f"address {', address '.join(its)}: an inventory has one of IPv{version}"
                hint = "remove the others; or leave it as it is, and build another beside it"
                yield Unfit(live.names[host], f"adopt {live.interface}", problem, hint)


def _moved(live: LiveNetwork, seen: Mapping[str, Observed], text: str) -> Iterator[HostError]:
    """What `up --adopt` of an inventory would take from the live network, or add to it. Raises UsageError."""
    if too_many := list(_second_addresses(live, seen)):
        yield from too_many
        return
    try:
        inventory = loads(text)
    except InventoryError as error:
        problem = f"{live.interface} cannot be said as an inventory:\n{error}"
        raise UsageError(
            problem, "name every host of the network; or leave it as it is, and build another beside it"
        ) from None
    places = {live.names[host]: host for host in seen}
    named = {name: replace(seen[host], adopted=True) for name, host in places.items()}
    topology = build(assign(inventory))
    keys = {name: there.wg(inventory.network).public_key for name, there in named.items()}
    keys |= {name: device.public_key for name, device in inventory.devices.items() if device.public_key}
    facts = NetworkFacts(topology, named, keys, network_mtu(topology, named))
    plans = plan_network(facts, load_all("", None, frozenset(named)).up, frozenset(), frozenset(named))
    hint = "leave that network as it is, and build another beside it: network.interface: wg1"
    for name, plan in plans.items():
        for change in plan.do:
            mark = change.sign == "~" and (change.what.startswith(KEEPS) or change.why == ANOTHER_PROTO)
            if change.step in LIVE and not mark:
                verb = {"+": "add", "-": "remove", "~": "change"}[change.sign]
                problem = f"the inventory cannot say what is there: it would {verb} {change.what} ({change.why})"
                yield Unfit(places[name], f"adopt {live.interface}", problem, hint)


def _text(live: LiveNetwork, network: str) -> str:
    """The inventory of a live network."""
    interface = live.interface
    head = f"Generated by `wgorch adopt` from the live interface {interface}. Review it, then: wgorch plan FILE --adopt"
    hosts = sorted(live.seen, key=lambda host: not live.is_relay(host))
    return yaml.document(
        [yaml.comment(head), *yaml.block("network", _network(live, network))],
        yaml.block("hosts", yaml.paragraphs(yaml.block(live.names[host], _host(live, host)) for host in hosts)),
        _devices(live),
    )


def _blockers(host: str, seen: Observed, interface: str) -> Iterator[HostError]:
    action = f"adopt {interface}"
    device, wg = seen.links.devices.get(interface), seen.wireguard.get(interface)
    if device is None or wg is None or not wg.public_key:
        names = ", ".join(sorted(name for name in seen.links.devices if name != "lo"))
        yield Unfit(host, action, f"WireGuard interface {interface} not found (available: {names})", "--interface NAME")
    elif device.alias.startswith(MARK):
        yield Unfit(host, action, f"{interface} is managed by wgorch already ({device.alias})", "use its inventory")
    if wg is not None:
        yield from adoption_blockers(host, interface, wg)


def _network(live: LiveNetwork, name: str) -> Iterator[str]:
    yield yaml.entry("name", name)
    yield yaml.entry("subnet", yaml.one_or_more(live.subnets))
    if live.interface != "wg0":
        yield yaml.entry("interface", live.interface)
    if mtu := _common_mtu(live):
        yield yaml.entry("mtu", str(mtu))
    if live.has_preshared_keys():
        yield yaml.entry("preshared_keys", "true", "those in use are kept")


def _common_mtu(live: LiveNetwork) -> int:
    """The MTU that all hosts have; 0 where they differ."""
    mtus = {live.mtu(host) for host in live.seen}
    return mtus.pop() if len(mtus) == 1 else 0


def _host(live: LiveNetwork, host: str) -> Iterator[str]:
    endpoint, lans, wg = live.endpoint(host), live.lans(host), live.wireguard[host]
    yield yaml.entry("ssh", yaml.scalar(host))
    yield yaml.entry("address", yaml.one_or_more(live.addresses(host)))
    if live.has_single_addresses(host):
        yield yaml.entry("single_address", "true", "without a subnet on the interface")
    if endpoint:
        yield yaml.entry("endpoint", yaml.scalar(endpoint))
    if live.is_relay(host):
        yield yaml.entry("relay", "true", "forwards between its peers")
    if lans:
        yield yaml.entry("subnets", yaml.flow(lans))
    yield yaml.entry("listen_port", str(wg.listen_port))
    keepalives = {peer.persistent_keepalive for peer in wg.peers.values()}
    if keepalives - {DEFAULT_KEEPALIVE_S, 0}:
        yield yaml.entry("persistent_keepalive", str(max(keepalives)))
    elif not endpoint and keepalives == {0}:
        yield yaml.entry("persistent_keepalive", "0")
    if not _common_mtu(live):
        yield yaml.entry("mtu", str(live.mtu(host)))


def _devices(live: LiveNetwork) -> Iterator[str]:
    lines = []
    for peer in live.unknown_peers():
        address = f", address: {yaml.one_or_more(peer.addresses)}" if peer.addresses else ""
        lans = f", subnets: {yaml.flow(peer.behind)}" if peer.behind else ""
        lines.append(yaml.entry(peer.name, f"{{public_key: {yaml.scalar(peer.public_key)}{address}{lans}}}"))
    if lines:
        yield yaml.comment("Peers other than these hosts. Rename them; they stay as they are.")
        yield from yaml.block("devices", lines)


def _notes(live: LiveNetwork) -> Iterator[str]:
    for peer in live.unknown_peers():
        if peer.behind:
            nets = ", ".join(peer.behind)
            yield f"{peer.name} ({peer.public_key[:8]}…) has {nets} behind it: a device with subnets; if SSH reaches it, name it, too"
    if not any(live.endpoint(host) for host in live.seen):
        yield "no host has an endpoint at its peers: add the endpoint of one that is reachable"
    for host, seen in live.seen.items():
        if "wg-quick" in seen.system.managers:
            unit = f"wg-quick@{live.interface}"
            yield f"{live.names[host]}: {unit} also starts this interface: after `up --adopt`, systemctl disable {unit}"
        yield from _of_files(live.names[host], live.files.get(host, ()))


def _of_files(name: str, files: Iterable[Configuration]) -> Iterator[str]:
    """What files do that the inventory does not."""
    for file in files:
        if file.dns:
            yield f"{name}: {file.path} sets name servers, wgorch does not yet: dns: {yaml.flow(file.dns)} makes it"
        if file.commands:
            commands = "; ".join(visible(command) for command in file.commands)
            more = "wgorch makes forwarding and NAT of its own, the rest belongs into a playbook"
            yield f"{name}: {file.path} runs commands at each start ({more}): {commands}"
