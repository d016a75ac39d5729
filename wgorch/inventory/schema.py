"""The fields of an inventory in one table: what each means, how it is read; validation and JSON Schema come from it."""

from __future__ import annotations

from typing import Any

from wgorch.base.value import value
from wgorch.inventory import fields as f


@value
class Entry:
    """One field of a mapping."""

    reader: f.Reader
    doc: str
    required: bool = False
    example: str = ""


NETWORK = {
    "name": Entry(f.NETWORK_NAME, "Marks everything of this network on every host.", True, "office"),
    "subnet": Entry(
        f.OneOrTwo(f.SUBNET),
        "The tunnel's own network; every host has an address in it. For both kinds of IP a list of two.",
        True,
        "192.168.2.0/24",
    ),
    "interface": Entry(f.TUNNEL_NAME, "The WireGuard interface on every host (wg0).", example="wg0"),
    "listen_port": Entry(f.number(1, 65535, "a port"), "UDP port where a host names none (51820).", example="51820"),
    "mtu": Entry(
        f.number(576, 1500, "an MTU", "1420"),
        "MTU of the tunnel; where left out, the smallest that is measured between endpoints, less WireGuard's bytes.",
    ),
    "persistent_keepalive": Entry(
        f.number(0, 65535, "seconds", "25"), "Seconds between keepalives of hosts behind NAT (25).", example="15"
    ),
    "preshared_keys": Entry(f.FLAG, "A second secret for each pair of hosts, besides their keys (false)."),
    "direct": Entry(
        f.choice_of("try"),
        "`try`: hosts behind NAT that meet at a relay leave it out where their NATs let them; otherwise nothing changes.",
        example="try",
    ),
}


HOST = {
    "ssh": Entry(f.MACHINE, "How SSH gets there: [user@]host[:port], a mapping, or `local` for this machine.", True),
    "address": Entry(
        f.OneOrTwo(f.ADDRESS),
        "The host's address in the tunnel; left out, it gets the next free one, and keeps it.",
        example="192.168.2.1",
    ),
    "endpoint": Entry(
        f.ENDPOINT, "Where others can dial this host: host:port. Leave it out behind NAT.", example="203.0.113.13:51820"
    ),
    "relay": Entry(f.FLAG, "Forwards between hosts that cannot dial each other.", example="true"),
    "subnets": Entry(
        f.Listing(f.MAPPED_LAN),
        "LANs that this host is the gateway of. One that others have, too, goes by another name in the tunnel:"
        " `{lan: 10.10.13.0/24, as: 10.99.13.0/24}`.",
        example="[10.10.13.0/24]",
    ),
    "lan_interface": Entry(f.CARD, "The card of those LANs; found by itself where left out.", example="ens192"),
    "masquerade": Entry(f.FLAG, "Tunnel traffic enters the LANs under the gateway's own address (true)."),
    "listen_port": Entry(f.number(1, 65535, "a port"), "UDP port of this host; the endpoint's where it has one."),
    "mtu": Entry(f.number(576, 1500, "an MTU", "1420"), "MTU of this host's tunnel interface."),
    "persistent_keepalive": Entry(f.number(0, 65535, "seconds", "25"), "Seconds between this host's keepalives."),
    "exit": Entry(f.HOST_NAME, "The host through which everything else of this one goes out, IPv6 too.", example="bcc"),
    "dns": Entry(f.Listing(f.ADDRESS), "Name servers of this host while the tunnel is there.", example="[9.9.9.9]"),
    "private_key": Entry(
        f.KEY_SOURCE,
        "Where this host's key is, if it is not to be born there: `{file: /etc/…}`, or `{command: [pass, show, wg]}`;"
        " read on the host, and never seen by us.",
        example="{file: /etc/wireguard/key}",
    ),
    "enter": Entry(
        f.Listing(f.WORD),
        "The command that leads from there into what is meant, where that is a container: it gets `/bin/sh` as its last word.",
        example="[docker, exec, -i, web]",
    ),
    "wireguard_go": Entry(f.FLAG, "wireguard-go may be used where the kernel has no WireGuard (true)."),
    "host_key": Entry(f.HOST_KEY, "The SSH host key to expect, in place of known_hosts.", example="SHA256:…"),
}


DEVICE = {
    "public_key": Entry(
        f.PUBLIC_KEY, "The key that the device made; without one it waits for `wgorch export NAME`, which makes one."
    ),
    "address": Entry(f.OneOrTwo(f.ADDRESS), "Its address in the tunnel; left out, it gets the next free one."),
    "persistent_keepalive": Entry(f.number(0, 65535, "seconds", "25"), "Seconds between its keepalives (25)."),
    "exit": Entry(f.HOST_NAME, "The host through which everything of it goes out.", example="bcc"),
    "dns": Entry(f.Listing(f.ADDRESS), "Name servers, for its file.", example="[9.9.9.9]"),
}


SSH = {
    "host": Entry(f.MACHINE, "Name or address, or an alias of ~/.ssh/config.", True, "10.10.13.62"),
    "user": Entry(f.USER_NAME, "Login name."),
    "port": Entry(f.number(1, 65535, "a port"), "TCP port (22)."),
    "via": Entry(f.MACHINE, "Jump host: [user@]host[:port], an alias, another host of this file, or a list of those."),
    "identity": Entry(f.PATH, "Private key file on this machine."),
}


TOP = {
    "network": "What all hosts share.",
    "hosts": "The machines, by name.",
    "devices": "Peers that SSH does not reach (phones, other people's routers), by name.",
    "links": "What is not to follow from the endpoints: `home -- bcc2` (its relay), `cloud -x- home` (only by a relay).",
    "verify": "Flows that must work: `host -> address`; `up` pings each.",
}


def json_schema() -> dict[str, Any]:
    """The whole file as JSON Schema (draft 2020-12), for editors."""
    target: dict[str, Any] = {"anyOf": [{"type": "string"}, _record(SSH)]}
    jump = {"anyOf": [{"type": "string"}, _record(SSH)]}
    via = {"anyOf": [*jump["anyOf"], {"type": "array", "items": jump}]}
    target["anyOf"][1]["properties"]["via"] = via | {"description": SSH["via"].doc}
    host = _record(HOST)
    host["properties"]["ssh"] = target | {"description": HOST["ssh"].doc}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "wgorch inventory",
        "type": "object",
        "required": ["network", "hosts"],
        "additionalProperties": False,
        "properties": {
            "network": _record(NETWORK) | {"description": TOP["network"]},
            "hosts": {
                "type": "object",
                "description": TOP["hosts"],
                "minProperties": 1,
                "propertyNames": {"pattern": f"^(?:{f.HOST_NAME.schema['pattern'][4:-2]})$"},
                "additionalProperties": host,
            },
            "devices": {
                "type": "object",
                "description": TOP["devices"],
                "propertyNames": {"pattern": f"^(?:{f.HOST_NAME.schema['pattern'][4:-2]})$"},
                "additionalProperties": _record(DEVICE),
            },
            "links": {
                "type": "array",
                "description": TOP["links"],
                "items": {"type": "string", "pattern": r"^\s*\S+\s+(?:--|-x-)\s+\S+\s*$"},
            },
            "verify": {
                "type": "array",
                "description": TOP["verify"],
                "items": {"type": "string", "pattern": r"^\s*\S+\s*->\s*\S+\s*$"},
            },
        },
    }


def _record(entries: dict[str, Entry]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name, entry in entries.items() if entry.required],
        "properties": {name: entry.reader.schema | {"description": entry.doc} for name, entry in entries.items()},
    }
