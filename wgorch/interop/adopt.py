"""From live WireGuard interfaces to an inventory that says the same: who is a relay, whose LAN is whose, who is a device.

Nothing is changed here. ``wgorch up --adopt`` then puts our marks on what is there; keys, ports, peers and sessions stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_network

from wgorch.base.value import value
from wgorch.errors import HostError, HostsFailed, Unfit
from wgorch.gather.observed import Observed
from wgorch.interop.discover import look
from wgorch.interop.names import name_of, quoted
from wgorch.inventory.model import IPNetwork, SshTarget
from wgorch.plan.blockers import adoption_blockers
from wgorch.remote.fleet import Fleet


@value
class Adopted:
    """An inventory's text, and what a person must know before using it."""

    text: str
    notes: tuple[str, ...]


def adopt_network(fleet: Fleet, interface: str, name: str) -> Adopted:
    """Generate the inventory of a live network from its hosts; read-only. Raises HostsFailed."""
    seen, failed = look(fleet, interface, name)
    if failed:
        raise HostsFailed(list(failed.values()))
    return adopt(seen, {host: fleet.hosts[host].ssh for host in seen}, interface, name)


def adopt(seen: Mapping[str, Observed], ssh: Mapping[str, SshTarget], interface: str, network: str) -> Adopted:
    """The inventory of hosts that were read, by what they were called on the command line. Raises HostsFailed."""
    failed = [error for host, s in seen.items() for error in _unfit(host, s, interface)]
    if failed:
        raise HostsFailed(failed)
    return _Adoption(seen, ssh, interface, network).made()


def _unfit(host: str, seen: Observed, interface: str) -> Iterator[HostError]:
    action = f"adopt {interface}"
    card = seen.links.devices.get(interface)
    if card is None or interface not in seen.wireguard or not seen.wireguard[interface].public_key:
        there = ", ".join(sorted(c for c in seen.links.devices if c != "lo"))
        yield Unfit(host, action, f"there is no WireGuard interface {interface} ({there})", "--interface NAME")
    elif card.alias.startswith("wgorch:"):
        yield Unfit(host, action, f"it is {card.alias}'s already", "its own inventory")
    if interface in seen.wireguard:
        yield from adoption_blockers(host, interface, seen.wireguard[interface])


class _Adoption:
    def __init__(
        self, seen: Mapping[str, Observed], ssh: Mapping[str, SshTarget], interface: str, network: str
    ) -> None:
        self.seen, self.ssh, self.interface, self.network = seen, ssh, interface, network
        taken: set[str] = set()
        self.names = {host: name_of(s, taken) for host, s in seen.items()}
        self.by_key = {s.wireguard[interface].public_key: host for host, s in seen.items()}
        self.subnets = self._subnets()
        self.notes: list[str] = []

    def _subnets(self) -> list[IPNetwork]:
        """The tunnel's networks: those of the interfaces' addresses; where each is alone (/32), what relays' peers name."""
        found: set[IPNetwork] = set()
        for s in self.seen.values():
            for card, address in s.links.addresses:
                if card == self.interface and not address.ip.is_link_local:
                    net = ip_network(str(address.network))
                    if net.prefixlen == net.max_prefixlen:
                        around = [
                            ip_network(n)
                            for peer in s.wireguard[self.interface].peers.values()
                            for n in peer.allowed_ips
                        ]
                        net = next(
                            (n for n in around if n.version == net.version and address.ip in n and n != net), net
                        )
                    found.add(net)
        largest = [n for n in found if not any(n != o and n.version == o.version and n.subnet_of(o) for o in found)]  # type: ignore[arg-type]
        return sorted(largest, key=lambda n: (n.version, int(n.network_address)))

    def _own(self, host: str) -> list[str]:
        return [
            str(a.ip)
            for card, a in self.seen[host].links.addresses
            if card == self.interface and not a.ip.is_link_local
        ]

    def _entries(self, host: str) -> Iterator[tuple[str, tuple[IPNetwork, ...], str]]:
        """How others have this host among their peers: who, its allowed-ips, its endpoint."""
        for other, s in self.seen.items():
            if other != host and (
                peer := s.wireguard[self.interface].peers.get(self.seen[host].wireguard[self.interface].public_key)
            ):
                yield other, tuple(ip_network(n) for n in peer.allowed_ips), peer.endpoint or ""

    def lans(self, host: str) -> list[IPNetwork]:
        """What others send to this host and it has a card into."""
        found: dict[IPNetwork, None] = {}
        for _, nets, _ in self._entries(host):
            for net in nets:
                card = self.seen[host].links.interface_into(net)
                if not self._in_tunnel(net) and card and card != self.interface:
                    found[net] = None
        return sorted(found, key=str)

    def _in_tunnel(self, net: IPNetwork) -> bool:
        return any(net.version == s.version and (net.subnet_of(s) or s.subnet_of(net)) for s in self.subnets)  # type: ignore[arg-type]

    def endpoint(self, host: str) -> str:
        """Where others dial it: an address of its own, or the place by which SSH reaches it."""
        own = {str(a.ip) for _, a in self.seen[host].links.addresses} | {self.ssh[host].host}
        for _, _, endpoint in self._entries(host):
            place, _, port = endpoint.rpartition(":")
            if int(port or 0) != self.seen[host].wireguard[self.interface].listen_port:
                continue
            # Its own address; or many dial it there, which nobody learns by himself of somebody behind NAT.
            if place.strip("[]") in own or sum(other == endpoint for _, _, other in self._entries(host)) > 1:
                return endpoint
        return ""

    def is_relay(self, host: str) -> bool:
        """True where somebody sends it what is for a third one."""
        if not self.endpoint(host):
            return False  # nobody could dial it
        own, lans = self._own(host), self.lans(host)
        for _, nets, _ in self._entries(host):
            single = [n for n in nets if n.prefixlen == n.max_prefixlen and str(n.network_address) in own]
            if [n for n in nets if n not in lans and n not in single]:
                return True
        return False

    def devices(self) -> dict[str, tuple[str, list[str]]]:
        """Peers that are none of the hosts: key, addresses in the tunnel; what else they have is told."""
        found: dict[str, tuple[str, list[str]]] = {}
        keys: dict[str, tuple[str, ...]] = {}
        for s in self.seen.values():
            keys |= {
                key: peer.allowed_ips
                for key, peer in s.wireguard[self.interface].peers.items()
                if key not in self.by_key
            }
        for number, (key, nets) in enumerate(sorted(keys.items()), 1):
            inside = [n for n in map(ip_network, nets) if self._in_tunnel(n) and n.prefixlen == n.max_prefixlen]
            if more := [n for n in nets if ip_network(n) not in inside]:
                self.notes.append(
                    f"peer {key[:8]}… has {', '.join(more)} behind it, which a device cannot have: name that host, too"
                )
            found[f"peer-{number}"] = (key, [str(n.network_address) for n in inside])
        return found

    def made(self) -> Adopted:
        lines = [
            f"# Read from the live interface {self.interface} by `wgorch adopt`. Look at it, then: wgorch plan FILE --adopt",
            "network:",
            f"  name: {self.network}",
            f"  subnet: {_one(self.subnets)}",
        ]
        if self.interface != "wg0":
            lines.append(f"  interface: {self.interface}")
        mtus = {s.links.devices[self.interface].mtu for s in self.seen.values()}
        if len(mtus) == 1:
            lines.append(f"  mtu: {min(mtus)}")
        lines += ["", "hosts:"]
        for host in sorted(self.seen, key=lambda h: (not self.is_relay(h), self.names[h])):
            lines += [f"  {self.names[host]}:", *(f"    {line}" for line in self._host(host, len(mtus) > 1)), ""]
        if devices := self.devices():
            lines.append("# Peers that are none of these hosts. Give them names; they stay as they are.")
            lines.append("devices:")
            for name, (key, addresses) in devices.items():
                address = f", address: {_one(addresses)}" if addresses else ""
                lines.append(f'  {name}: {{public_key: "{key}"{address}}}')
        if not any(self.endpoint(host) for host in self.seen):
            self.notes.append("none of these hosts is dialled by another one; if one can be, add its endpoint")
        for host, s in self.seen.items():
            if "wg-quick" in s.system.managers:
                self.notes.append(
                    f"{self.names[host]}: wg-quick@{self.interface} starts it, too: after `up --adopt`, systemctl disable it"
                )
        return Adopted("\n".join(lines).rstrip() + "\n", tuple(self.notes))

    def _host(self, host: str, with_mtu: bool) -> Iterator[str]:
        s = self.seen[host]
        yield f"ssh: {quoted(host)}"
        yield f"address: {_one(self._own(host))}"
        if endpoint := self.endpoint(host):
            yield f"endpoint: {quoted(endpoint)}"
        if self.is_relay(host):
            yield "relay: true          # others send it what is for third ones"
        if lans := self.lans(host):
            yield f"subnets: [{', '.join(map(str, lans))}]"
        yield f"listen_port: {s.wireguard[self.interface].listen_port}"
        keepalives = {peer.persistent_keepalive for peer in s.wireguard[self.interface].peers.values()}
        if keepalives - {25, 0}:
            yield f"persistent_keepalive: {max(keepalives)}"
        elif not endpoint and keepalives == {0}:
            yield "persistent_keepalive: 0"
        if with_mtu:
            yield f"mtu: {s.links.devices[self.interface].mtu}"


def _one(values: list[IPNetwork] | list[str]) -> str:
    told = [quoted(str(value)) for value in values]
    return told[0] if len(told) == 1 else f"[{', '.join(told)}]"
