"""A host as it was seen: frozen values, nothing of the text they came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from ipaddress import IPv4Interface, IPv6Interface, ip_address

from wgorch.adapters.packages import manager_of
from wgorch.base.ip import network_text
from wgorch.base.value import value
from wgorch.facts.files import Lock, SavedSysctl
from wgorch.facts.firewall import BaseChain
from wgorch.facts.links import Device, Route, is_global
from wgorch.facts.wireguard import Traffic
from wgorch.inventory.model import IPAddress, IPNetwork, Network
from wgorch.state.rules import DOCKERS, Chain, Rule, our_chains
from wgorch.state.state import ROUTE_PROTO, Run, State
from wgorch.state.wireguard import Interface, Peer


@value
class Observed:
    """One host. Fields that move by themselves are not compared, so two observations are equal where nothing changed.

    `key_file_public`: of the key in use; `next_keys`: of those beside it; `settled`: no old key lies beside a confirmed
    new one; `offered_key`: of the key that the inventory's own source holds. `nft`: our rules in nft; `foreign_chains`: nft's base chains of others;
    `legacy_too`: iptables has rules of both its kinds; `forwarded_all`: whether all cards forwarded
    when the first value was recorded; `no_net_admin`: root there may not change the network; `ufw_flushes`: ufw's reload
    empties the chains of others (MANAGE_BUILTINS). `adopted`: its interface is to become ours. `has_firewalld`: it runs, and `firewalld` to `default_zone` are as in State; `zone_elsewhere`: another zone that has the tunnel's card. `secrets`: digests of the preshared keys'
    files. `installed`: packages that came with the network. `starter`: what can start a program of ours when the host starts: systemd, openrc, runit, cron, or nothing. `managers`: who else manages its network; `drop_ins`: what we told them. `policy`, `ways`, `dns`: what of them is ours, as in State. `answers`: the text that all this was read from, by section; `read_at`: when, by this machine's monotonic clock, all of it was read.
    """

    host: str
    uid: int
    boot_id: str
    hostname: str
    kernel: str
    os: Mapping[str, str]
    tools: frozenset[str]
    starter: str
    managers: frozenset[str]
    drop_ins: Mapping[str, str]
    kernel_wireguard: bool
    cards: Mapping[str, Device]
    addresses: tuple[tuple[str, IPv4Interface | IPv6Interface], ...]
    routes: tuple[Route, ...]
    policy: frozenset[str]
    ways: frozenset[str]
    dns: tuple[str, ...]
    public_key: str
    listen_port: int
    fwmark: int
    peers: Mapping[str, Peer]
    rules: Mapping[str, Mapping[str, tuple[Rule, ...]]]
    policies: Mapping[tuple[str, str], str]
    nft: Mapping[str, str]
    foreign_chains: tuple[BaseChain, ...]
    has_firewalld: bool
    firewalld: frozenset[str]
    zones: frozenset[str]
    zone_elsewhere: str
    zone_files: Mapping[str, str]
    default_zone: str
    legacy_too: bool
    sysctls: Mapping[str, str]
    port_taken: bool
    key_file: bool
    key_file_mode: str
    key_file_public: str
    staged_keys: tuple[str, ...]
    source_key: str
    keys_clean: bool
    secrets: Mapping[str, str]
    installed: frozenset[str]
    boot: str
    boot_header: Mapping[str, str]
    runs: Mapping[str, Run]
    units: Mapping[str, str]
    watch: str
    recorded: Mapping[str, SavedSysctl]
    created_tables: frozenset[str]
    forwarded_all: str
    no_net_admin: bool
    ufw_flushes: bool
    adopted: bool = field(default=False, compare=False)
    machine_id: str = field(default="", compare=False)
    uptime: int = field(default=0, compare=False)
    clock: int = field(default=0, compare=False)
    ssh_client: str = field(default="", compare=False)
    ssh_port: int = field(default=0, compare=False)
    paths: Mapping[str, int] = field(default_factory=dict, compare=False)
    pending: bool = field(default=False, compare=False)
    reverting: bool = field(default=False, compare=False)
    outcome: str = field(default="", compare=False)
    lock: Lock | None = field(default=None, compare=False)
    has_directory: bool = field(default=False, compare=False)
    traffic: Mapping[str, Traffic] = field(default_factory=dict, compare=False)
    answers: Mapping[str, list[str]] = field(default_factory=dict, compare=False, repr=False)
    read_at: float = field(default=0, compare=False)

    def interface_into(self, subnet: IPNetwork) -> str | None:
        """The card that leads into a LAN: the one with an address of it, else the one its route names."""
        for card, address in self.addresses:
            if address.version == subnet.version and address.ip in subnet:
                return card
        route = self.route_to(subnet.network_address, exact=subnet)
        return route.card if route and route.subnet.prefixlen else None

    def address_on(self, card: str) -> str | None:
        """The first IPv4 address of a card."""
        return next((str(a.ip) for name, a in self.addresses if name == card and a.version == 4), None)

    def route_to(self, ip: IPAddress, exact: IPNetwork | None = None) -> Route | None:
        """The main table's answer for an address: the longest prefix, then the lowest metric."""
        fitting = [r for r in self.routes if r.subnet.version == ip.version and ip in r.subnet]
        if exact is not None:
            fitting = [r for r in fitting if exact.subnet_of(r.subnet)]  # type: ignore[arg-type]
        return max(fitting, key=lambda r: (r.subnet.prefixlen, -r.metric), default=None)

    @property
    def ssh_interface(self) -> str:
        """The card by which whoever asked is reached; empty where that is not known."""
        try:
            way = self.route_to(ip_address(self.ssh_client.partition("%")[0]))
        except ValueError:
            return ""
        return way.card if way else ""

    def removable_tables(self, network: Network) -> frozenset[str]:
        """The iptables tables that exist only because of us and hold nothing of others; none where no nft could end them."""
        return self.empty_own_tables(network) if "nft" in self.tools else frozenset()

    def empty_own_tables(self, network: Network) -> frozenset[str]:
        """The same, whether or not anything there could end them."""
        ours = {chain.name for chain in our_chains(network)}
        found = set()
        for table in self.created_tables & self.rules.keys():
            chains = self.rules[table]
            foreign = [r for rules in chains.values() for r in rules if r.mark != network.mark]
            strange = [c for c in chains if c not in ours and self.policies.get((table, c)) != "ACCEPT"]
            if not foreign and not strange:
                found.add(table)
        return frozenset(found)

    def is_managed(self, network: Network) -> bool:
        """True where the interface exists and carries our mark."""
        card = self.cards.get(network.interface)
        return card is not None and (card.alias == network.mark or self.adopted)

    def is_unmanaged(self, network: Network) -> bool:
        """True where there is a WireGuard interface of that name that no network of wgorch's has marked."""
        card = self.cards.get(network.interface)
        return card is not None and not card.alias.startswith("wgorch:") and bool(self.public_key)

    def state(self, network: Network) -> State:
        """What of this host is ours, for comparing with what should be."""
        card, own = self.cards.get(network.interface), str(ROUTE_PROTO)
        ours = self.is_managed(network)
        chains = self._chains(network)
        return State(
            mark=network.mark,
            directory=network.directory,
            interface=Interface(
                card.name, card.alias, card.mtu, self.listen_port, self.public_key, card.up, self.fwmark
            )
            if card and ours
            else None,
            addresses=frozenset(
                str(a) for name, a in self.addresses if ours and name == network.interface and is_global(a)
            ),
            peers=self.peers if ours else {},
            routes=frozenset(
                network_text(r.subnet) if r.proto == own else f"{r.subnet} proto {r.proto or 'boot'}"
                for r in self.routes
                if ours and r.card == network.interface and (r.proto == own or self._adopts(r))
            ),
            chains=chains,
            jumps=self._jumps(network),
            nft=self.nft,
            firewalld=self.firewalld,
            zones=self.zones,
            zone_files=self.zone_files,
            default_zone=self.default_zone,
            tables=frozenset(self.rules),
            sysctls=self.sysctls,
            runs=self.runs,
            policy=self.policy,
            ways=self.ways,
            dns=self.dns,
            manager=manager_of(self.os, self.tools),
            packages=self.installed,
            tools=self.tools,
            key_mode=self.key_file_mode,
            keys=frozenset({*self.staged_keys, self.key_file_public} - {""}),
            drop_ins=self.drop_ins,
            starter=self.starter,
            units=self.units,
            watch=self.watch,
        )

    def _adopts(self, route: Route) -> bool:
        usual = 1024 if route.subnet.version == 6 else 0
        return self.adopted and route.plain and route.proto != "kernel" and route.metric == usual and not route.gateway

    def _is_dockers(self, rule: Rule) -> bool:
        """True for what Docker puts before everything when it starts: it is about its own networks and nothing else."""
        if DOCKERS not in self.rules.get("filter", {}):
            return False
        if rule.words and rule.words[-1].startswith("DOCKER"):
            return True
        cards = {w for flag, w in zip(rule.words, rule.words[1:], strict=False) if flag in ("-i", "-o")}
        return any(card == "docker0" or re.fullmatch(r"br-[0-9a-f]{12}", card) for card in cards)

    def _chains(self, network: Network) -> dict[Chain, tuple[Rule, ...]]:
        return {
            chain: self.rules[chain.table][chain.name]
            for chain in our_chains(network)
            if chain.name in self.rules.get(chain.table, {})
        }

    def _jumps(self, network: Network) -> dict[Chain, tuple[int, ...]]:
        jumps = {}
        for chain in our_chains(network):
            places, place = [], 1
            for rule in self.rules.get(chain.table, {}).get(chain.parent, ()):
                if rule.mark == network.mark and rule.words[-1] == chain.name:
                    places.append(place)
                elif not (rule.mark or "").startswith("wgorch:") and not self._is_dockers(rule):
                    place += 1
            if places:
                jumps[chain] = tuple(places)
        return jumps
