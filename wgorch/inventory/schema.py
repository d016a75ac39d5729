"""The fields of an inventory in one table: how each is read, and its documentation. Also the JSON Schema."""

from __future__ import annotations

from typing import Any, NamedTuple

from wgorch.inventory import fields as f
from wgorch.inventory.fields.scalars import milliseconds


class Entry(NamedTuple):
    """One field of a mapping."""

    reader: f.Reader
    """How the value is read."""
    doc: str
    """What the field means; a default stands in parentheses."""
    required: bool = False
    """True if the field must be given."""
    example: str = ""
    """A value as it is typed."""


_PORT = f.number(1, 65535, "a port")
_MTU = f.number(576, 1500, "an MTU", "1420")
_SECONDS = f.number(0, 65535, "seconds", "25")

NETWORK = {
    "name": Entry(f.NETWORK_NAME, "Name of the network; marks all that wgorch creates on a host.", True, "office"),
    "subnet": Entry(
        f.OneOrTwo(f.SUBNET),
        "Tunnel network; each host has an address in it. A list of two for IPv4 and IPv6.",
        True,
        "192.168.2.0/24",
    ),
    "interface": Entry(f.TUNNEL_NAME, "WireGuard interface on every host (wg0).", example="wg0"),
    "listen_port": Entry(_PORT, "UDP port of hosts without their own (51820).", example="51820"),
    "mtu": Entry(_MTU, "Tunnel MTU (default: smallest path MTU between endpoints, minus WireGuard overhead)."),
    "persistent_keepalive": Entry(_SECONDS, "Keepalive interval in seconds of hosts behind NAT (25).", example="15"),
    "preshared_keys": Entry(
        f.PRESHARED_KEYS,
        "Use a preshared key for each pair of hosts (false). `{over_classical: false}`: refuse to send one over an SSH"
        " session without post-quantum key exchange.",
        example="true",
    ),
    "ssh": Entry(
        f.SSH_DEFAULTS,
        "SSH client for all hosts: `auto` (paramiko; OpenSSH's where a host needs it), `paramiko` or `openssh` (auto).",
        example="{client: openssh}",
    ),
    "direct": Entry(
        f.choice_of("try"),
        "`try`: hosts behind NAT bypass their relay if their NATs allow it; otherwise they keep using it.",
        example="try",
    ),
    "failover": Entry(
        f.FAILOVER,
        "With several relays, when a host takes its next one: `interval` between two pings (1s), `misses` in a row (3), and"
        " `back`, how long the preferred relay must answer before it is used again (60s).",
        example="{interval: 500ms, misses: 4, back: 2min}",
    ),
}

HOST = {
    "ssh": Entry(f.MACHINE, "SSH target: [user@]host[:port], a mapping, or `local` for this machine.", True),
    "address": Entry(
        f.OneOrTwo(f.ADDRESS), "Tunnel address (default: next free one, then kept).", example="192.168.2.1"
    ),
    "endpoint": Entry(
        f.ENDPOINTS,
        "Public host:port; omit behind NAT. Or a list of endpoints: each peer takes the first that it can reach, an address"
        " in its own LAN (`lan:`) before others; `only:` names the members or groups that one is for.",
        example="203.0.113.13:51820",
    ),
    "relay": Entry(f.FLAG, "Forward between hosts that cannot connect to each other (false).", example="true"),
    "subnets": Entry(
        f.Listing(f.MAPPED_LAN),
        "LANs behind this host. For a LAN whose addresses another host's LAN also has, give the network that stands for"
        " it in the tunnel: `{lan: 10.10.13.0/24, as: 10.99.13.0/24}`.",
        example="[10.10.13.0/24]",
    ),
    "behind": Entry(
        f.HOST_NAME, "Gateway in whose LAN this host itself is: it gets no route to it.", example="company"
    ),
    "lan_interface": Entry(f.INTERFACE, "LAN interface (default: auto-detected).", example="ens192"),
    "masquerade": Entry(f.FLAG, "Masquerade tunnel traffic into the LANs as the gateway's own address (true)."),
    "listen_port": Entry(_PORT, "UDP port (default: port of the endpoint, or the network's listen_port)."),
    "standby_port": Entry(
        _PORT, "UDP port of the session with the host's second relay; those of further ones follow (listen_port + 1)."
    ),
    "relay_port": Entry(
        _PORT,
        "On a relay: UDP port of the session with the first relay of the file; those with the others follow"
        " (listen_port + 1).",
    ),
    "mtu": Entry(_MTU, "Tunnel MTU of this host (default: the network's)."),
    "persistent_keepalive": Entry(_SECONDS, "Keepalive interval in seconds, used behind NAT (default: the network's)."),
    "exit": Entry(f.HOST_NAME, "Exit node: route all other IPv4 and IPv6 traffic through this host.", example="bcc"),
    "dns": Entry(f.Listing(f.ADDRESS), "Name servers while the tunnel is up.", example="[9.9.9.9]"),
    "private_key": Entry(
        f.KEY_SOURCE,
        "Source of the private key: `{file: /etc/…}`, or `{command: [pass, show, wg]}`, read on the host and never"
        " transferred (default: generated on the host).",
        example="{file: /etc/wireguard/key}",
    ),
    "enter": Entry(
        f.Listing(f.WORD),
        "Command that enters the container or namespace after login; `/bin/sh` is appended.",
        example="[docker, exec, -i, web]",
    ),
    "single_address": Entry(
        f.FLAG, "Give the interface the address alone (/32, /128), and a route to the subnet (false)."
    ),
    "wireguard_go": Entry(f.FLAG, "Use wireguard-go if the kernel has no WireGuard (true)."),
    "host_key": Entry(f.HOST_KEY, "Expected SSH host key, used instead of known_hosts.", example="SHA256:…"),
}

NOT_COMMON = frozenset({"ssh", "address", "endpoint", "host_key"})
"""Fields that two hosts never share."""

DEVICE = {
    "public_key": Entry(f.PUBLIC_KEY, "Public key of the device (default: generated by `wgorch export NAME`)."),
    "address": Entry(f.OneOrTwo(f.ADDRESS), "Tunnel address (default: next free one, then kept)."),
    "subnets": Entry(f.Listing(f.MAPPED_LAN), "LANs behind it, where it is a router.", example="[192.168.178.0/24]"),
    "endpoint": Entry(f.ENDPOINTS, "Public host:port, or a list; omit behind NAT.", example="198.51.100.9:51820"),
    "listen_port": Entry(_PORT, "UDP port (default: port of the endpoint, or the network's listen_port)."),
    "persistent_keepalive": Entry(_SECONDS, "Keepalive interval in seconds (default: the network's)."),
    "relay": Entry(f.HOST_NAME, "Relay that it connects to (default: the first of the file).", example="bcc2"),
    "exit": Entry(f.HOST_NAME, "Exit node: route all other traffic through this host.", example="bcc"),
    "dns": Entry(f.Listing(f.ADDRESS), "Name servers in the exported file.", example="[9.9.9.9]"),
}

SSH = {
    "host": Entry(f.MACHINE, "Host name, address, or alias of ~/.ssh/config.", True, "10.10.13.62"),
    "user": Entry(f.USER_NAME, "Login name."),
    "port": Entry(_PORT, "TCP port (22)."),
    "via": Entry(f.MACHINE, "Jump host: [user@]host[:port], an alias, another host of this file, or a list of those."),
    "identity": Entry(f.PATH, "Private key file on this machine."),
    "client": Entry(
        f.CLIENT, "SSH client: `auto`, `paramiko` or `openssh` (default: the network's).", example="openssh"
    ),
}

FROM = {
    "command": Entry(
        f.Listing(f.WORD),
        "Program that prints members as one JSON object; it runs in the inventory's folder, without a shell.",
        example="[terraform, output, -json, wgorch]",
    ),
    "ansible": Entry(f.PATH, "Ansible inventory, INI or YAML, or a folder of them.", example="hosts.ini"),
    "group": Entry(f.WORD, "Of an Ansible inventory: take the hosts of this group only (all).", example="gateways"),
    "netbox": Entry(f.WORD, "URL of NetBox.", example="https://netbox.example"),
    "tag": Entry(f.WORD, "Of NetBox: tag of the devices, and of the prefixes of their sites.", example="wgorch"),
    "token": Entry(
        f.WORD,
        "Of NetBox: where its token comes from: `{env: NAME}`, `{file: PATH}` or `{command: [WORD, …]}`; with"
        " --run-sources only.",
        example="{env: NETBOX_TOKEN}",
    ),
    "timeout": Entry(milliseconds(1000, 600_000, "30s"), "How long it may take (30s).", example="2min"),
}
"""Fields of a source."""

APPROVE = {
    "needs": Entry(
        f.number(1, 99, "a number of signers", "2"), "Number of different signers that a plan needs.", True, "2"
    ),
    "signers": Entry(
        f.SIGNERS, "Who may sign: an allowed_signers file as of ssh-keygen(1), or its lines.", True, "allowed_signers"
    ),
    "revoked": Entry(f.REVOKED, "Public keys that count no more.", example="revoked_keys"),
}

SSH_COMMON = {name: entry for name, entry in SSH.items() if name != "host"}

COMMON = {
    "ssh": Entry(f.SSH_DEFAULTS, "Fields of the SSH target: `user`, `port`, `via`, `identity`, `client`."),
    **{name: entry for name, entry in HOST.items() if name not in NOT_COMMON},
}
"""Fields that several hosts may have in common."""

GROUP = {
    "members": Entry(
        f.Listing(f.WORD), "Hosts, devices, other groups, or ranges of names.", example='[home, "branch-[01-30]"]'
    ),
    **COMMON,
}

TOP = {
    "include": "Files below the inventory's folder that are read as one with it: `[sites/*.yaml]`. Any order; no name twice.",
    "from": "Sources of more members: `{command: […]}`, `{ansible: hosts.ini}`, `{netbox: URL, tag: …}`, or a list of those.",
    "network": "Settings shared by all hosts.",
    "defaults": "Values of all hosts that neither they nor a group of theirs give: the fields of `groups.NAME`.",
    "groups": "Names for several members: a list of them, or a mapping with `members` and values of its hosts.",
    "hosts": "Machines reached by SSH, by name.",
    "devices": "Peers not reached by SSH (phones, foreign routers), by name.",
    "links": "Exceptions to the peering that endpoints imply: `home -- bcc2` (use this relay), `home -- [bcc2, bcc]` (use these, the first while it answers), `cloud -x- home` (no peers).",
    "policy": "What may pass through the tunnel; with one line here, all else is refused: `home -> company.lan: tcp 22,443`."
    " A side is a host, a device, `NAME.lan`, a group, an address, a network, `internet` or `any`; a service is `tcp`, `udp`,"
    " each with ports or without, `ping` or `any`.",
    "approve": "Who must sign a plan (`wgorch approve FILE`) before `wgorch apply FILE` makes it; `up` and `teardown` are refused then.",
    "verify": "Flows that must work: `host -> address`, or `host -> address: tcp 22, udp 53`; that must not: `host -x-> address`.",
}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "wgorch inventory",
        "type": "object",
        "required": ["network"],
        "anyOf": [{"required": [name]} for name in ("hosts", "include", "from")],
        "additionalProperties": False,
        "properties": {
            "include": {"type": ["string", "array"], "items": {"type": "string"}, "description": TOP["include"]},
            "from": _sources(),
            "network": _mapping(NETWORK) | {"description": TOP["network"]},
            "defaults": _common(COMMON) | {"description": TOP["defaults"]},
            "groups": _by_name({"anyOf": [GROUP["members"].reader.schema, _common(GROUP)]}, TOP["groups"]),
            "hosts": _by_name(_host(), TOP["hosts"], NAMES) | {"minProperties": 1},
            "devices": _by_name(_mapping(DEVICE), TOP["devices"]),
            "links": _lines(r"^\s*\S+\s+(?:--|-x-)\s+(?:\[[^\[\]]*\]|[^\s\[\],]+)\s*$", TOP["links"]),
            "policy": _flows(r"\s*\S+\s*->\s*\S+\s*", TOP["policy"]),
            "approve": _mapping(APPROVE) | {"description": TOP["approve"]},
            "verify": _flows(r"\s*\S+\s*(?:-x->|->)\s*\S+\s*", TOP["verify"]),
        },
    }


def _sources() -> dict[str, Any]:
    text: dict[str, Any] = {"type": "string"}
    forms = {"env": text, "file": text, "command": {"type": "array", "items": text, "minItems": 1}}
    tokens = [_one_field(name, form) for name, form in forms.items()]
    source = _mapping(FROM)
    source["properties"]["token"] = {"anyOf": tokens, "description": FROM["token"].doc}
    source["anyOf"] = [{"required": ["command"]}, {"required": ["ansible"]}, {"required": ["netbox", "tag"]}]
    return {"anyOf": [source, {"type": "array", "items": source, "maxItems": 50}], "description": TOP["from"]}


def _one_field(name: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": [name], "properties": {name: value}}


def _host() -> dict[str, Any]:
    target, jump = _target(), _target()
    via = {"anyOf": [*jump["anyOf"], {"type": "array", "items": jump}]}
    target["anyOf"][1]["properties"]["via"] = via | {"description": SSH["via"].doc}
    host = _mapping(HOST)
    host["properties"]["ssh"] = target | {"description": HOST["ssh"].doc}
    return host


def _target() -> dict[str, Any]:
    return {"anyOf": [{"type": "string"}, _mapping(SSH)]}


def _mapping(entries: dict[str, Entry]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name, entry in entries.items() if entry.required],
        "properties": {name: entry.reader.schema | {"description": entry.doc} for name, entry in entries.items()},
    }


def _common(entries: dict[str, Entry]) -> dict[str, Any]:
    found = _mapping(entries)
    found["properties"]["ssh"] = _mapping(SSH_COMMON) | {"description": COMMON["ssh"].doc}
    return found


NAME = f.HOST_NAME.schema["pattern"][4:-2]
NAMES = rf"{NAME}|[a-z0-9-]*\[[0-9]+-[0-9]+\][a-z0-9-]*"
"""A host's name, or a range of them."""


def _by_name(member: dict[str, Any], doc: str, names: str = NAME) -> dict[str, Any]:
    return {
        "type": "object",
        "description": doc,
        "propertyNames": {"pattern": f"^(?:{names})$"},
        "additionalProperties": member,
    }


def _lines(pattern: str, doc: str) -> dict[str, Any]:
    return {"type": "array", "description": doc, "items": {"type": "string", "pattern": pattern}}


def _flows(pattern: str, doc: str) -> dict[str, Any]:
    """Lines with or without services."""
    with_services = {
        "type": "object",
        "propertyNames": {"pattern": f"^{pattern}$"},
        "additionalProperties": {"type": "string"},
    }
    items = {"anyOf": [{"type": "string", "pattern": f"^{pattern}(?:(?::| until) .+)?$"}, with_services]}
    return {"type": "array", "description": doc, "items": items}
