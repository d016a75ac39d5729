"""Whether the values of an inventory fit each other; each trouble names both places."""

from __future__ import annotations

import re

from wgorch.inventory.fields.suggest import suggest
from wgorch.inventory.model import Host, Inventory, SshTarget
from wgorch.inventory.problems import Problems
from wgorch.inventory.rules.addresses import addresses, capacity, families, routing_loops, subnets
from wgorch.inventory.rules.locations import Locations


def check(inventory: Inventory, locations: Locations, problems: Problems) -> None:
    """Note everything that contradicts something else."""
    addresses(inventory, locations, problems)
    capacity(inventory, locations, problems)
    families(inventory, locations, problems)
    subnets(inventory, locations, problems)
    routing_loops(inventory, locations, problems)
    _endpoints(inventory, locations, problems)
    _links(inventory, locations, problems)
    _exits(inventory, locations, problems)
    _mtus(inventory, locations, problems)
    _devices(inventory, locations, problems)
    _jumps(inventory, locations, problems)
    _same_machine(inventory, locations, problems)


def _endpoints(inventory: Inventory, locations: Locations, problems: Problems) -> None:
    hosts = inventory.hosts
    relays = [name for name, host in hosts.items() if host.relay]
    for name, host in hosts.items():
        path = f"hosts.{name}"
        if host.relay and not host.endpoint and not problems.about(f"{path}.endpoint"):
            fix = f"endpoint: ADDRESS:{host.listen_port} under {name}"
            problems.add(
                locations.get(f"{path}.relay"),
                f"{path}.relay",
                "a relay must have an endpoint that others can dial",
                fix,
            )
        if host.endpoint and f"{path}.listen_port" in locations and host.endpoint.port != host.listen_port:
            given = f"port {host.endpoint.port} is not {path}.listen_port {host.listen_port}"
            fix = f"leave listen_port out, and it is {host.endpoint.port}"
            message = f"{given}; right only behind a port forward"
            problems.add(locations.get(f"{path}.endpoint"), f"{path}.endpoint", message, fix, warning=True)
        if not host.endpoint and host.persistent_keepalive == 0:
            message = "no endpoint and persistent_keepalive 0: others cannot reach it once its NAT forgets"
            problems.add(locations.get(path), path, message, "persistent_keepalive: 25", warning=True)
        if host.lan_interface and not host.subnets and not problems.about(f"{path}.subnets"):
            where = f"{path}.lan_interface"
            problems.add(
                locations.get(where), where, "given without subnets, so it is never used", "add subnets", warning=True
            )
        if host.lan_interface == inventory.network.interface:
            where = f"{path}.lan_interface"
            problems.add(
                locations.get(where), where, f"{host.lan_interface} is the tunnel itself", "name the LAN's card"
            )
    spokes = [n for n, host in hosts.items() if not host.endpoint and not problems.about(f"hosts.{n}.endpoint")]
    dialable = next((name for name, host in hosts.items() if host.endpoint), None)
    if len(spokes) > 1 and len(spokes) == len(hosts):
        message = "no host has an endpoint, so nobody can dial anybody"
        problems.add(
            locations.get(f"hosts.{spokes[0]}"), "hosts", message, "give the public host an endpoint and relay: true"
        )
    elif len(spokes) > 1 and not relays and dialable:
        message = f"{spokes[1]} and {spokes[0]} cannot dial each other, and no host is a relay"
        fix = f"relay: true under {dialable}"
        problems.add(locations.get(f"hosts.{spokes[1]}"), f"hosts.{spokes[1]}", message, fix, warning=True)


def _links(inventory: Inventory, locations: Locations, problems: Problems) -> None:
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
            problems.add(locations.get(path), path, problem, fix)


def _exits(inventory: Inventory, locations: Locations, problems: Problems) -> None:
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
            problems.add(locations.get(path), path, problem, fix)


def _mtus(inventory: Inventory, locations: Locations, problems: Problems) -> None:
    if all(subnet.version == 4 for subnet in inventory.network.subnets):
        return
    given = {"network.mtu": inventory.network.mtu}
    given |= {f"hosts.{name}.mtu": host.mtu for name, host in inventory.hosts.items()}
    for path, mtu in given.items():
        if mtu is not None and mtu < 1280:
            message = f"IPv6 needs an MTU of 1280 in the tunnel, not {mtu}"
            problems.add(locations.get(path), path, message, "1280 or more, or leave IPv6 out of network.subnet")


def _devices(inventory: Inventory, locations: Locations, problems: Problems) -> None:
    keys: dict[str, str] = {}
    for name, device in inventory.devices.items():
        path = f"devices.{name}"
        if name in inventory.hosts:
            where = locations.where(f"hosts.{name}")
            problems.add(locations.get(path), path, f"there is a host of that name ({where})", "another name")
        twin = keys.setdefault(device.public_key, name) if device.public_key else name
        if twin != name:
            message = f"is the key of devices.{twin}, too ({locations.where(f'devices.{twin}.public_key')})"
            where = f"{path}.public_key"
            problems.add(locations.get(where), where, message, "a key of its own; delete one of the two")
    if inventory.devices and not any(host.endpoint for host in inventory.hosts.values()):
        name = next(iter(inventory.devices))
        message = "no host has an endpoint that it could dial"
        problems.add(locations.get(f"devices.{name}"), f"devices.{name}", message, "endpoint: under a public host")


def _jumps(inventory: Inventory, locations: Locations, problems: Problems) -> None:
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
            problems.add(
                locations.get(path), path, f"cycle {' -> '.join([*trail, name])}", "let one of them be reached directly"
            )
        for jump in host.ssh.via:
            # Any word may be an alias of ~/.ssh/config; one that nearly names a host is more likely a slip.
            hint = (
                suggest(jump.host, hosts) if jump.host not in hosts and re.fullmatch(r"[a-z0-9-]+", jump.host) else ""
            )
            if hint and len(problems.found) < 100:
                message = f'there is no host "{jump.host}" here, so it must be an alias of ~/.ssh/config.{hint}'
                problems.add(
                    locations.get(path), path, message, "a host of this file, an alias, or user@host", warning=True
                )


def _same_machine(inventory: Inventory, locations: Locations, problems: Problems) -> None:
    seen: dict[tuple[object, ...], Host] = {}
    for name, host in inventory.hosts.items():
        target = host.ssh
        twin = seen.setdefault((target.host, target.port or 22, target.via), host)
        if twin is not host:
            path = f"hosts.{name}.ssh"
            where = locations.where(f"hosts.{twin.name}.ssh")
            problems.add(
                locations.get(path), path, f"{target} is also hosts.{twin.name} ({where})", "one entry for each machine"
            )
        if target.host in ("127.0.0.1", "localhost", "::1") and not target.via and not target.port:
            path = f"hosts.{name}.ssh"
            problems.add(
                locations.get(path), path, f"{target.host} is the machine wgorch runs on", 'say so: "ssh: local"'
            )
