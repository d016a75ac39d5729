"""WireGuard on a host: interfaces, peers and what their sessions carried; never a private key."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import field

from wgorch.base.ip import network, network_text
from wgorch.base.value import value
from wgorch.facts.grammar import integer, match, pairs, public_key
from wgorch.facts.part import Answers, Part, Reread
from wgorch.state.wireguard import Peer

PART = Part(dict.fromkeys(("wg", "wg-handshakes", "wg-transfer", "wg-preshared"), Reread.AFTER_CHANGE))
"""Each section has the name of its interface behind it: ``wg wg0``."""

REJECT_AFTER_S = 180
"""Age in seconds at which WireGuard drops a session that had no newer handshake (REJECT_AFTER_TIME)."""


STALE_S = 180
"""Age in seconds at which a session is dead: WireGuard's REJECT_AFTER_TIME. With keepalive no handshake gets this old."""


@value
class Traffic:
    """Counters of a session with a peer."""

    handshake: int = 0
    """UNIX time of the latest handshake, 0: never."""
    received: int = 0
    """Bytes."""
    sent: int = 0
    endpoint: str = ""

    def handshake_age(self, now: int) -> int | None:
        """Seconds since the latest handshake, None: never. `now`: UNIX time by the same host's clock."""
        return max(0, now - self.handshake) if self.handshake else None


@value
class WireGuard:
    """One WireGuard interface of a host, as ``wg show`` prints it."""

    public_key: str = ""
    listen_port: int = 0
    fwmark: int = 0
    peers: Mapping[str, Peer] = field(default_factory=dict)
    """By public key."""
    traffic: Mapping[str, Traffic] = field(default_factory=dict, compare=False)
    """By public key of the peer; empty where counters were not asked for."""


def read(answers: Answers) -> dict[str, WireGuard]:
    """WireGuard interfaces by name. Raises NotAnAnswer or ValueError."""
    return {name: _interface(answers, name) for name in sorted(_names(answers))}


def _names(answers: Answers) -> set[str]:
    return {match(r"[^\s/]{1,15}", name[3:]) for name in answers if name.startswith("wg ")}


def _interface(answers: Answers, name: str) -> WireGuard:
    shown, of_peers = _wg_show(answers[f"wg {name}"])
    peers = _peers(of_peers, dict(pairs(answers.get(f"wg-preshared {name}", []))))
    return WireGuard(
        public_key=public_key(shown["public key"]) if "public key" in shown else "",
        listen_port=integer(shown.get("listening port", "0")),
        fwmark=int(match(r"0|0x[0-9a-f]{1,8}", shown.get("fwmark", "0")), 16),
        peers=peers,
        traffic=_traffic(answers, name, peers),
    )


def _wg_show(lines: list[str]) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Fields of ``wg show INTERFACE`` without hidden keys: of the interface, and of each peer by its key."""
    interface: dict[str, str] = {}
    peers: dict[str, dict[str, str]] = {}
    current = interface
    for line in lines:
        name, _, value = line.strip().partition(": ")
        if name == "peer":
            # A foreign peer may have any key; only keys that wgorch hands on must be valid.
            current = peers[match(r"[A-Za-z0-9+/]{43}=", value)] = {}
        elif line[0].isspace() and value not in ("(none)", "(hidden)"):
            current[name] = value
    return interface, peers


def _peers(shown: Mapping[str, Mapping[str, str]], secrets: Mapping[str, str]) -> dict[str, Peer]:
    return {
        key: Peer(
            key,
            allowed_ips_text([network(n) for n in peer.get("allowed ips", "").split(", ") if n]),
            match(r"[\[\]0-9a-fA-F.:%a-z]{3,80}", peer["endpoint"]) if "endpoint" in peer else None,
            _interval(peer.get("persistent keepalive", "every 0 seconds")),
            preshared=match(r"|psk\.[a-z0-9.-]{1,80}", secrets.get(key, "")),
        )
        for key, peer in shown.items()
    }


_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


def _interval(text: str) -> int:
    """Seconds of an interval as wg prints it: ``every 1 minute, 5 seconds``."""
    match(r"every \d{1,5} [a-z]+(, \d{1,5} [a-z]+)*", text)
    return sum(int(n) * _UNITS[unit.rstrip("s")] for n, unit in re.findall(r"(\d+) ([a-z]+)", text))


def allowed_ips_text(nets: list[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> tuple[str, ...]:
    """Allowed-ips as text, in the one order that compares."""
    return tuple(map(network_text, sorted(nets, key=lambda n: (n.version, int(n.network_address), n.prefixlen))))


def _traffic(answers: Answers, name: str, peers: Mapping[str, Peer]) -> dict[str, Traffic]:
    handshakes = dict(pairs(answers.get(f"wg-handshakes {name}", [])))
    found = {}
    for key, moved in pairs(answers.get(f"wg-transfer {name}", [])):
        received, _, sent = moved.partition("\t")
        endpoint = peers[key].endpoint if key in peers else None
        found[key] = Traffic(integer(handshakes.get(key, "0")), integer(received), integer(sent), endpoint or "")
    return found
