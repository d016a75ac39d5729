"""What on a host stands in the way of a wish, each with the way out, so that nothing is begun that cannot end well."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatchcase

from wgorch.base.ip import Prefixes, as_ip
from wgorch.errors import HostError, Unfit
from wgorch.facts.links import Route
from wgorch.facts.observed import Observed
from wgorch.inventory.model import IPNetwork
from wgorch.plan.target import IPV6_OFF, egress_interface
from wgorch.state.rules import foreign_rules
from wgorch.topology.desired import Desired

OWNERS = {
    "docker": "Docker",
    "br-": "Docker",
    "tailscale": "Tailscale",
    "wt": "NetBird",
    "zt": "ZeroTier",
    "nebula": "Nebula",
    "easytier": "EasyTier",
    "virbr": "libvirt",
    "cni": "a container network",
}
"""Whose a card is, by how its name begins."""


def blockers(desired: Desired, seen: Observed) -> Iterator[HostError]:
    """Everything on the host that stands in the way of the wish, so that nothing is begun that cannot end well."""
    network, name = desired.network, desired.name
    tunnel = network.interface
    card = seen.cards.get(tunnel)
    if seen.uid != 0:
        yield Unfit(
            name, "change the network", f"the login is not root (uid {seen.uid})", "log in as root, or allow sudo -n"
        )
    if seen.adopted:
        yield from adoption_blockers(name, tunnel, seen)
        yield from _richer_routes(desired, seen)
    if seen.has_firewalld and seen.zone_elsewhere and (desired.forwards or desired.host.endpoint):
        problem = f"firewalld has {tunnel} in its zone {seen.zone_elsewhere} already, and a card can be in one only"
        hint = f"firewall-cmd --zone={seen.zone_elsewhere.removesuffix('.xml')} --remove-interface={tunnel}, and the same with --permanent"
        yield Unfit(name, f"put {tunnel} into a zone of its own", problem, hint)
    if seen.no_net_admin:
        hint = "in a container: --cap-add NET_ADMIN, and /dev/net/tun where the kernel has no WireGuard"
        yield Unfit(name, "change the network", "root may not change the network there (no CAP_NET_ADMIN)", hint)
    if "ip" not in seen.tools and not seen.state(network).manager:
        yield Unfit(name, "read its network", "there is no ip of iproute2's", "install iproute2 there")
    if card is not None and not seen.is_managed(network):
        peers = ", ".join(peer[:8] + "…" for peer in seen.peers) or "no peers"
        problem = f"{tunnel} exists and is not ours ({peers})" if not card.alias else f"{tunnel} is {card.alias}'s"
        yield Unfit(name, f"make {tunnel}", problem, "--adopt takes it over as it is; or network.interface: wg1")
    if card is None and seen.port_taken:
        problem = f"UDP port {desired.host.listen_port} is in use there"
        yield Unfit(name, f"listen on UDP {desired.host.listen_port}", problem, f"another listen_port for {name}")
    if not seen.kernel_wireguard and not desired.host.wireguard_go and card is None:
        problem = f"kernel {seen.kernel} has no WireGuard, and wireguard_go is false"
        yield Unfit(name, f"make {tunnel}", problem, "a kernel from 5.6 on, or wireguard_go: true")
    if seen.key_file and desired.host.private_key and "wg" in seen.tools and not seen.source_key:
        problem = f"{' '.join(desired.host.private_key)} prints no key there"
        yield Unfit(name, "take its key", problem, "correct private_key, or put the key there")
    if desired.exit_sources and not any(egress_interface(seen, net.version, tunnel) for net in desired.exit_sources):
        yield Unfit(name, "let others go out into the world", "it has no default route", "another exit for them")
    if any(a.version == 6 for a in desired.host.addresses) and seen.sysctls.get(IPV6_OFF, "1") == "1":
        problem = "IPv6 is switched off there (net.ipv6.conf.default.disable_ipv6)"
        yield Unfit(
            name, f"give {tunnel} an IPv6 address", problem, "switch it on, or leave IPv6 out of network.subnet"
        )
    for chain, rules in seen.state(network).chains.items():
        for foreign in foreign_rules(rules, network.mark):
            if not foreign.can_be_restated:
                action = f"keep a rule of others in its chain {chain.name}"
                yield Unfit(
                    name, action, f"it has characters that cannot be handed on: {foreign}", "move that rule elsewhere"
                )
    if seen.key_file and "wg" in seen.tools and not seen.key_file_public:
        problem = f"{network.directory}/private_key is not a key"
        yield Unfit(name, "use its key", problem, "restore it from a backup, or delete that file for a new key")
    yield from _routes_in_the_way(desired, seen)
    yield from _foreign_firewall(desired, seen)


def adoption_blockers(name: str, tunnel: str, seen: Observed) -> Iterator[HostError]:
    """What of a live interface could not be given back if taking it over failed."""
    hint = "leave it as it is; a network of its own can be beside it: network.interface: wg1"
    if any(peer.preshared == "other" for peer in seen.peers.values()):
        problem = "its peers have preshared keys, which cannot be taken over yet"
        yield Unfit(name, f"take over {tunnel}", problem, hint)
    if seen.fwmark:
        problem = f"everything leaves by it (fwmark {seen.fwmark:#x}), which cannot be taken over yet"
        yield Unfit(name, f"take over {tunnel}", problem, hint)


def _richer_routes(desired: Desired, seen: Observed) -> Iterator[HostError]:
    """Routes into a live interface that say more than ours do, and would not come back whole."""
    tunnel = desired.network.interface
    for route in seen.routes:
        if route.card == tunnel and route.subnet in desired.routes and not route.plain:
            problem = f"its route to {route.subnet} has more than a card (src, mtu …), which would be lost"
            yield Unfit(desired.name, f"take over {tunnel}", problem, f"ip route replace {route.subnet} dev {tunnel}")


def _routes_in_the_way(desired: Desired, seen: Observed) -> Iterator[HostError]:
    network, name = desired.network, desired.name
    tunnel, subnets = network.interface, (*network.subnets, *desired.routes)
    addresses = [(card, address) for card, address in seen.addresses if card != tunnel]
    cards = Prefixes((address.network, (card, address)) for card, address in addresses)
    clashes = {subnet: [found] for subnet in subnets if (found := cards.of(subnet.network_address))}
    for card, address in addresses:
        if larger := desired.tunnel_prefixes.of(address.network.network_address):
            clashes.setdefault(larger, []).append((card, address))
    others: dict[IPNetwork, list[Route]] = defaultdict(list)
    for route in seen.routes:
        if route.card != tunnel:
            others[route.subnet].append(route)
    client = as_ip(seen.ssh_client)
    way_back = seen.route_to(client) if client else None
    ours = desired.tunnel_prefixes.of(client) if client and way_back and way_back.card != tunnel else None
    suspects = {*clashes, *others, ours}
    for subnet in (subnet for subnet in subnets if subnet in suspects):
        for card, address in dict.fromkeys(clashes.get(subnet, ())):
            owner = next((name for start, name in OWNERS.items() if card.startswith(start)), "")
            problem = f"{card}{owner and f' ({owner})'} has {address}, which overlaps {subnet}"
            yield Unfit(name, f"send {subnet} into the tunnel", problem, "renumber one of them")
        for route in others.get(subnet, ()):
            way = f"via {route.gateway} " if route.gateway else ""
            problem = f"a route to {subnet} {way}dev {route.card} is there already"
            yield Unfit(
                name, f"send {subnet} into the tunnel", problem, "remove that route, or the subnet from the inventory"
            )
        if subnet == ours:
            problem = f"our own SSH session comes from {client}, which lies in {subnet}"
            yield Unfit(
                name, f"send {subnet} into the tunnel", problem, "reach the host by another way, or narrow the subnet"
            )


def _foreign_firewall(desired: Desired, seen: Observed) -> Iterator[HostError]:
    """Base chains of nft that would drop what no rule of theirs accepts: an accept elsewhere does not help."""
    tunnel, port = desired.network.interface, desired.host.listen_port
    forwards = desired.forwards_between_peers or desired.lans or desired.exit_sources
    for chain in seen.foreign_chains:
        if not chain.refuses:
            continue
        place = f"{chain.table} {chain.name}"
        if chain.hook == "forward" and forwards and not any(_may_pass(rule, tunnel) for rule in chain.allowed):
            action = f"let packets of {tunnel} through"
            rules = [f"nft insert rule {place} {way} {tunnel} accept" for way in ("iifname", "oifname")]
        elif (
            chain.hook == "input"
            and desired.host.endpoint
            and not any(_may_enter(rule, port) for rule in chain.allowed)
        ):
            action = f"let UDP {port} in"
            rules = [f"nft insert rule {place} udp dport {port} accept"]
        else:
            continue
        hint = f"{'; '.join(rules)}; and the same where that table is made (/etc/nftables.conf?)"
        problem = f"the nft table {chain.table} drops in its chain {chain.name}: {chain.refuses}"
        yield Unfit(desired.name, action, problem, hint)


# Refused is only what certainly drops: a rule that may accept is tried, and what does not come through is traced.


def _may_pass(rule: str, tunnel: str) -> bool:
    """True unless an nft rule that accepts is about answers, single ports, or other cards than the tunnel's."""
    if "ct state" in rule and not re.search(r"\b(new|untracked)\b", rule):
        return False
    if re.search(r"\b[di]port\b|\bdport\b|\bsport\b|\bicmp", rule):
        return False
    cards = [re.findall(r'"([^"]+)"', part) for part in re.findall(r'\b[io]if(?:name)? ({[^}]*}|"[^"]*")', rule)]
    return not cards or any(fnmatchcase(tunnel, card) for named in cards for card in named)


def _may_enter(rule: str, port: int) -> bool:
    """True unless an nft rule that accepts is about answers, other protocols, other ports, or the host's own card."""
    if "ct state" in rule and not re.search(r"\b(new|untracked)\b", rule):
        return False
    if re.search(r'\biif(?:name)? "?lo"?|\btcp\b|\bicmp(?:v6)?\b|\bip protocol (?!udp)', rule):
        return False
    told = re.search(r"\budp dport ({[^}]*}|\S+)", rule)
    if told is None or "@" in told[1]:
        return True
    ranges = [part.strip().split("-") for part in told[1].strip("{} ").split(",")]
    return any(r[0].isdigit() and int(r[0]) <= port <= int(r[-1]) for r in ranges if r[-1].isdigit()) or "!=" in told[1]
