"""Whether the values of an inventory fit each other; each trouble names both places."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator

from wgorch.inventory.addresses import next_free
from wgorch.inventory.fields import suggest
from wgorch.inventory.model import Host, Inventory, IPAddress, IPNetwork, SshTarget
from wgorch.inventory.source import Node, Troubles


class Places(dict[str, Node]):
    """Where each field of the file stands."""

    def where(self, path: str) -> str:
        """``line:column`` of a field."""
        node = self.get(path)
        return f"{node.line}:{node.column}" if node else "?"


def check(inventory: Inventory, places: Places, troubles: Troubles) -> None:
    """Note everything that contradicts something else."""
    _addresses(inventory, places, troubles)
    _room(inventory, places, troubles)
    _kinds(inventory, places, troubles)
    _subnets(inventory, places, troubles)
    _reachable_without_itself(inventory, places, troubles)
    _endpoints(inventory, places, troubles)
    _links(inventory, places, troubles)
    _exits(inventory, places, troubles)
    _mtus(inventory, places, troubles)
    _devices(inventory, places, troubles)
    _jumps(inventory, places, troubles)
    _same_machine(inventory, places, troubles)


def _addresses(inventory: Inventory, places: Places, troubles: Troubles) -> None:
    subnets = {subnet.version: subnet for subnet in inventory.network.subnets}
    used = {ip for host in inventory.members.values() for ip in host.given}
    seen: dict[object, str] = {}
    for path, name, ip in _given(inventory, places):
        subnet = subnets.get(ip.version, inventory.network.subnet)
        twin = seen.setdefault(ip, name)
        if ip.version != subnet.version or ip not in subnet:
            problem = f"lies outside network.subnet {subnet} ({places.where('network.subnet')})"
        elif subnet.num_addresses > 2 and ip == subnet.network_address:
            problem = f"is the network address of {subnet}"
        elif subnet.version == 4 and subnet.num_addresses > 2 and ip == subnet.broadcast_address:
            problem = f"is the broadcast address of {subnet}"
        elif twin != name:
            problem = f"is already used by {_address_of(twin, inventory, places).rpartition('.')[0]} ({places.where(_address_of(twin, inventory, places))})"
        else:
            continue
        free = next_free(subnet, used)
        troubles.add(
            places.get(path), path, f"{ip} {problem}", f"{free} is free" if free else "a larger network.subnet"
        )


def _address_of(name: str, inventory: Inventory, places: Places) -> str:
    path = f"{'devices' if name in inventory.devices else 'hosts'}.{name}.address"
    return path if path in places else f"{path}[0]"


def _given(inventory: Inventory, places: Places) -> Iterator[tuple[str, str, IPAddress]]:
    for name, host in inventory.members.items():
        for i, ip in enumerate(host.given):
            path = f"{'devices' if host.is_device else 'hosts'}.{name}.address"
            yield (f"{path}[{i}]" if f"{path}[{i}]" in places else path), name, ip


def _room(inventory: Inventory, places: Places, troubles: Troubles) -> None:
    """Every host needs an address in each subnet."""
    for subnet in inventory.network.subnets:
        room = max(1, subnet.num_addresses - (2 if subnet.version == 4 and subnet.prefixlen < 31 else 0))
        if len(inventory.members) > room:
            message = f"{subnet} has room for {room} hosts; there are {len(inventory.members)}"
            troubles.add(places.get("network.subnet"), "network.subnet", message, "a larger network.subnet")


def _kinds(inventory: Inventory, places: Places, troubles: Troubles) -> None:
    """A LAN can be reached only by hosts that have an address of its kind in the tunnel."""
    kinds = {subnet.version for subnet in inventory.network.subnets}
    for path, lan in _lans(inventory):
        if lan.version not in kinds:
            message = f"{lan} is of IPv{lan.version}, but the tunnel has no network of that kind"
            example = "192.168.2.0/24" if lan.version == 4 else "fd00:2::/64"
            subnets = ", ".join(f'"{s}"' for s in (*inventory.network.subnets, example))
            troubles.add(places.get(path), path, message, f"network.subnet: [{subnets}]")


def _lans(inventory: Inventory) -> Iterator[tuple[str, IPNetwork]]:
    for name, host in inventory.hosts.items():
        for i, lan in enumerate(host.subnets):
            yield f"hosts.{name}.subnets[{i}]", lan


def _subnets(inventory: Inventory, places: Places, troubles: Troubles) -> None:
    tunnels = [("network.subnet", subnet) for subnet in inventory.network.subnets]
    spans = sorted(_spans([*_lans(inventory), *tunnels]))
    # Sorted by first address: a network overlaps another one only if it starts before the widest open one ends.
    widest: tuple[int, str, IPNetwork] | None = None
    version = 0
    for ip_version, first, last, path, lan in spans:
        if ip_version != version:
            widest, version = None, ip_version
        if widest and first <= widest[0]:
            _overlap(path, lan, widest[1], widest[2], places, troubles)
        if not widest or last > widest[0]:
            widest = (last, path, lan)


def _spans(lans: Iterable[tuple[str, IPNetwork]]) -> Iterator[tuple[int, int, int, str, IPNetwork]]:
    for path, lan in lans:
        yield lan.version, int(lan.network_address), int(lan.broadcast_address), path, lan


def _overlap(path: str, lan: IPNetwork, other: str, wide: IPNetwork, places: Places, troubles: Troubles) -> None:
    if "network.subnet" in (path, other):
        if path == "network.subnet":
            path, lan, other, wide = other, wide, path, lan
        message = f"{lan} overlaps network.subnet {wide} ({places.where(other)})"
        troubles.add(places.get(path), path, message, "choose another tunnel network")
        return
    first, second = (places.get(other), places.get(path))
    if first and second and (second.line, second.column) < (first.line, first.column):
        path, lan, other, wide = other, wide, path, lan
    relation = "equals" if lan == wide else "contains" if lan.prefixlen < wide.prefixlen else "lies inside"
    message = f"{lan} {relation} {other} {wide} ({places.where(other)}); WireGuard gives an address to one peer only"
    troubles.add(places.get(path), path, message, "give each LAN one gateway, or renumber one LAN")


def _reachable_without_itself(inventory: Inventory, places: Places, troubles: Troubles) -> None:
    """A LAN in the tunnel must not hold what carries the tunnel."""
    by_mask: dict[tuple[int, int], dict[int, str]] = {}
    for path, lan in _lans(inventory):
        by_mask.setdefault((lan.version, lan.max_prefixlen - lan.prefixlen), {})[int(lan.network_address)] = path

    def lan_of(ip: IPAddress) -> Iterator[str]:
        for (version, low_bits), lans in by_mask.items():
            path = lans.get(int(ip) >> low_bits << low_bits) if version == ip.version else None
            if path:
                yield path

    tunnels = inventory.network.subnets
    for name, host in inventory.hosts.items():
        where = f"hosts.{name}.endpoint"
        ip = _as_address(host.endpoint.host) if host.endpoint else None
        for path in lan_of(ip) if ip else ():
            message = f"it contains the endpoint of {name} {ip} ({places.where(where)}): the tunnel would carry itself"
            troubles.add(places.get(path), path, message, "narrow the subnet")
        if ip and any(ip in tunnel for tunnel in tunnels):
            message = f"{ip} lies inside network.subnet: the tunnel would carry itself"
            troubles.add(places.get(where), where, message, "the endpoint is the address outside the tunnel")
        where = f"hosts.{name}.ssh"
        ip = _as_address(host.ssh.host)
        for path in lan_of(ip) if ip else ():
            if not path.startswith(f"hosts.{name}."):
                message = f"it contains the SSH address of {name} {ip} ({places.where(where)}), not behind this gateway"
                troubles.add(places.get(path), path, message, "narrow the subnet", warning=True)
        if ip and any(ip in tunnel for tunnel in tunnels):
            message = f"{ip} lies inside network.subnet: SSH would need the tunnel that it builds"
            troubles.add(places.get(where), where, message, "the address outside the tunnel", warning=True)


def _as_address(text: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _endpoints(inventory: Inventory, places: Places, troubles: Troubles) -> None:
    hosts = inventory.hosts
    relays = [name for name, host in hosts.items() if host.relay]
    for name, host in hosts.items():
        path = f"hosts.{name}"
        if host.relay and not host.endpoint and not troubles.about(f"{path}.endpoint"):
            fix = f"endpoint: ADDRESS:{host.listen_port} under {name}"
            troubles.add(
                places.get(f"{path}.relay"), f"{path}.relay", "a relay must have an endpoint that others can dial", fix
            )
        if host.endpoint and f"{path}.listen_port" in places and host.endpoint.port != host.listen_port:
            given = f"port {host.endpoint.port} is not {path}.listen_port {host.listen_port}"
            fix = f"leave listen_port out, and it is {host.endpoint.port}"
            message = f"{given}; right only behind a port forward"
            troubles.add(places.get(f"{path}.endpoint"), f"{path}.endpoint", message, fix, warning=True)
        if not host.endpoint and host.persistent_keepalive == 0:
            message = "no endpoint and persistent_keepalive 0: others cannot reach it once its NAT forgets"
            troubles.add(places.get(path), path, message, "persistent_keepalive: 25", warning=True)
        if host.lan_interface and not host.subnets and not troubles.about(f"{path}.subnets"):
            where = f"{path}.lan_interface"
            troubles.add(
                places.get(where), where, "given without subnets, so it is never used", "add subnets", warning=True
            )
        if host.lan_interface == inventory.network.interface:
            where = f"{path}.lan_interface"
            troubles.add(places.get(where), where, f"{host.lan_interface} is the tunnel itself", "name the LAN's card")
    spokes = [n for n, host in hosts.items() if not host.endpoint and not troubles.about(f"hosts.{n}.endpoint")]
    dialable = next((name for name, host in hosts.items() if host.endpoint), None)
    if len(spokes) > 1 and len(spokes) == len(hosts):
        message = "no host has an endpoint, so nobody can dial anybody"
        troubles.add(
            places.get(f"hosts.{spokes[0]}"), "hosts", message, "give the public host an endpoint and relay: true"
        )
    elif len(spokes) > 1 and not relays and dialable:
        message = f"{spokes[1]} and {spokes[0]} cannot dial each other, and no host is a relay"
        fix = f"relay: true under {dialable}"
        troubles.add(places.get(f"hosts.{spokes[1]}"), f"hosts.{spokes[1]}", message, fix, warning=True)


def _links(inventory: Inventory, places: Places, troubles: Troubles) -> None:
    hosts = inventory.hosts
    relays = [name for name, host in hosts.items() if host.relay]
    chosen: dict[str, str] = {}
    for i, link in enumerate(inventory.links):
        path, pair = f"links[{i}]", (hosts[link.one], hosts[link.other])
        problem, fix = "", ""
        spokes = [host.name for host in pair if not host.endpoint]
        relay = next((host.name for host in pair if host.relay), None)
        if link.one == link.other:
            problem, fix = f"{link.one} is linked to itself", "name two hosts"
        elif len(spokes) == 2:
            problem = f"neither {link.one} nor {link.other} has an endpoint, so neither can dial the other"
            fix = "delete the line; they meet at a relay"
        elif not link.wanted and relay:
            problem, fix = f"{relay} is a relay; it must reach everybody", "relay: false there, or delete the line"
        elif not link.wanted and not relays:
            problem, fix = f"{link.one} and {link.other} could meet nowhere: no host is a relay", "relay: true on one"
        elif link.wanted and relay and spokes and chosen.setdefault(spokes[0], relay) != relay:
            problem = f"{spokes[0]} has the relay {chosen[spokes[0]]} already; a packet must come back the way it went"
            fix = "keep one of the two"
        if problem:
            troubles.add(places.get(path), path, problem, fix)


def _exits(inventory: Inventory, places: Places, troubles: Troubles) -> None:
    hosts = inventory.hosts
    for name, member in inventory.members.items():
        path = f"{'devices' if member.is_device else 'hosts'}.{name}.exit"
        if member.exit is None:
            continue
        through = hosts.get(member.exit)
        dialable = [n for n, host in hosts.items() if host.endpoint and n != name]
        problem = ""
        if through is None:
            problem = f'there is no host "{member.exit}".{suggest(member.exit, hosts)}'
        elif member.exit == name:
            problem = "a host cannot leave through itself"
        elif not through.endpoint:
            problem = f"{member.exit} has no endpoint, so {name} has no session with it"
        elif through.exit:
            problem = f"{member.exit} leaves through {through.exit} itself"
        elif member.relay:
            problem = f"{name} is a relay; what it hands on would leave through {member.exit}, too"
        if problem:
            fix = f"one of: {', '.join(dialable[:8])}" if dialable else "delete the line"
            troubles.add(places.get(path), path, problem, fix)


def _mtus(inventory: Inventory, places: Places, troubles: Troubles) -> None:
    if all(subnet.version == 4 for subnet in inventory.network.subnets):
        return
    given = {"network.mtu": inventory.network.mtu}
    given |= {f"hosts.{name}.mtu": host.mtu for name, host in inventory.hosts.items()}
    for path, mtu in given.items():
        if mtu is not None and mtu < 1280:
            message = f"IPv6 needs an MTU of 1280 in the tunnel, not {mtu}"
            troubles.add(places.get(path), path, message, "1280 or more, or leave IPv6 out of network.subnet")


def _devices(inventory: Inventory, places: Places, troubles: Troubles) -> None:
    keys: dict[str, str] = {}
    for name, device in inventory.devices.items():
        path = f"devices.{name}"
        if name in inventory.hosts:
            where = places.where(f"hosts.{name}")
            troubles.add(places.get(path), path, f"there is a host of that name ({where})", "another name")
        twin = keys.setdefault(device.public_key, name) if device.public_key else name
        if twin != name:
            message = f"is the key of devices.{twin}, too ({places.where(f'devices.{twin}.public_key')})"
            where = f"{path}.public_key"
            troubles.add(places.get(where), where, message, "a key of its own; delete one of the two")
    if inventory.devices and not any(host.endpoint for host in inventory.hosts.values()):
        name = next(iter(inventory.devices))
        message = "no host has an endpoint that it could dial"
        troubles.add(places.get(f"devices.{name}"), f"devices.{name}", message, "endpoint: under a public host")


def _jumps(inventory: Inventory, places: Places, troubles: Troubles) -> None:
    hosts = inventory.hosts

    def next_hosts(target: SshTarget) -> list[str]:
        return [jump.host for jump in target.via if jump.host in hosts and not jump.user and not jump.port]

    good: set[str] = set()
    for name, host in hosts.items():
        trail, here = {name: None}, next_hosts(host.ssh)
        while here and here[0] not in trail and here[0] not in good:
            trail[here[0]] = None
            here = next_hosts(hosts[here[0]].ssh)
        path = f"hosts.{name}.ssh.via"
        if not here or here[0] in good:
            good.update(trail)
        elif here[0] == name:
            troubles.add(
                places.get(path), path, f"cycle {' -> '.join([*trail, name])}", "let one of them be reached directly"
            )
        for jump in host.ssh.via:
            # Any word may be an alias of ~/.ssh/config; one that nearly names a host is more likely a slip.
            hint = (
                suggest(jump.host, hosts) if jump.host not in hosts and re.fullmatch(r"[a-z0-9-]+", jump.host) else ""
            )
            if hint and len(troubles.found) < 100:
                message = f'there is no host "{jump.host}" here, so it must be an alias of ~/.ssh/config.{hint}'
                troubles.add(
                    places.get(path), path, message, "a host of this file, an alias, or user@host", warning=True
                )


def _same_machine(inventory: Inventory, places: Places, troubles: Troubles) -> None:
    seen: dict[tuple[object, ...], Host] = {}
    for name, host in inventory.hosts.items():
        target = host.ssh
        twin = seen.setdefault((target.host, target.port or 22, target.via), host)
        if twin is not host:
            path = f"hosts.{name}.ssh"
            where = places.where(f"hosts.{twin.name}.ssh")
            troubles.add(
                places.get(path), path, f"{target} is also hosts.{twin.name} ({where})", "one entry for each machine"
            )
        if target.host in ("127.0.0.1", "localhost", "::1") and not target.via and not target.port:
            path = f"hosts.{name}.ssh"
            troubles.add(places.get(path), path, f"{target.host} is the machine wgorch runs on", 'say so: "ssh: local"')
