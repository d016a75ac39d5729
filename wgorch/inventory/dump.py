"""Write a loaded inventory as data that loads to the same again: all that hosts need, and nothing of one person's machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

import yaml

from wgorch.inventory.approval import ApprovalRule
from wgorch.inventory.failover import Failover
from wgorch.inventory.flow import LinkRule
from wgorch.inventory.model import AUTO, DEFAULT_PORT, Host, Inventory, IPAddress, IPNetwork, Network, SshTarget
from wgorch.inventory.policy import ANY, INTERNET, LAN, PolicyRule, is_address


def dump(inventory: Inventory, *, identities: bool = False) -> dict[str, Any]:
    """The sections of the file, with every address as it is now, and defaults left out.

    `identities`: with the key files that one person's machine logs in with.
    """
    found = {
        "network": _network(inventory.network),
        "hosts": {name: _host(host, identities=identities) for name, host in inventory.hosts.items()},
        "devices": {name: _device(device) for name, device in inventory.devices.items()},
        "groups": _groups(inventory),
        "links": list(_links(inventory.links)),
        "policy": [_line(str(rule)) for rule in _policy(inventory)],
        "approve": _approve(inventory.approve),
        "verify": [_line(text) for text in dict.fromkeys(map(str, inventory.verify))],
    }
    return _given(found)


def _links(rules: Iterable[LinkRule]) -> Iterator[str]:
    """The lines of `links:`; neighbouring rules about the relays of one spoke are one."""
    for (one, peering, _), some in groupby(rules, key=lambda rule: (rule.one, rule.peering, rule.number)):
        others = [rule.other for rule in some]
        relays = f"[{', '.join(others)}]" if len(others) > 1 else others[0]
        yield f"{one} {'--' if peering else '-x-'} {relays}"


def _approve(rule: ApprovalRule | None) -> dict[str, Any]:
    return _given({"needs": rule.needs, "signers": list(rule.signers), "revoked": list(rule.revoked)}) if rule else {}


def _line(text: str) -> Any:
    """A line of a policy or of `verify:`; YAML has the services as the value of a mapping."""
    head, colon, services = text.partition(": ")
    return {head: services} if colon else text


def _policy(inventory: Inventory) -> list[PolicyRule]:
    """The lines whose sides are known: not every member may be among the hosts of a record."""
    groups = {name for name, its in inventory.groups.items() if any(is_known(each, inventory) for each in its)}
    return [r for r in inventory.policy if all(s in groups or is_known(s, inventory) for s in (r.source, r.target))]


def _groups(inventory: Inventory) -> dict[str, list[str]]:
    """The groups that the policy names."""
    named = {side for rule in _policy(inventory) for side in (rule.source, rule.target)}
    return {
        name: [each for each in its if is_known(each, inventory)]
        for name, its in inventory.groups.items()
        if name in named
    }


def is_known(side: str, inventory: Inventory) -> bool:
    """True for a side that is no group: a member, its LAN, an address, or a word of policies."""
    return is_address(side) or side in (ANY, INTERNET) or side.removesuffix(LAN) in inventory.members


def dump_text(inventory: Inventory, *, identities: bool = False) -> str:
    """The same as YAML, which a person may edit."""
    return yaml.safe_dump(dump(inventory, identities=identities), sort_keys=False, default_flow_style=None, width=120)


def digest(inventory: Inventory) -> str:
    """Name an inventory as it was resolved: the same for the same network, wherever its file lies."""
    text = json.dumps(dump(inventory, identities=True), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def in_one_line(field: str, value: Any) -> str:
    """A field as a line of YAML."""
    return yaml.safe_dump({field: value}, default_flow_style=True, width=10_000, sort_keys=False).strip()[1:-1]


def _network(network: Network) -> dict[str, Any]:
    preshared: Any = network.preshared_keys
    if preshared and not network.over_classical:
        preshared = {"over_classical": False}
    return _given(
        {
            "name": network.name,
            "subnet": _one_or_more(network.subnets),
            "interface": network.interface if network.interface != "wg0" else None,
            "mtu": network.mtu,
            "preshared_keys": preshared or None,
            "direct": "try" if network.direct else None,
            "failover": _failover(network.failover),
        }
    )


def _failover(failover: Failover) -> dict[str, Any]:
    usual = Failover()
    return _given(
        {
            "interval": f"{failover.interval_ms}ms" if failover.interval_ms != usual.interval_ms else None,
            "misses": failover.misses if failover.misses != usual.misses else None,
            "back": f"{failover.back_s}s" if failover.back_s != usual.back_s else None,
        }
    )


def _host(host: Host, *, identities: bool) -> dict[str, Any]:
    return _given(
        {
            "ssh": ssh(host.ssh, identities=identities),
            "address": _one_or_more(host.addresses),
            "single_address": host.single_address or None,
            "endpoint": _endpoint(host),
            "relay": host.relay or None,
            "subnets": [_subnet(host, subnet) for subnet in host.subnets],
            "behind": host.behind,
            "lan_interface": host.lan_interface,
            "masquerade": None if host.masquerade else False,
            "listen_port": host.listen_port if host.listen_port != _usual_port(host) else None,
            "standby_port": host.standby_port or None,
            "relay_port": host.relay_port or None,
            "mtu": host.mtu,
            "persistent_keepalive": _keepalive(host),
            "exit": host.exit,
            "dns": [str(server) for server in host.dns],
            "private_key": {"command": list(host.private_key)} if host.private_key else None,
            "enter": list(host.enter),
            "wireguard_go": None if host.wireguard_go else False,
            "host_key": host.host_key,
        }
    )


def _usual_port(host: Host) -> int:
    """Its UDP port where the file gives none."""
    if host.ways:
        return 0  # a list gives several: the port is written out
    return host.endpoint.port if host.endpoint else DEFAULT_PORT


def _endpoint(host: Host) -> Any:
    if not host.ways:
        return str(host.endpoint) if host.endpoint else None
    return [
        _given({"lan" if way.in_lan else "address": str(way.endpoint), "only": list(way.only)}) for way in host.ways
    ]


def _device(device: Host) -> dict[str, Any]:
    return _given(
        {
            "public_key": device.public_key,
            "address": _one_or_more(device.addresses),
            "subnets": [_subnet(device, subnet) for subnet in device.subnets],
            "endpoint": _endpoint(device),
            "listen_port": device.listen_port
            if device.all_ways and device.listen_port != _usual_port(device)
            else None,
            "persistent_keepalive": _keepalive(device),
            "relay": device.chosen_relay,
            "exit": device.exit,
            "dns": [str(server) for server in device.dns],
        }
    )


def _keepalive(host: Host) -> int | None:
    return host.persistent_keepalive if host.persistent_keepalive != Host.persistent_keepalive else None


def _subnet(host: Host, subnet: IPNetwork) -> Any:
    real = host.real(subnet)
    return str(subnet) if real == subnet else {"lan": str(real), "as": str(subnet)}


def ssh(target: SshTarget, *, identities: bool) -> Any:
    identity = target.identity if identities else None
    plain = not target.via and target.client == AUTO and not identity
    if plain and (":" not in target.host or target.port):
        return str(target)
    return _given(
        {
            "host": target.host,
            "user": target.user,
            "port": target.port,
            "via": [ssh(jump, identities=identities) for jump in target.via],
            "identity": str(identity) if identity else None,
            "client": target.client if target.client != AUTO else None,
        }
    )


def _one_or_more(values: Iterable[IPAddress | IPNetwork]) -> Any:
    texts = [str(each) for each in values]
    return texts[0] if len(texts) == 1 else texts


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are not as they would be if left out."""
    return {key: each for key, each in fields.items() if each not in (None, [], {})}
