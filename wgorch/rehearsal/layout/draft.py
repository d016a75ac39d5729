"""A layout in the making: addresses that are taken, and interfaces as they are plugged in."""

from __future__ import annotations

import ipaddress

from wgorch.base.ip import as_ip
from wgorch.inventory.endpoint import Way
from wgorch.inventory.model import Host, Inventory, IPAddress, IPNetwork
from wgorch.rehearsal.layout.model import Layout, Site
from wgorch.rehearsal.machine import Interface, WorldError

NAMED = ipaddress.ip_network("192.0.2.0/24")
"""Addresses of names that must be public."""


class Draft:
    """What is placed so far. `systemd`: run it on the hosts of the inventory."""

    def __init__(self, inventory: Inventory, *, hard_nat: bool, systemd: bool) -> None:
        self.inventory, self.hard_nat, self.systemd = inventory, hard_nat, systemd
        self.layout = Layout()
        self.sites: dict[tuple[object, ...], Site] = {}
        self.interfaces: dict[str, list[Interface]] = {}
        self.gateways: dict[str, list[str]] = {}
        self.routes: dict[str, list[tuple[str, str]]] = {}
        self.ssh_ports: dict[str, set[int]] = {}
        self.public: dict[IPNetwork, str] = {}
        """The internet's networks and its own address in each."""
        ends = [way.endpoint.host for h in inventory.hosts.values() for way in h.all_ways]
        self.ipv6 = any(":" in text for text in (*ends, *(h.ssh.host for h in inventory.hosts.values())))
        self.used = _addresses_in(inventory)
        taken = {"wires"} | set(inventory.hosts)
        self.internet = unique("internet", taken)
        self.layout.controller = unique("controller", taken)

    # --- addresses

    def address(self, text: str) -> IPAddress:
        """The address of an address or a name; a name is given a public one."""
        ip = as_ip(text)
        if ip is None:
            ip = self.layout.names.get(text) or self.free(NAMED, 13)
            self.layout.names[text] = ip
        return ip

    def free(self, net: IPNetwork, first: int = 1, last: int = 250) -> IPAddress:
        """Take the next free address of a network, beginning with number `first`. Raises WorldError."""
        for number in (*range(first, last), *range(1, first)):
            ip = net[number] if number < net.num_addresses - 1 else None
            if ip is not None and ip not in self.used:
                self.used.add(ip)
                return ip
        raise WorldError(f"{net} has no free address for the machines of its world")

    # --- machines

    def machine_at(self, ip: IPAddress, segment: str | None = None) -> str | None:
        """The machine with an address, in one segment or in any."""
        for machine, interfaces in self.interfaces.items():
            there = [i for i in interfaces if segment is None or i.segment == segment]
            if any(text.partition("/")[0] == str(ip) for i in there for text in i.addresses):
                return machine
        return None

    def site_of(self, machine: str) -> Site | None:
        """The site in whose LAN a machine is."""
        segments = {interface.segment for interface in self.interfaces.get(machine, ())}
        return next((site for site in self.sites.values() if site.segment in segments), None)

    def site_with(self, machine: str, ip: IPAddress) -> Site | None:
        """The site in whose LAN a machine is, where an address is in it."""
        site = self.site_of(machine)
        return site if site is not None and ip in site.lan else None

    def is_in_internet(self, machine: str) -> bool:
        """True for a machine that has a public address of its own."""
        return any(interface.segment.startswith("net ") for interface in self.interfaces.get(machine, ()))

    def neighbours(self, host: Host, way: Way) -> list[str]:
        """The hosts that connect to another one in its LAN."""
        hosts = self.inventory.hosts
        near = {name for name, other in hosts.items() if host.name == other.behind or name == host.behind}
        near |= {name for name, other in hosts.items() if other.behind and other.behind == host.behind}
        return [name for name in hosts if name != host.name and name in (way.only or near)]

    def unique(self, name: str) -> str:
        """A name that no machine has, made of this one; addresses in it become part of it."""
        return unique(name.replace(":", "-"), set(self.interfaces))

    def sshd(self, machine: str) -> tuple[str, ...] | None:
        """The options of a machine's sshd; None where SSH goes nowhere."""
        ports = self.ssh_ports.get(machine)
        return tuple(f"Port {port}" for port in sorted(ports)) if ports else None

    # --- interfaces

    def plug(self, machine: str, name: str, segment: str, *addresses: str) -> None:
        """Plug a machine into a segment: by a new interface, or by more addresses on the one it has there."""
        interfaces = self.interfaces.setdefault(machine, [])
        for i, interface in enumerate(interfaces):
            if interface.segment == segment:
                interfaces[i] = interface._replace(addresses=tuple(dict.fromkeys((*interface.addresses, *addresses))))
                return
        names = {interface.name for interface in interfaces}
        free = next(n for n in (name, *(f"eth{i}" for i in range(99))) if n not in names)
        interfaces.append(Interface(free, segment, addresses))

    def plug_into_internet(self, machine: str, ip: IPAddress, interface: str = "eth0") -> None:
        """Plug a machine into the internet under an address."""
        net = ipaddress.ip_network((ip, 24 if ip.version == 4 else 64), strict=False)
        if net not in self.public:
            self.public[net] = str(self.free(net))
        self.used.add(ip)
        self.plug(machine, interface, f"net {net}", f"{ip}/{net.prefixlen}")
        gateways = self.gateways.setdefault(machine, [])
        if not any((":" in g) == (ip.version == 6) for g in gateways):
            gateways.append(self.public[net])

    def plug_into_site(self, machine: str, site: Site, ip: IPAddress, interface: str = "eth0") -> None:
        """Plug a machine into the LAN of a site, with the site's router as its gateway."""
        self.used.add(ip)
        self.plug(machine, interface, site.segment, f"{ip}/{site.lan.prefixlen}")
        gateways = self.gateways.setdefault(machine, [])
        if not gateways:
            gateways.append(self.router_address(site))
        if site.lan6 is not None and not any(":" in gateway for gateway in gateways):
            self.plug(machine, interface, site.segment, f"{self.free(site.lan6, 9)}/64")
            gateways.append(str(site.lan6[1]))
            self.used.add(site.lan6[1])

    def router_address(self, site: Site) -> str:
        """The address of a site's router in its LAN."""
        for interface in self.interfaces.get(site.router, ()):
            if interface.segment == site.segment:
                return interface.addresses[0].partition("/")[0]
        ip = self.free(site.lan)
        self.plug(site.router, "lan", site.segment, f"{ip}/{site.lan.prefixlen}")
        return str(ip)


def _addresses_in(inventory: Inventory) -> set[IPAddress]:
    """The addresses that an inventory mentions; no machine that is added may have one of them."""
    used: set[IPAddress] = set()
    for host in inventory.hosts.values():
        texts = [target.host for target in (host.ssh, *host.ssh.via)] + [way.endpoint.host for way in host.all_ways]
        used |= {ip for text in texts if (ip := as_ip(text))}
    return used | {flow.address for flow in inventory.verify}


def unique(name: str, taken: set[str]) -> str:
    """A name that is not taken, made of this one."""
    return next(n for n in (name, *(f"{name}-{i}" for i in range(2, 1000))) if n not in taken)
