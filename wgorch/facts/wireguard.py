"""WireGuard on a host: interfaces, peers and what their sessions carried; never a private key."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from wgorch.base.ip import network, network_text
from wgorch.base.value import value
from wgorch.facts.grammar import MAX_LINES, integer, match, pairs
from wgorch.state.wireguard import Peer


@value
class Traffic:
    """What a session has carried. `handshake`: seconds since 1970, 0 for never."""

    handshake: int = 0
    received: int = 0
    sent: int = 0
    endpoint: str = ""


def wg_show(lines: list[str]) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """What ``wg show INTERFACE`` tells, without keys that it hides: of the interface, and of each peer by its key."""
    interface: dict[str, str] = {}
    peers: dict[str, dict[str, str]] = {}
    current = interface
    for line in lines[:MAX_LINES]:
        name, _, value = line.strip().partition(": ")
        if name == "peer":
            # A peer that somebody else set may have any key; only keys that we hand on must be good ones.
            current = peers[match(r"[A-Za-z0-9+/]{43}=", value)] = {}
        elif line[0].isspace() and value not in ("(none)", "(hidden)"):
            current[name] = value
    return interface, peers


def peers(told: Mapping[str, Mapping[str, str]], secrets: Mapping[str, str]) -> dict[str, Peer]:
    return {
        key: Peer(
            key,
            allowed_ips_text([network(n) for n in peer.get("allowed ips", "").split(", ") if n]),
            match(r"[\[\]0-9a-fA-F.:%a-z]{3,80}", peer["endpoint"]) if "endpoint" in peer else None,
            interval(peer.get("persistent keepalive", "every 0 seconds")),
            preshared=match(r"|other|psk\.[a-z0-9.-]{1,80}", secrets.get(key, "")),
        )
        for key, peer in told.items()
    }


UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


def interval(text: str) -> int:
    """How often, as wg tells it: ``every 1 minute, 5 seconds``."""
    match(r"every \d{1,5} [a-z]+(, \d{1,5} [a-z]+)*", text)
    return sum(int(n) * UNITS[unit.rstrip("s")] for n, unit in re.findall(r"(\d+) ([a-z]+)", text))


def allowed_ips_text(nets: list[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> tuple[str, ...]:
    """Allowed-ips in the one order that compares."""
    return tuple(map(network_text, sorted(nets, key=lambda n: (n.version, int(n.network_address), n.prefixlen))))


def traffic(s: dict[str, list[str]], interface: str, peers: Mapping[str, Peer]) -> dict[str, Traffic]:
    handshakes = dict(pairs(s.get(f"wg-handshakes {interface}", [])))
    traffic = {}
    for key, moved in pairs(s.get(f"wg-transfer {interface}", [])):
        received, _, sent = moved.partition("\t")
        endpoint = peers[key].endpoint if key in peers else None
        traffic[key] = Traffic(integer(handshakes.get(key, "0")), integer(received), integer(sent), endpoint or "")
    return traffic
