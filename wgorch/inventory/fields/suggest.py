"""Unknown fields and names: suggest the one that was meant."""

from __future__ import annotations

import re
from collections.abc import Iterable

from wgorch.inventory.nodes import Mapping, Node, is_empty
from wgorch.inventory.problems import Problems, is_secret

MAX_SUGGESTIONS = 100
"""Problems of a file after which no more are given a suggestion, which takes long to find."""

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
"""Names that other tools give to fields of an inventory."""


def suggest(word: str, known: Iterable[str]) -> str:
    """Return `` Did you mean "address"?``, or an empty text."""
    import difflib  # slow to import, and not needed for a good inventory

    known = list(known)
    meant = SYNONYMS.get(word.lower(), word)
    close = [meant] if meant in known else difflib.get_close_matches(meant, known, 1, 0.6)
    return f' Did you mean "{close[0]}"?' if close else ""


def suggest_in(problems: Problems, word: str, known: Iterable[str]) -> str:
    """Return `suggest` for a file with few problems so far, else an empty text."""
    return suggest(word, known) if len(problems.found) < MAX_SUGGESTIONS else ""


def choice(known: Iterable[str], limit: int = 8) -> str:
    """Return the first names as a fix: ``one of: bcc, company``."""
    names = sorted(known)
    return f"one of: {', '.join(names[:limit])}{' …' if len(names) > limit else ''}"


def check_keys(node: Mapping, known: Iterable[str], path: str, problems: Problems) -> None:
    """Add a problem for each unknown key of a mapping; a secret is named without its value."""
    known = list(known)
    for key, value in node.items:
        if key.text in known:
            continue
        at = f"{path}.{key.text}" if path else key.text
        if is_secret(key.text) and not is_empty(value):
            _add_secret(key.text, value, at, problems)
            continue
        hint = suggest_in(problems, key.text, known)
        problems.add(key, at, f"unknown field.{hint}", f"known here: {', '.join(known)}")


def _add_secret(key: str, value: Node, path: str, problems: Problems) -> None:
    if re.search(r"priv|^key$", key, re.I):
        message = "private keys do not belong here (value hidden)"
        fix = "delete it; keys are generated on their host. Treat this one as leaked"
    else:
        message = "a secret in the file (value hidden)"
        fix = "delete it; wgorch prompts for passwords"
    problems.add(value, path, message, fix, secret=True)
