"""From what the inventory wants of a host, and that host's own facts, to the State it should be in.

A host's facts decide only about that host: its cards, its package manager. Of another host nothing is used here but its
public key; the MTU, which is the whole network's, is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from wgorch.adapters.firewalld import base_name, files, objects, settings
from wgorch.adapters.nft import translated
from wgorch.adapters.packages import manager_of
from wgorch.adapters.startup import digest, drop_ins, unit_digest
from wgorch.base.assets import asset
from wgorch.base.cache import cached_by_identity
from wgorch.base.ip import as_ip, network_text
from wgorch.errors import Unfit
from wgorch.facts.observed import Observed
from wgorch.facts.path_mtu import tunnel_mtu
from wgorch.inventory.model import IPNetwork
from wgorch.state.change import quote_words
from wgorch.state.rules import Chain, Rule, our_chains, rule, tool
from wgorch.state.state import ROUTE_PROTO, Run, State
from wgorch.state.wireguard import Interface, Peer, PendingKey
from wgorch.topology.desired import Desired, Link

IPV6_OFF = "net/ipv6/conf/default/disable_ipv6"


WATCHING = ("systemd", "runit", "cron")
"""What can also run a program from time to time; OpenRC cannot."""


KEY_FILE_MODE = "-rw-------"


def wanted(
    desired: Desired,
    seen: Observed,
    keys: Mapping[str, str],
    runs: Mapping[str, Run] | None = None,
    secrets: Mapping[str, str] | None = None,
    mtu: int | None = None,
) -> State:
    """The State a host should be in. Raises Unfit.

    `keys`: the public keys known so far, by host; `secrets`: the files of the preshared keys, by peer; `mtu`: what the
    ways between all hosts carry, less WireGuard's bytes (by this host's own card where left out).
    """
    network, host = desired.network, desired.host
    cards = {lan: lan_interface_of(desired, seen, lan) for lan in desired.lans}
    own = keys.get(host.name, PendingKey.of(host.name))
    watching = watch_program(desired, keys)
    chains = dict(_chains(desired, seen, cards))
    base = base_name(network.name)
    rich = settings(base, network.interface, chains) if seen.has_firewalld else frozenset[str]()
    nft: dict[str, str] = {}
    if uses_nft(seen):
        nft = translated(chains)
        # An iptables that drops what it does not know must still let our packets through.
        drops = "iptables" in seen.tools and seen.policies.get(("filter", "FORWARD")) == "DROP"
        chains = {c: rules for c, rules in chains.items() if drops and c.table.startswith("filter")}
    needed = {"ip", "wg", *(f"{tool(chain.table)}{part}" for chain in chains for part in ("", "-save", "-restore"))}
    if not seen.kernel_wireguard and host.wireguard_go:
        needed.add("wireguard-go")
    return State(
        mark=network.mark,
        directory=network.directory,
        interface=Interface(
            name=network.interface,
            alias=network.mark,
            mtu=host.mtu or network.mtu or mtu or tunnel_mtu(desired, seen),
            listen_port=host.listen_port,
            public_key=own,
            fwmark=network.table if host.exit else 0,
        ),
        addresses=frozenset(f"{address}/{network.prefix_of(address)}" for address in host.addresses),
        peers=_peers(desired, seen, keys, secrets or {}),
        routes=frozenset(map(network_text, desired.routes)),
        chains=chains,
        jumps=dict.fromkeys(chains, (1,)),
        nft=nft,
        firewalld=rich,
        zones=frozenset(objects(base)) if rich else frozenset(),
        zone_files=files(base, network.mark, rich, seen.default_zone) if rich else {},
        default_zone=seen.default_zone,
        tables=(frozenset(seen.rules) - seen.removable_tables(network)) | {chain.table for chain in chains},
        sysctls=dict(_sysctls(desired, seen, cards)),
        policy=frozenset(_policy(desired, seen)),
        ways=frozenset(_ways(desired, seen)),
        dns=tuple(str(server) for server in host.dns),
        runs=runs or {},
        manager=manager_of(seen.os, seen.tools),
        packages=seen.installed,
        tools=frozenset(needed),
        key_mode=KEY_FILE_MODE,
        keys=frozenset({own}),
        key_source=host.private_key or (("wg", "show", network.interface, "private-key") if seen.adopted else ()),
        drop_ins=drop_ins(network, seen.managers),
        starter=seen.starter,
        # What starts it, but does not run just now, is left as it is.
        units={seen.starter: unit_digest(network, seen.starter)} if seen.starter else dict(seen.units),
        watch=digest(watching) if watching and seen.starter in WATCHING else "",
        watch_text=watching,
    )


def _peers(desired: Desired, seen: Observed, keys: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, Peer]:
    found: dict[str, Peer] = {}
    for link in desired.links:
        key = keys.get(link.peer) or PendingKey.of(link.peer)
        found[key] = _peer(link, key)
        if link.preshared:
            # With a host that is not asked this time, what they share stays.
            secret = secrets.get(link.peer, seen.peers[key].preshared if key in seen.peers else "")
            found[key] = replace(found[key], preshared=secret) if secret else found[key]
    return found


@cached_by_identity
def _peer(link: Link, key: str) -> Peer:
    """A link as a peer without a preshared key: one object for all hosts that share the link."""
    endpoint = str(link.endpoint) if link.endpoint else None
    allowed = tuple(map(network_text, link.allowed_ips))
    return Peer(key, allowed, endpoint, link.persistent_keepalive, link.peer)


def watch_program(desired: Desired, keys: Mapping[str, str]) -> str:
    """What looks after those peers of a host whose address may become another; empty where there are none."""
    lines = []
    for link in desired.links if desired.addresses_of_peers else ():
        address = desired.addresses_of_peers.get(link.peer)
        if address and link.endpoint:
            key = keys.get(link.peer, PendingKey.of(link.peer))
            lines.append(quote_words(["follow", key, str(link.endpoint), str(address)]))
    for peer, relay in desired.fall_backs:
        nets = ",".join(map(network_text, relay.allowed_ips))
        ends = (keys.get(peer, PendingKey.of(peer)), keys.get(relay.peer, PendingKey.of(relay.peer)))
        lines.append(quote_words(["fall_back", *ends, nets]))
    if not lines:
        return ""
    head = [
        "#!/bin/sh",
        f"# {desired.network.mark}: looks after the peers whose address may become another",
        f"interface={quote_words([desired.network.interface])} directory={quote_words([desired.network.directory])}",
        f"exits={'yes' if desired.host.exit else 'no'}",
    ]
    return (
        "\n".join(
            [
                *head,
                asset("host", "lib/ping.sh") + "know_ping",
                asset("host", "watch.sh").rstrip(),
                *lines,
                "exit 0",
            ]
        )
        + "\n"
    )


def uses_nft(seen: Observed) -> bool:
    """True where rules are made by nft itself: there is no iptables, or firewalld's reload would flush it."""
    return "nft" in seen.tools and ("iptables" not in seen.tools or seen.has_firewalld)


def has_ipv6(seen: Observed) -> bool:
    """True where the host has IPv6 at all."""
    return seen.sysctls.get(IPV6_OFF) == "0"


def _families(seen: Observed) -> tuple[str, ...]:
    return ("-4", "-6") if has_ipv6(seen) else ("-4",)


def _policy(desired: Desired, seen: Observed) -> Iterator[str]:
    """All but the tunnel's own packets ask our table, after the main table was asked for more than a default route.

    sshd's answers never do: whoever is logged in from outside stays so.
    """
    if not desired.host.exit:
        return
    table = desired.network.table
    for family in _families(seen):
        if seen.ssh_port:
            answers = f"from all ipproto tcp sport {seen.ssh_port} lookup main"
            yield f"{family} 11900 {answers} proto {ROUTE_PROTO}"
        yield f"{family} 11901 from all lookup main suppress_prefixlength 0 proto {ROUTE_PROTO}"
        yield f"{family} 11902 not from all fwmark {table:#x} lookup {table} proto {ROUTE_PROTO}"


def _ways(desired: Desired, seen: Observed) -> Iterator[str]:
    """Into the tunnel; what cannot go there, or finds the tunnel gone, goes nowhere."""
    if not desired.host.exit:
        return
    table = desired.network.table
    for family in _families(seen):
        if any(f"-{subnet.version}" == family for subnet in desired.network.subnets):
            yield f"{family} default dev {desired.network.interface} table {table}"
        yield f"{family} unreachable default metric 4294967295 table {table}"


def egress_interface(seen: Observed, version: int, tunnel: str) -> str | None:
    """The card through which a host reaches the world."""
    ways = [r for r in seen.routes if r.subnet.version == version and not r.subnet.prefixlen and r.card != tunnel]
    return min(ways, key=lambda r: r.metric).card if ways else None


def lan_interface_of(desired: Desired, seen: Observed, lan: IPNetwork) -> str:
    """The card into a LAN, as declared or as found."""
    declared = desired.host.lan_interface
    lan = desired.host.real(lan)
    found = seen.interface_into(lan)
    action = f"be the gateway of {lan}"
    if declared is not None:
        if declared not in seen.cards:
            cards = ", ".join(sorted(c for c in seen.cards if c != "lo"))
            raise Unfit(
                desired.name, action, f"there is no card {declared}; there are {cards}", "correct lan_interface"
            )
        if found is not None and found != declared:
            problem = f"{lan} lies behind {found}, not behind {declared}"
            raise Unfit(desired.name, action, problem, f"lan_interface: {found}, or leave it out")
        return declared
    if found is None or found == desired.network.interface:
        raise Unfit(
            desired.name, action, f"no card of it has an address in {lan}, and no route leads there", "check subnets"
        )
    return found


def _chains(
    desired: Desired, seen: Observed, cards: Mapping[IPNetwork, str]
) -> Iterator[tuple[Chain, tuple[Rule, ...]]]:
    mark, tunnel = desired.network.mark, desired.network.interface
    kinds = {subnet.version for subnet in desired.network.subnets}
    for version in (4, 6):
        forward, incoming, nat, mss, maps, dockers = our_chains(desired.network, version)
        out = egress_interface(seen, version, tunnel)
        leaving = [net for net in desired.exit_sources if net.version == version and out]
        rules = []
        if desired.forwards_between_peers and version in kinds:
            rules.append(rule(f"-i {tunnel} -o {tunnel}", mark, "ACCEPT"))
        for lan, card in cards.items():
            if lan.version == version:
                real = desired.host.real(lan)
                # Sources need no rule: WireGuard lets a peer send only what its allowed-ips hold.
                rules.append(rule(f"-d {real} -i {tunnel} -o {card}", mark, "ACCEPT"))
                rules.append(rule(f"-s {real} -i {card} -o {tunnel}", mark, "ACCEPT"))
        for net in leaving:
            rules.append(rule(f"-s {net} -i {tunnel} -o {out}", mark, "ACCEPT"))
            rules.append(
                rule(f"-d {net} -i {out} -o {tunnel} -m conntrack --ctstate RELATED,ESTABLISHED", mark, "ACCEPT")
            )
        if rules:
            yield forward, tuple(rules)
            if dockers.parent in seen.rules.get(dockers.table, {}):
                yield dockers, tuple(rules)
            clamp = rule(f"-o {tunnel} -p tcp -m tcp --tcp-flags SYN,RST SYN", mark, "TCPMSS --clamp-mss-to-pmtu")
            yield mss, (clamp,)
        if desired.host.endpoint and version in _dialled_over(desired):
            yield incoming, (rule(f"-p udp -m udp --dport {desired.host.listen_port}", mark, "ACCEPT"),)
        masked = [
            rule(f"-s {m.source} -d {desired.host.real(m.into)} -o {cards[m.into]}", mark, "MASQUERADE")
            for m in desired.masquerade
            if m.into.version == version
        ]
        masked += [rule(f"-s {net} -o {out}", mark, "MASQUERADE") for net in leaving]
        mapped = [(name, lan) for name, lan in desired.host.maps if name.version == version]
        masked += [rule(f"-s {lan} -o {tunnel}", mark, f"NETMAP --to {name}") for name, lan in mapped]
        if masked:
            yield nat, tuple(masked)
        if mapped:
            yield maps, tuple(rule(f"-d {name} -i {tunnel}", mark, f"NETMAP --to {lan}") for name, lan in mapped)


def _dialled_over(desired: Desired) -> set[int]:
    """The kinds of IP that others dial this host over; a name may lead to either, where the network knows both."""
    assert desired.host.endpoint is not None
    ip = as_ip(desired.host.endpoint.host)
    if ip is not None:
        return {ip.version}
    return {4, 6} if desired.network.ipv6 else {4}


def _sysctls(desired: Desired, seen: Observed, cards: Mapping[IPNetwork, str]) -> Iterator[tuple[str, str]]:
    tunnel = desired.network.interface
    kinds = {subnet.version for subnet in desired.network.subnets}
    through = {4: set[str](), 6: set[str]()}
    for lan, card in cards.items():
        through[lan.version] |= {tunnel, card}
    if desired.forwards_between_peers:
        for version in kinds:
            through[version].add(tunnel)
    for version in {net.version for net in desired.exit_sources}:
        if out := egress_interface(seen, version, tunnel):
            through[version] |= {tunnel, out}
    if desired.host.exit:
        # The answers to what leaves by mark come in where the unmarked way does not lead: strict reverse-path
        # filtering would drop them. The kernel takes the larger of all's and the card's value; 2 is loose.
        yield "net/ipv4/conf/all/src_valid_mark", "1"
        if out := egress_interface(seen, 4, tunnel):
            yield f"net/ipv4/conf/{out}/rp_filter", "2"
    for card in sorted(through[4]):
        yield f"net/ipv4/conf/{card}/forwarding", "1"
    if "net/ipv6/conf/all/force_forwarding" in seen.sysctls:
        for card in sorted(through[6]):
            yield f"net/ipv6/conf/{card}/force_forwarding", "1"
    elif through[6]:
        # Before Linux 6.17 there is one switch for all cards; how it is turned without another effect: prelude.sh.
        yield "net/ipv6/conf/all/forwarding", "1"
    if desired.forwards_between_peers and 4 in kinds:
        # A relay sends a packet out of the card it came in by and would tell the sender so (ICMP redirect). The
        # kernel takes the larger of all's and the card's value, so both are needed; other cards keep their own.
        yield "net/ipv4/conf/all/send_redirects", "0"
        yield f"net/ipv4/conf/{tunnel}/send_redirects", "0"


def firewall_of(seen: Observed) -> str:
    """Who owns the host's firewall, and by what our rules are made there."""
    by = "iptables"
    if uses_nft(seen):
        by = (
            "an nft table of our own"
            if "iptables" not in seen.tools
            else "an nft table of our own, which its reload leaves alone"
        )
    if seen.has_firewalld:
        return f"firewalld runs there: a zone and policies of our own in it, and {by}"
    chains = seen.rules.get("filter", {})
    if "ufw-user-forward" in chains:
        return "ufw: a chain of our own before its own, which its reload leaves alone"
    if "DOCKER-USER" in chains:
        return "Docker: a chain of our own beside its chains, which its restart leaves alone"
    if by != "iptables":
        return f"there is no iptables: {by}"
    return "iptables: chains of our own"
