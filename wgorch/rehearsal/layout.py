"""An inventory's world: what must stand where for its SSH ways, endpoints and LANs to be as it says.

A host with a public endpoint stands in the internet; one without stands behind a NAT router of its site, in the LAN of
its SSH address. A jump host at a public address is that router. Each of its `subnets` has a machine in it that knows
nothing of any tunnel. What an inventory cannot say is assumed, and told.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from wgorch.base.ip import as_ip, is_public
from wgorch.inventory.model import Host, Inventory, IPAddress, IPNetwork, SshTarget
from wgorch.rehearsal.machine import Card, Machine, WorldError

NAMED = ipaddress.ip_network("192.0.2.0/24")
"""Where names that must be public lie."""


ROUTERS = ipaddress.ip_network("198.51.100.0/24")
"""Where routers lie whose outer address nobody says."""


SSH = 22


@dataclass
class Site:
    """A LAN behind one NAT router."""

    lan: IPNetwork
    name: str
    lan6: IPNetwork | None = None
    outside: IPAddress | None = None
    tcp_in: list[int] = field(default_factory=list)
    handed_in: list[tuple[str, int, str]] = field(default_factory=list)

    @property
    def segment(self) -> str:
        return f"lan of {self.name}"


@dataclass
class Layout:
    """Machines, the names that lead to them, where SSH reaches them, and what had to be assumed."""

    machines: dict[str, Machine] = field(default_factory=dict)
    names: dict[str, IPAddress] = field(default_factory=dict)
    ssh: dict[str, str] = field(default_factory=dict)
    controller: str = "controller"
    users: dict[str, set[str]] = field(default_factory=dict)
    assumed: list[str] = field(default_factory=list)


def lay_out(inventory: Inventory, *, hard_nat: bool = False, systemd: bool = True) -> Layout:
    """The world of an inventory. Raises WorldError where it cannot be built here, and says why."""
    return _Builder(inventory, hard_nat, systemd).build()


class _Builder:
    def __init__(self, inventory: Inventory, hard_nat: bool, systemd: bool) -> None:
        self.inventory, self.hard_nat, self.systemd = inventory, hard_nat, systemd
        self.layout = Layout()
        self.sites: dict[tuple[object, ...], Site] = {}
        self.used: set[IPAddress] = set()
        self.cards: dict[str, list[Card]] = {}
        self.gateways: dict[str, list[str]] = {}
        self.routes: dict[str, list[tuple[str, str]]] = {}
        self.ports: dict[str, set[int]] = {}
        self.public: dict[IPNetwork, str] = {}
        self.far: list[tuple[str, str]] = []
        ends = [h.endpoint.host for h in inventory.hosts.values() if h.endpoint]
        self.ipv6 = any(":" in text for text in (*ends, *(h.ssh.host for h in inventory.hosts.values())))
        self._reserve()

    def build(self) -> Layout:
        taken = {"wires"} | set(self.inventory.hosts)
        self.internet = _unlike("internet", taken)
        self.layout.controller = _unlike("controller", taken)
        for host in self.inventory.hosts.values():
            self._place(host)
        for host in self.inventory.hosts.values():
            self._jumps(host)
        for host in self.inventory.hosts.values():
            for lan in host.subnets:
                self._lan(host, lan)
        self._outside_world()
        self._controller()
        for site in self.sites.values():
            self._router(site)
        self._internet()
        return self.layout

    # --- addresses

    def _reserve(self) -> None:
        """No machine that we add may get an address that the inventory speaks of."""
        for host in self.inventory.hosts.values():
            targets = (host.ssh, *host.ssh.via)
            texts = [target.host for target in targets] + ([host.endpoint.host] if host.endpoint else [])
            self.used |= {ip for text in texts if (ip := as_ip(text))}
        self.used |= {flow.address for flow in self.inventory.verify}

    def _address(self, text: str) -> IPAddress:
        """The address of a machine that is named; a name gets one that is public."""
        ip = as_ip(text)
        if ip is None:
            ip = self.layout.names.get(text) or self._free(NAMED, 13)
            self.layout.names[text] = ip
        return ip

    def _free(self, net: IPNetwork, first: int = 1, last: int = 250) -> IPAddress:
        for number in (*range(first, last), *range(1, first)):
            ip = net[number] if number < net.num_addresses - 1 else None
            if ip is not None and ip not in self.used:
                self.used.add(ip)
                return ip
        raise WorldError(f"{net} has no address left for the machines of its world")

    def _lan_of(self, ip: IPAddress) -> IPNetwork:
        lans = (host.real(lan) for host in self.inventory.hosts.values() for lan in host.subnets)
        return next(
            (lan for lan in lans if ip in lan), ipaddress.ip_network((ip, 24 if ip.version == 4 else 64), strict=False)
        )

    # --- machines

    def _card(self, machine: str, name: str, segment: str, *addresses: str) -> None:
        cards = self.cards.setdefault(machine, [])
        for i, card in enumerate(cards):
            if card.segment == segment:
                cards[i] = replace(card, addresses=tuple(dict.fromkeys((*card.addresses, *addresses))))
                return
        names = {card.name for card in cards}
        cards.append(
            Card(next(n for n in (name, *(f"eth{i}" for i in range(99))) if n not in names), segment, addresses)
        )

    def _public(self, machine: str, ip: IPAddress, card: str = "eth0") -> None:
        """Plug a machine into the internet under an address."""
        net = ipaddress.ip_network((ip, 24 if ip.version == 4 else 64), strict=False)
        if net not in self.public:
            self.public[net] = str(self._free(net))
        self.used.add(ip)
        self._card(machine, card, f"net {net}", f"{ip}/{net.prefixlen}")
        gateways = self.gateways.setdefault(machine, [])
        if not any((":" in g) == (ip.version == 6) for g in gateways):
            gateways.append(self.public[net])

    def _place(self, host: Host) -> None:
        """Put a host where its endpoint and its SSH address say it is."""
        end = self._address(host.endpoint.host) if host.endpoint else None
        own = None if host.ssh.local else self._address(host.ssh.host)
        self.ports.setdefault(host.name, set()).add(host.ssh.port or SSH)
        self.layout.users.setdefault(host.name, set()).add(host.ssh.user or "root")
        self.layout.ssh[host.ssh.host] = host.name
        if end is not None and is_public(end) and (own is None or own == end or is_public(own)):
            self._public(host.name, end)
            if own is not None and own != end:
                self._public(host.name, own)
        elif end is not None and not is_public(end):
            site = self._site(host, self._lan_of(end))
            self._into(host, site, end)
            if own is not None and own != end:
                self._into(host, site, own)
        else:
            inside = own if own is not None and not is_public(own) else None
            site = self._site(host, self._lan_of(inside) if inside else self._own_lan(host))
            ip = inside or self._free(site.lan, 62)
            self._into(host, site, ip)
            if end is not None and host.endpoint is not None:
                self._outside(site, end)
                site.handed_in.append(("udp", host.endpoint.port, str(ip)))
                self.layout.assumed.append(f"the router at {end} hands UDP {host.endpoint.port} on to {host.name}")
            if own is not None and is_public(own):
                self._outside(site, own)
                site.handed_in.append(("tcp", host.ssh.port or SSH, str(ip)))
                self.layout.assumed.append(f"the router at {own} hands SSH on to {host.name}")

    def _own_lan(self, host: Host) -> IPNetwork:
        """The LAN of a host of which nothing is said but that it is behind NAT."""
        own = next((host.real(lan) for lan in host.subnets if lan.version == 4), None)
        lans = [lan for h in self.inventory.hosts.values() for lan in h.subnets] + [s.lan for s in self.sites.values()]
        taken = [*lans, *self.inventory.network.subnets]
        fresh = (ipaddress.ip_network(f"172.20.{n}.0/24") for n in range(256))
        return own or next(net for net in fresh if not any(net.overlaps(t) for t in taken if t.version == 4))

    def _site(self, host: Host, lan: IPNetwork) -> Site:
        own = as_ip(host.ssh.host)
        # The same LAN behind another router is another LAN.
        key = (lan, tuple(str(hop) for hop in host.ssh.via), own if own is not None and is_public(own) else None)
        if key not in self.sites:
            self.sites[key] = Site(lan, host.name)
            if self.ipv6:
                number = len(self.sites)
                self.sites[key].lan6 = ipaddress.ip_network(f"2001:db8:{number:x}::/64")
        return self.sites[key]

    def _site_of(self, host: str) -> Site | None:
        segments = {card.segment for card in self.cards.get(host, ())}
        return next((site for site in self.sites.values() if site.segment in segments), None)

    def _into(self, host: Host, site: Site, ip: IPAddress) -> None:
        name = host.lan_interface if any(host.real(lan) == site.lan for lan in host.subnets) else None
        self._join(host.name, site, ip, name or "eth0")

    def _join(self, machine: str, site: Site, ip: IPAddress, card: str = "eth0") -> None:
        """Plug a machine into the LAN of a site, with its router as the way out."""
        self.used.add(ip)
        self._card(machine, card, site.segment, f"{ip}/{site.lan.prefixlen}")
        gateways = self.gateways.setdefault(machine, [])
        if not gateways:
            gateways.append(self._inside(site))
        if site.lan6 is not None and not any(":" in gateway for gateway in gateways):
            self._card(machine, card, site.segment, f"{self._free(site.lan6, 9)}/64")
            gateways.append(str(site.lan6[1]))
            self.used.add(site.lan6[1])

    def _inside(self, site: Site) -> str:
        """The address of a site's router in its LAN."""
        router = f"{site.name}-router"
        for card in self.cards.get(router, ()):
            if card.segment == site.segment:
                return card.addresses[0].partition("/")[0]
        ip = self._free(site.lan)
        self._card(router, "lan", site.segment, f"{ip}/{site.lan.prefixlen}")
        return str(ip)

    def _outside(self, site: Site, ip: IPAddress) -> None:
        if site.outside not in (None, ip):
            raise WorldError(f"the router of {site.name} would need two outer addresses: {site.outside} and {ip}")
        site.outside = ip

    def _jumps(self, host: Host) -> None:
        """Machines for the jump hosts that are not hosts of the inventory."""
        site = self._site_of(host.name)
        for hop in host.ssh.via:
            if hop.host in self.inventory.hosts:
                continue
            ip = self._address(hop.host)
            name = self.layout.ssh.get(hop.host) or self._machine_at(ip)
            if name is None:
                name = self._jump_machine(ip, site, hop)
            self.layout.ssh[hop.host] = name
            self.ports.setdefault(name, set()).add(hop.port or SSH)
            self.layout.users.setdefault(name, set()).add(hop.user or "root")
            if site is not None and name == f"{site.name}-router":
                site.tcp_in.append(hop.port or SSH)

    def _jump_machine(self, ip: IPAddress, site: Site | None, hop: SshTarget) -> str:
        if site is not None and is_public(ip) and site.outside in (None, ip):
            site.outside = ip
            return f"{site.name}-router"
        name = _unlike(f"jump-{ip}".replace(":", "-"), set(self.cards))
        if is_public(ip):
            self._public(name, ip)
        elif site is not None and ip in site.lan:
            self._join(name, site, ip)
        else:
            raise WorldError(f"the jump host {hop} is at a private address, and nothing says in which LAN")
        return name

    def _machine_at(self, ip: IPAddress, segment: str | None = None) -> str | None:
        for machine, cards in self.cards.items():
            there = [card for card in cards if segment is None or card.segment == segment]
            if any(text.partition("/")[0] == str(ip) for card in there for text in card.addresses):
                return machine
        return None

    def _lan(self, gateway: Host, subnet: IPNetwork) -> None:
        """A LAN behind a gateway, with the machines that flows name, or one."""
        site, lan = self._site_with(gateway, subnet), gateway.real(subnet)
        own = next((a for c in self.cards[gateway.name] for a in c.addresses if _in(a, lan)), None)
        segment = site.segment if site else f"lan {_nth(gateway, subnet)} of {gateway.name}"
        if own is None:
            own = f"{self._free(lan, 62)}/{lan.prefixlen}"
            self._card(gateway.name, gateway.lan_interface or "eth1", segment, own)
        asked = [gateway.real_address(f.address) for f in self.inventory.verify if f.address in subnet]
        machines = dict.fromkeys(asked) or {self._free(lan, 61): None}
        way_back = own.partition("/")[0]
        for ip in machines:
            if self._machine_at(ip, segment):
                continue
            name = _unlike(f"machine-{ip}".replace(":", "-").replace(".", "-"), set(self.cards))
            self.used.add(ip)
            self._card(name, "eth0", segment, f"{ip}/{lan.prefixlen}")
            self.gateways[name] = [self._inside(site) if site and site.lan == lan else way_back]
            if site and not gateway.masquerade:
                beyond = [*self.inventory.network.subnets, *self._lans_beside(gateway)]
                self.routes.setdefault(name, []).extend((str(n), way_back) for n in beyond if n.version == lan.version)
        if site and not gateway.masquerade:
            self.layout.assumed.append(f"machines in {lan} know that the tunnel lies behind {way_back}")

    def _site_with(self, gateway: Host, lan: IPNetwork) -> Site | None:
        """The site whose LAN this is; a gateway's first LAN of IPv6 lies on the same wire as its first of IPv4."""
        wire = [gateway.real(other) for other in gateway.subnets if _nth(gateway, other) == _nth(gateway, lan)]
        own = self._site_of(gateway.name)
        sites = ([own] if own else []) + list(self.sites.values())
        return next((site for site in sites if site.lan in wire), None)

    def _outside_world(self) -> None:
        """What flows ask for that is no part of the network: machines on the internet."""
        lans = [lan for host in self.inventory.hosts.values() for lan in host.subnets]
        own = [*lans, *self.inventory.network.subnets]
        for flow in self.inventory.verify:
            if is_public(flow.address) and not any(flow.address in net for net in own):
                name = _unlike(f"server-{flow.address}".replace(":", "-").replace(".", "-"), set(self.cards))
                if self._machine_at(flow.address) is None:
                    self._public(name, flow.address)

    def _lans_beside(self, gateway: Host) -> Iterator[IPNetwork]:
        return (lan for host in self.inventory.hosts.values() if host is not gateway for lan in host.subnets)

    def _controller(self) -> None:
        """Where the person sits: on the host that is local, in the LANs that are reached directly, or anywhere."""
        local = next((host.name for host in self.inventory.hosts.values() if host.ssh.local), None)
        if local:
            self.layout.controller = local
            return
        name = self.layout.controller
        for host in self.inventory.hosts.values():
            ip = as_ip(host.ssh.host)
            site = self._site_of(host.name)
            if host.ssh.via or site is None or ip is None or ip not in site.lan:
                continue
            if not any(card.segment == site.segment for card in self.cards.get(name, ())):
                self._join(name, site, self._free(site.lan, 20))
        if name not in self.cards:
            self._public(name, self._free(ROUTERS, 200))
        if self.ipv6 and not any(":" in gateway for gateway in self.gateways[name]):
            self._public(name, self._free(ipaddress.ip_network("2001:db8:fffe::/64"), 20))

    def _router(self, site: Site) -> None:
        """The NAT router of a site."""
        name = f"{site.name}-router"
        self._inside(site)
        self._public(name, site.outside or self._free(ROUTERS, 34), "wan")
        if site.lan6 is not None:
            outer = self._free(ipaddress.ip_network("2001:db8:ffff::/64"), 34)
            self._public(name, outer, "wan")
            self._card(name, "lan", site.segment, f"{site.lan6[1]}/64")
            self.far.append((str(site.lan6), str(outer)))
        self.layout.machines[name] = Machine(
            name,
            tuple(self.cards[name]),
            tuple(self.gateways[name]),
            forwards=True,
            nat=next(card.name for card in self.cards[name] if card.segment.startswith("net ")),
            hard_nat=self.hard_nat,
            tcp_in=tuple(dict.fromkeys(site.tcp_in)),
            handed_in=tuple(dict.fromkeys(site.handed_in)),
            sshd=self._sshd(name),
        )

    def _sshd(self, name: str) -> tuple[str, ...] | None:
        ports = self.ports.get(name)
        return tuple(f"Port {port}" for port in sorted(ports)) if ports else None

    def _internet(self) -> None:
        for name, cards in self.cards.items():
            if name not in self.layout.machines:
                self.layout.machines[name] = Machine(
                    name,
                    tuple(cards),
                    tuple(self.gateways.get(name, ())),
                    sshd=self._sshd(name),
                    systemd=self.systemd and name in self.inventory.hosts,
                    routes=tuple(self.routes.get(name, ())),
                )
        cards_of_internet = tuple(
            Card(f"net{number}", f"net {net}", (f"{ip}/{net.prefixlen}",))
            for number, (net, ip) in enumerate(self.public.items())
        )
        self.layout.machines[self.internet] = Machine(
            self.internet, cards_of_internet, forwards=True, routes=tuple(self.far)
        )


def _in(address: str, lan: IPNetwork) -> bool:
    return ipaddress.ip_interface(address).ip in lan


def _nth(gateway: Host, lan: IPNetwork) -> int:
    """Which of the gateway's LANs of its kind this is."""
    return [other for other in gateway.subnets if other.version == lan.version].index(lan)


def _unlike(name: str, taken: set[str]) -> str:
    return next(n for n in (name, *(f"{name}-{i}" for i in range(2, 1000))) if n not in taken)


def known_hosts(layout: Layout, inventory: Inventory, keys: Mapping[str, str]) -> str:
    """The known_hosts of the controller: every place that SSH goes to, with its machine's key."""
    lines = []
    for host in inventory.hosts.values():
        for target in (host.ssh, *host.ssh.via):
            machine = target.host if target.host in inventory.hosts else layout.ssh.get(target.host)
            place = inventory.hosts[target.host].ssh if target.host in inventory.hosts else target
            if machine is not None and machine in keys:
                name = place.host if (place.port or SSH) == SSH else f"[{place.host}]:{place.port}"
                lines.append(f"{name} {keys[machine]}")
    return "\n".join(dict.fromkeys(lines)) + "\n"
