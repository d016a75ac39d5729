"""Blockers: what on a host makes a plan impossible, each with its remedy, so that no change begins in vain."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from wgorch.base.ip import Prefixes
from wgorch.base.sh import quote, quote_words
from wgorch.errors import HostError, Locked, Unfit
from wgorch.facts.files import FORMAT
from wgorch.facts.sysctls import IPV6_OFF
from wgorch.facts.wireguard import WireGuard
from wgorch.gather.observed import Observed
from wgorch.inventory.model import MARK, IPNetwork, Network
from wgorch.plan.foreign_firewall import firewall_blockers
from wgorch.plan.route_conflicts import route_blockers
from wgorch.state.rules import foreign_rules
from wgorch.steps import dns, exits
from wgorch.topology.desired import Desired


def blockers(desired: Desired, seen: Observed) -> Iterator[HostError]:
    """Everything on a host that makes its plan impossible."""
    yield from format_blockers(desired.name, desired.network, seen)
    yield from file_blockers(desired.name, desired.network, seen)
    if renamed := [*_renamed(desired.name, desired.network, seen), *_other_networks(desired, seen)]:
        # What the old interface holds would look like another's below.
        yield from renamed
        return
    yield from _rights(desired, seen)
    yield from _interface(desired, seen)
    yield from _keys(desired, seen)
    yield from _traffic(desired, seen)
    yield from _firewall(desired, seen)
    yield from route_blockers(desired, seen)
    yield from firewall_blockers(desired, seen)


def _renamed(name: str, network: Network, seen: Observed) -> Iterator[HostError]:
    for old in seen.marked(network):
        if not network.may_have(old):
            problem = f"network {network.name} runs as {old} there"
            hint = f"set interface: {old} again; or wgorch teardown, which finds {old} by its mark, and then up"
            yield Unfit(name, f"use interface {network.interface}", problem, hint)


def _other_networks(desired: Desired, seen: Observed) -> Iterator[HostError]:
    """Networks of wgorch under another name that hold what this one needs; maybe this one, before it was renamed."""
    network = desired.network
    wanted = (*network.subnets, *desired.routes)
    for interface, device in seen.links.devices.items():
        if not device.alias.startswith(MARK) or device.alias == network.mark:
            continue
        other, shared = device.alias.removeprefix(MARK), _shared(wanted, seen.links.networks_of(interface))
        if interface in desired.interfaces or shared:
            has = f" and has {shared}" if shared else ""
            problem = f"network {other} of wgorch runs as {interface} there{has}"
            hint = (
                f"if this one was renamed: wgorch teardown --network {quote(other)}, then up; to have both, give this one "
                "another interface, subnet and listen_port"
            )
            yield Unfit(desired.name, f"set up network {network.name}", problem, hint)


def _shared(wanted: Iterable[IPNetwork], there: Iterable[IPNetwork]) -> IPNetwork | None:
    """A network of the one set that overlaps one of the other."""
    wanted, there = tuple(wanted), tuple(there)
    for nets, others in ((wanted, there), (there, wanted)):
        prefixes = Prefixes((net, net) for net in nets)
        for other in others:
            if prefixes.of(other.network_address):
                return other
    return None


def format_blockers(name: str, network: Network, seen: Observed) -> Iterator[HostError]:
    """Files of a newer version of wgorch, which this one cannot read."""
    if seen.files.format > FORMAT:
        problem = f"{network.directory} has format {seen.files.format}, and this wgorch reads up to {FORMAT}"
        since = seen.files.boot_header.get("since", "")
        known = re.fullmatch(r"\d[\w.]{0,20}", since)
        hint = f"get wgorch {since} or newer on this machine" if known else "upgrade wgorch on this machine"
        yield Unfit(name, f"manage network {network.name}", problem, hint)


def unreadable_blockers(name: str, network: Network, seen: Observed, tables: Iterable[str]) -> Iterator[HostError]:
    """Tables of iptables that could not be read, of those that a plan touches: what is in them is not known."""
    for table in sorted(set(tables)):
        why = seen.firewall.is_unreadable(table)
        if why and table not in seen.firewall.unreadable:
            hint = "install the matches comment, conntrack, tcp, udp and the targets MASQUERADE, TCPMSS (xtables, kmod-ipt-…)"
            yield Unfit(name, "use iptables", why, hint)
            return
        if why:
            family, plain = ("ip6", table[:-1]) if table.endswith("6") else ("ip", table)
            problem = f"iptables-save does not show table {plain}: {why}" if family == "ip" else f"table {plain}: {why}"
            hint = (
                f"nft -a list table {family} {plain} shows them; move what iptables did not make into a table of its own "
                "(nft add table inet admin)"
            )
            yield Unfit(name, f"read the firewall ({family} {plain})", problem, hint)


def file_blockers(name: str, network: Network, seen: Observed) -> Iterator[HostError]:
    """Files of wgorch that others could put programs into, which root runs; and a record that cannot be read."""
    if seen.files.damaged:
        path = f"{network.directory}/recorded"
        hint = "restore it from a backup; or delete it, and restore forwarding sysctls and empty tables by hand"
        yield Unfit(name, f"use {network.directory}", f"{path} is damaged: it says what was there before wgorch", hint)
    for entry in seen.files.listing:
        if entry.fault:
            path = quote(entry.path)
            hint = f"find out who did that; then: chown root {path}; chmod go-w {path}; or move it away"
            yield Unfit(name, f"use {network.directory}", f"{entry.path} {entry.fault}", hint)


def mark_blockers(name: str, network: Network, seen: Observed) -> Iterator[HostError]:
    """An interface with the network's own key that has lost its mark: the mark alone does not say whose it is."""
    tunnel, device = network.interface, seen.links.devices.get(network.interface)
    if device is None or device.alias or seen.adopted or not seen.keys.public:
        return
    if seen.wg(network).public_key == seen.keys.public:
        if seen.is_locked and seen.files.lock:
            # It is being made: the mark comes a moment after the key.
            who = seen.files.lock.who
            yield Locked(name, f"use {tunnel}", f"{who} is changing it", f"wait (--wait SECONDS), or contact {who}")
            return
        problem = f"{tunnel} has the key of network {network.name}, but not its mark"
        hint = f"if it is this network's: {quote_words(['ip', 'link', 'set', 'dev', tunnel, 'alias', network.mark])}"
        yield Unfit(name, f"use {tunnel}", problem, hint)


def _rights(desired: Desired, seen: Observed) -> Iterator[HostError]:
    action, system = "change the network", seen.system
    if system.uid != 0:
        yield Unfit(
            desired.name, action, f"the login is not root (uid {system.uid})", "log in as root, or allow sudo -n"
        )
    if not system.net_admin:
        hint = "in a container: --cap-add NET_ADMIN, and /dev/net/tun where the kernel has no WireGuard"
        yield Unfit(desired.name, action, "root lacks CAP_NET_ADMIN", hint)
    if "ip" not in system.tools and not seen.state(desired.network).manager:
        yield Unfit(desired.name, "read its network", "iproute2 is not installed", "install iproute2")


def _interface(desired: Desired, seen: Observed) -> Iterator[HostError]:
    network, name, port = desired.network, desired.name, desired.host.listen_port
    tunnel = network.interface
    device = seen.links.devices.get(tunnel)
    if seen.adopted:
        yield from adoption_blockers(name, tunnel, seen.wg(network))
        yield from _richer_routes(desired, seen)
    lost = list(mark_blockers(name, network, seen))
    yield from lost
    if device is not None and not seen.is_managed(network) and not lost:
        peers = ", ".join(peer[:8] + "…" for peer in seen.wg(network).peers) or "no peers"
        problem, hint = f"{tunnel} exists and is not managed by wgorch ({peers})", "--adopt adopts it as it is; or "
        if device.alias:
            problem = f"{tunnel} belongs to {device.alias}"
        if not seen.wg(network).public_key:
            problem, hint = f"{tunnel} exists and is no WireGuard interface with a key", ""
        yield Unfit(name, f"create {tunnel}", problem, f"{hint}set network.interface: wg1")
    fields = {port: "listen_port"} | dict.fromkeys(
        desired.ports.values(), "relay_port" if desired.host.relay else "standby_port"
    )
    own = {wg.listen_port for i, wg in seen.wireguard.items() if i in seen.interfaces(network)}
    for taken in sorted((seen.system.ports_taken & fields.keys()) - own):
        yield Unfit(
            name, f"listen on UDP {taken}", f"UDP port {taken} is in use", f"set another {fields[taken]} for {name}"
        )
    for other in desired.ports:
        if other in seen.links.devices and other not in seen.interfaces(network):
            alias = seen.links.devices[other].alias
            problem = f"{other} exists and {f'belongs to {alias}' if alias else 'is not managed by wgorch'}"
            yield Unfit(name, f"create {other}", problem, "rename it, or set network.interface: wg1")
    if device is None and not seen.system.kernel_wireguard and not desired.host.wireguard_go:
        problem = f"kernel {seen.system.kernel} has no WireGuard, and wireguard_go is false"
        yield Unfit(name, f"create {tunnel}", problem, "run Linux 5.6 or newer, or set wireguard_go: true")


def adoption_blockers(name: str, tunnel: str, wg: WireGuard) -> Iterator[HostError]:
    """What of a live interface could not be restored if adopting it failed."""
    action, hint = f"adopt {tunnel}", "leave it as it is; create another beside it: network.interface: wg1"
    if wg.fwmark:
        yield Unfit(name, action, f"it is a default route (fwmark {wg.fwmark:#x}), which cannot be adopted yet", hint)


def _richer_routes(desired: Desired, seen: Observed) -> Iterator[HostError]:
    """Routes into a live interface with attributes that wgorch does not state."""
    tunnel = desired.network.interface
    for route in seen.links.routes:
        if route.device == tunnel and route.subnet in desired.routes and not route.plain:
            problem = f"its route to {route.subnet} has attributes (src, mtu …) that would be lost"
            yield Unfit(desired.name, f"adopt {tunnel}", problem, f"ip route replace {route.subnet} dev {tunnel}")


def _keys(desired: Desired, seen: Observed) -> Iterator[HostError]:
    source, has_wg = desired.host.private_key, "wg" in seen.system.tools
    if seen.keys.exists and has_wg and source and not seen.keys.source:
        problem = f"{' '.join(source)} prints no key"
        yield Unfit(desired.name, "import its key", problem, "correct private_key, or put the key there")
    if seen.keys.exists and has_wg and not seen.keys.public:
        problem = f"{desired.network.directory}/private_key is not a key"
        yield Unfit(desired.name, "use its key", problem, "restore it from a backup, or delete it for a new key")


def _traffic(desired: Desired, seen: Observed) -> Iterator[HostError]:
    tunnel = desired.network.interface
    leaving = {net.version for net in desired.exit_sources}
    if leaving and not any(seen.links.egress_interface(version, tunnel) for version in leaving):
        yield Unfit(desired.name, "act as exit node", "no default route", "choose another exit")
    if desired.host.exit and exits.used_by_other(seen.answers, desired.network.table):
        problem = "another network of wgorch routes all other traffic there already"
        yield Unfit(desired.name, "use an exit node", problem, "leave exit out of one of the two")
    if desired.host.dns and (other := dns.set_by(seen.answers)) not in ("", desired.network.name):
        problem = f"network {other} of wgorch sets them there already"
        yield Unfit(desired.name, "set its name servers", problem, "leave dns out of one of the two")
    if any(a.version == 6 for a in desired.host.addresses) and seen.sysctls.get(IPV6_OFF, "1") == "1":
        problem = "IPv6 is disabled (net.ipv6.conf.default.disable_ipv6)"
        hint = "enable it, or leave IPv6 out of network.subnet"
        yield Unfit(desired.name, f"give {tunnel} an IPv6 address", problem, hint)


def _firewall(desired: Desired, seen: Observed) -> Iterator[HostError]:
    tunnel, mark, zone = desired.network.interface, desired.network.mark, seen.firewall.zone_elsewhere
    if seen.firewall.has_firewalld and zone and (desired.forwards or desired.host.all_ways):
        problem = f"firewalld has {tunnel} in zone {zone}, and an interface belongs to one zone only"
        command = quote_words(["firewall-cmd", f"--zone={zone.removesuffix('.xml')}", f"--remove-interface={tunnel}"])
        yield Unfit(desired.name, f"put {tunnel} into its own zone", problem, f"{command}, and again with --permanent")
    for chain, rules in seen.state(desired.network).chains.items():
        for rule in foreign_rules(rules, mark):
            if not rule.can_be_restated:
                problem = f"it has characters that iptables-restore would not keep: {rule}"
                yield Unfit(
                    desired.name, f"keep a foreign rule in chain {chain.name}", problem, "move that rule elsewhere"
                )
