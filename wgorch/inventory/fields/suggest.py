"""Suggest the key or name that was meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from wgorch.inventory.nodes import Mapping, Scalar
from wgorch.inventory.problems import SECRET, Problems


def suggest(word: str, known: Iterable[str]) -> str:
    """``Did you mean "address"?``, or nothing."""
    known = list(known)
    meant = SYNONYMS.get(word.lower(), word)
    close = [meant] if meant in known else difflib.get_close_matches(meant, known, 1, 0.6)
    return f' Did you mean "{close[0]}"?' if close else ""


def choice(known: Iterable[str], most: int = 8) -> str:
    """``one of: bcc, company``, for a fix; of many, the first few."""
    names = sorted(known)
    return f"one of: {', '.join(names[:most])}{' …' if len(names) > most else ''}"


SYNONYMS = {
    **dict.fromkeys(("role", "hub", "topology", "router"), "relay"),
    **dict.fromkeys(("lan", "lans", "networks", "allowed_ips", "allowed-ips", "allowedips", "routes"), "subnets"),
    **dict.fromkeys(("port", "listenport"), "listen_port"),
    **dict.fromkeys(("keepalive", "persistentkeepalive"), "persistent_keepalive"),
    **dict.fromkeys(("jump", "jump_host", "proxyjump", "proxy_jump", "bastion", "gateway"), "via"),
    **dict.fromkeys(("ip", "vpn_ip", "tunnel_ip", "tunnel_address"), "address"),
    **dict.fromkeys(("identity_file", "identityfile", "key_file"), "identity"),
    **dict.fromkeys(("nodes", "machines", "peers", "servers"), "hosts"),
    **dict.fromkeys(("nat", "snat"), "masquerade"),
    **dict.fromkeys(("flows", "checks", "tests"), "verify"),
    **dict.fromkeys(("psk", "preshared_key", "presharedkeys", "preshared-keys"), "preshared_keys"),
    **dict.fromkeys(("exit_node", "default_route", "full_tunnel", "redirect_gateway"), "exit"),
    **dict.fromkeys(("nameserver", "nameservers", "resolvers"), "dns"),
    "cidr": "subnet",
}
"""What other tools call our fields."""


def check_keys(node: Mapping, known: Iterable[str], path: str, problems: Problems) -> None:
    """Name every key of a mapping that is not known; a secret is named without its value."""
    known = list(known)
    for key, value in node.items:
        if key.text in known:
            continue
        at = f"{path}.{key.text}" if path else key.text
        empty = isinstance(value, Scalar) and not value.text
        if SECRET.search(key.text) and not empty:
            if re.search(r"priv|^key$", key.text, re.I):
                problems.add(
                    value,
                    at,
                    "private keys do not belong here (value hidden)",
                    "delete it; keys are born on their host. Treat this one as leaked",
                )
            else:
                problems.add(
                    value, at, "a secret in the file (value hidden)", "delete it; wgorch asks where it needs one"
                )
            continue
        # Guessing costs time, and nobody reads the hundredth guess.
        hint = suggest(key.text, known) if len(problems.found) < 100 else ""
        problems.add(key, at, f"unknown field.{hint}", f"known here: {', '.join(known)}")
