"""The grammars of single values: each reads a node, or says what exactly is wrong; each is its own JSON Schema."""

from __future__ import annotations

import difflib
import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from wgorch.curve25519 import public_key
from wgorch.frozen import frozen
from wgorch.inventory.model import Endpoint, IPAddress, IPNetwork
from wgorch.inventory.source import SECRET, Mapping, Node, Scalar, Sequence, Troubles

Schema = dict[str, Any]


class Bad(Exception):
    """A value that does not fit; carries the sentence and the fix."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message, self.fix = message, fix


@frozen
class Field:
    """One value: `parse` takes the text, or raises Bad; `plain` gets to see how it was written, for YAML's traps."""

    kind: str
    parse: Callable[[str], Any]
    schema: Schema
    trap: Callable[[Scalar], None] | None = None

    def read(self, node: Node, path: str, troubles: Troubles) -> Any:
        """The value, or None with the trouble noted."""
        try:
            if not isinstance(node, Scalar):
                what = "a list" if isinstance(node, Sequence) else "a mapping"
                if isinstance(node, Sequence) and self.kind == "an endpoint":
                    raise Bad("YAML reads [..] as a list", "put the endpoint in quotes")
                raise Bad(f"expected {self.kind}, got {what}", "write one value, without brackets or fields below it")
            if not node.text.strip() or (node.plain and node.text in ("null", "~", "Null", "NULL")):
                raise Bad("empty", "give a value or delete the line")
            no_controls(node.text)
            if node.plain and self.trap:
                self.trap(node)
            return self.parse(node.text)
        except Bad as bad:
            troubles.add(node, path, bad.message, bad.fix)
            return None


def no_controls(text: str) -> None:
    """Refuse what cannot be seen, or looks like something else: control characters, zero-width and direction marks."""
    if text.isascii() and text.isprintable():
        return
    for position, c in enumerate(text, 1):
        category = unicodedata.category(c)
        if c == "\n":
            raise Bad("several lines where one value belongs", "write the value on one line")
        if category == "Cc":
            raise Bad(f"control character \\x{ord(c):02x} at position {position}", "delete it")
        if category in ("Cf", "Zl", "Zp", "Zs", "Cs", "Co") and c != " ":
            before = text[: position - 1]
            where = f'after "{before}"' if before else "at the start"
            raise Bad(f"invisible character U+{ord(c):04X} {where}", "delete it and type the value again")
        if category in ("Pi", "Pf") or c == "„":
            raise Bad(f"typographic quote {c} at position {position}", 'use " or no quotes at all')


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


# --- numbers and flags


def number(low: int, high: int, kind: str = "a number", usual: str = "") -> Field:
    """A decimal number within bounds; octal, base 60, hex and decimals are named as what YAML makes of them."""
    what = f"{kind} {low}-{high}"

    def trap(node: Scalar) -> None:
        if re.fullmatch(r"[-+]?0[0-7]+", node.text):
            raise Bad(f"{node.text} is octal {int(node.text, 8)} in YAML 1.1", node.text.lstrip("+-0") or "0")
        if re.fullmatch(r"[0-9]+(:[0-5]?[0-9])+", node.text):
            value = 0
            for part in node.text.split(":"):
                value = value * 60 + int(part)
            raise Bad(f"{node.text} reads as base-60 number {value} in YAML 1.1", str(value))

    def parse(text: str) -> int:
        if not re.fullmatch(r"-?(0|[1-9][0-9]{0,11})", text):
            raise Bad(f'expected {what}, got "{text}"', f"a whole number in decimal{usual and f', usually {usual}'}")
        value = int(text)
        if not low <= value <= high:
            side = "below" if value < low else "above"
            limit = low if value < low else high
            raise Bad(f"{value} is {side} {limit}", f"{what}{usual and f', usually {usual}'}")
        return value

    return Field(what, parse, {"type": "integer", "minimum": low, "maximum": high}, trap)


def _flag(text: str) -> bool:
    if text.lower() in ("true", "yes", "on"):
        return True
    if text.lower() in ("false", "no", "off"):
        return False
    raise Bad(f'expected true or false, got "{text}"', "true or false")


FLAG = Field("true or false", _flag, {"type": "boolean"})


# --- names


def word(
    kind: str, pattern: str, allowed: str, longest: int, example: str, reserved: Callable[[str], str] | None = None
) -> Field:
    """A name: letters and digits of one grammar, of bounded length."""

    def trap(node: Scalar) -> None:
        if node.text.lower() in ("yes", "no", "on", "off", "true", "false", "y", "n"):
            truth = "true" if node.text.lower() in ("yes", "on", "true", "y") else "false"
            raise Bad(f'"{node.text}" reads as the boolean {truth} in YAML 1.1', f'quote it: "{node.text}"')

    def parse(text: str) -> str:
        if text.startswith("-"):
            raise Bad('must not start with "-"', f"like {example}")
        if len(text) > longest:
            raise Bad(f'"{text}" is {len(text)} characters long; at most {longest}', f"like {example}")
        if not re.fullmatch(pattern, text):
            # The small letters of it, where they alone would do.
            better = text.lower() if re.fullmatch(pattern, text.lower()) else f"like {example}"
            raise Bad(f'"{text}" has characters other than {allowed}', better)
        if reserved and (reason := reserved(text)):
            raise Bad(f'"{text}" {reason}', example)
        return text

    return Field(kind, parse, {"type": "string", "pattern": f"^(?:{pattern})$", "maxLength": longest}, trap)


def _reserved_interface(name: str) -> str:
    usual = re.match(
        r"(lo|all|default|eth|en[opsx]|wlan|wlp|wlx|br|docker|veth|tailscale|tun|tap|bond|virbr)[0-9]*", name
    )
    return "is a reserved or usual system name" if usual else ""


NETWORK_NAME = word("a name", r"[a-z][a-z0-9-]*", "a-z 0-9 - (first a letter)", 15, "office")
HOST_NAME = word("a host name", r"[a-z0-9][a-z0-9-]*", "a-z 0-9 -", 32, "home")
TUNNEL_NAME = word(
    "an interface name", r"[a-zA-Z][a-zA-Z0-9_.-]*", "a-z A-Z 0-9 _ . -", 15, "wg0", reserved=_reserved_interface
)
USER_NAME = word("a user name", r"[a-zA-Z_][a-zA-Z0-9_.-]*\$?", "a-z A-Z 0-9 _ . -", 32, "root")
_CARD = word("a device name like ens192", r"[a-zA-Z0-9][a-zA-Z0-9_.@-]*", "a-z A-Z 0-9 _ . -", 15, "ens192")


def _card(text: str) -> str:
    if "/" in text or re.fullmatch(r"[0-9.:]+", text):
        raise Bad(f'expected a device name like ens192, got "{text}"', "as `ip link` names it; or leave it out")
    return str(_CARD.parse(text))


CARD = Field(_CARD.kind, _card, _CARD.schema, _CARD.trap)


def _host_key(text: str) -> str:
    words = text.split()
    if (
        len(words) >= 2
        and re.fullmatch(r"(ssh|ecdsa|sk)-[a-z0-9@.-]+", words[0])
        and re.fullmatch(r"[A-Za-z0-9+/=]+", words[1])
    ):
        return " ".join(words[:2])
    if re.fullmatch(r"SHA256:[A-Za-z0-9+/]{43}=?", text):
        return text.rstrip("=")
    raise Bad(f'"{text}" is not a host key', 'like "ssh-ed25519 AAAA…" or "SHA256:…"')


HOST_KEY = Field("a host key", _host_key, {"type": "string"})


def _public_key(text: str) -> str:
    try:
        return public_key(text)
    except ValueError as error:
        raise Bad(str(error), "what `wg pubkey` prints on the device") from None


PUBLIC_KEY = Field("a public key", _public_key, {"type": "string", "pattern": "^[A-Za-z0-9+/]{43}=$"})


def _path(text: str) -> str:
    if "PRIVATE KEY" in text:
        raise Bad(
            "a key itself, where its file is meant (value hidden)", "like ~/.ssh/id_ed25519; treat this key as leaked"
        )
    if text.startswith("-"):
        raise Bad('must not start with "-"', "like ~/.ssh/id_ed25519")
    return text


PATH = Field("a path", _path, {"type": "string"})


# --- addresses


def address(text: str) -> IPAddress:
    """An IP address, or Bad with what exactly is wrong in it."""
    for mark, what in (("/", "prefix"), ("%", "zone")):
        if mark in text:
            raise Bad(f'"{text}" has a {what}', f"write the address alone: {text.split(mark)[0]}")
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise _not_an_address(text) from None


def _not_an_address(text: str) -> Bad:
    """What is wrong, and what was probably meant."""
    four = "four numbers 0-255 with dots between them, like 192.168.2.1"
    with_port = re.fullmatch(r"([0-9.]+):[0-9]*", text)
    if with_port:
        return Bad(f'"{text}" has a port', f"write the address alone: {with_port[1]}")
    if ":" in text and re.fullmatch(r"[0-9a-fA-F:.]+", text):
        return Bad(f'"{text}" is not an IPv6 address', "like 2001:db8::1")
    parts = text.split(".")
    strange = next((part for part in parts if not re.fullmatch(r"[0-9]+", part)), None)
    if strange is not None:
        return Bad(
            f'"{text}" is not an IP address' + (f' ("{strange}" is not a number)' if len(parts) == 4 else ""), four
        )
    if len(parts) == 2:
        return Bad(f"{text} reads as a decimal number; an address has 4 parts", four)
    if len(parts) != 4:
        return Bad(f'"{text}" has {len(parts)} part{"s" if len(parts) > 1 else ""}; an address has 4', four)
    for place, part in enumerate(parts, 1):
        if len(part) > 3 or int(part) > 255:
            return Bad(f"octet {place} is {part[:20]}; the maximum is 255", "a number 0-255 there")
        if len(part) > 1 and part[0] == "0":
            return Bad(f"a leading zero in octet {place} is ambiguous", ".".join(str(int(p[:3])) for p in parts))
    return Bad(f'"{text}" is not an IP address', four)


def subnet(text: str) -> IPNetwork:
    """A network with its prefix, host bits zero."""
    tight = re.sub(r"\s*/\s*", "/", text)
    if "," in text or " " in tight:
        items = ", ".join(part for part in re.split(r"[,\s]+", tight) if part)
        raise Bad(f'"{text}" is one string with several networks', f"write a list: [{items}]")
    if tight != text:
        raise Bad(f'"{text}" has a space in it', tight)
    base, slash, prefix = text.partition("/")
    ip = address(base)
    if not slash or not prefix:
        lan = ipaddress.ip_network((ip, 24 if ip.version == 4 else 64), strict=False)
        raise Bad(f'"{text}" has no prefix', f"{lan} for a LAN, {base}/{ip.max_prefixlen} for one machine")
    if re.fullmatch(r"[0-9.]+", prefix) and "." in prefix:
        try:
            length = ipaddress.ip_network(f"0.0.0.0/{prefix}").prefixlen
        except ValueError:
            raise Bad(f'"{prefix}" is not a netmask', f"write the prefix, like {base}/24") from None
        raise Bad("a netmask is given", f"write the prefix: {ipaddress.ip_network((ip, length), strict=False)}")
    if not re.fullmatch(r"[0-9]{1,3}", prefix):
        raise Bad(f'"{prefix}" is not a prefix length', f"a number 0-{ip.max_prefixlen}")
    if int(prefix) > ip.max_prefixlen:
        raise Bad(f"prefix {int(prefix)} is larger than {ip.max_prefixlen}", f"a number 0-{ip.max_prefixlen}")
    network = ipaddress.ip_network((ip, int(prefix)), strict=False)
    if network.network_address != ip:
        raise Bad(f"{text} has host bits set", f"write the network: {network}")
    return network


_NOT_ROUTABLE = {
    "everything, or nothing": ("0.0.0.0/8", "::/8"),
    "loopback": ("127.0.0.0/8", "::1/128"),
    "link-local": ("169.254.0.0/16", "fe80::/10"),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
    "reserved": ("240.0.0.0/4",),
}


def routable_subnet(text: str) -> IPNetwork:
    """A network that may lie behind a gateway, or in the tunnel."""
    network = subnet(text)
    for name, wrong in _NOT_ROUTABLE.items():
        for other in map(ipaddress.ip_network, wrong):
            if network.version == other.version and network.overlaps(other):
                raise Bad(f"{network} ({name}) cannot be routed to a peer", "a private network, like 10.10.13.0/24")
    return network


def dns_name(text: str) -> str:
    """A DNS name as RFC 1123 has it."""
    name = text[:-1] if text.endswith(".") else text
    if text.endswith("."):
        raise Bad(f'"{text}" ends with a dot', f"write {name}")
    if len(name) > 253:
        raise Bad(f"a DNS name of {len(name)} characters; at most 253", "its address will do")
    for position, c in enumerate(name, 1):
        if not re.match(r"[A-Za-z0-9.-]", c):
            shown = "space" if c == " " else f'"{c}"'
            raise Bad(f'"{text}" is not a DNS name ({shown} at {position})', "letters, digits, dots and - only")
    if any(not label or label[0] == "-" or label[-1] == "-" or len(label) > 63 for label in name.split(".")):
        raise Bad(f'"{text}" is not a DNS name', "1 to 63 letters, digits or - between dots, no - at their ends")
    if re.fullmatch(r"[0-9.]+", name):
        raise _not_an_address(name)
    return name


def machine(text: str) -> str:
    """An IP address or a DNS name."""
    if text.startswith("-"):
        raise Bad('must not start with "-"', "a name or an address")
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        if text.count(":") > 1:
            raise _not_an_address(text) from None
        return dns_name(text)


def port(text: str) -> int:
    """A port number."""
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 0 < int(text) < 65536:
        raise Bad(f'"{text}" is not a port', "a number 1-65535")
    return int(text)


def endpoint(text: str) -> Endpoint:
    """``host:port``, IPv6 in brackets."""
    if "://" in text:
        scheme, _, rest = text.partition("://")
        raise Bad(
            f'"{scheme}://" is not accepted', f"write {rest}" if re.search(r":[0-9]+$", rest) else "write host:port"
        )
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(.*))?", text)
    if bracketed:
        host, after = bracketed[1], bracketed[2]
    elif text.count(":") > 1:
        host, _, after = text.rpartition(":") if not _is_address(text) else (text, "", "51820")
        raise Bad(f'"{text}" is an IPv6 address without brackets', f'write "[{host}]:{after}", in quotes')
    else:
        host, _, after = text.partition(":")
    if not after:
        raise Bad("port missing", f"{text.rstrip(':')}:51820")
    return Endpoint(machine(host), port(after))


def _is_address(text: str) -> bool:
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def choice_of(*words: str) -> Field:
    """One of a few words."""

    def parse(text: str) -> str:
        if text not in words:
            raise Bad(f'expected {" or ".join(words)}, got "{text}"', words[0])
        return text

    return Field(" or ".join(words), parse, {"type": "string", "pattern": f"^(?:{'|'.join(words)})$"})


SUBNET = Field("a network like 192.168.2.0/24", routable_subnet, {"type": "string"})
LAN = Field("a network like 10.10.13.0/24", routable_subnet, {"type": "string"})
ADDRESS = Field("an address like 192.168.2.1", address, {"type": "string"})
ENDPOINT = Field("an endpoint", endpoint, {"type": "string", "pattern": r"^.+:\d+$"})
WORD = Field("a word", lambda text: text, {"type": "string"})
MACHINE = Field("a host name or address", machine, {"type": "string"})


# --- values made of values


@frozen
class Listing:
    """A list of values of one kind."""

    of: Field | MappedLan

    @property
    def kind(self) -> str:
        return f"a list: {self.of.kind}"

    @property
    def schema(self) -> Schema:
        return {"type": "array", "items": self.of.schema}

    def read(self, node: Node, path: str, troubles: Troubles) -> list[tuple[Node, Any]]:
        """The values with their nodes; those that do not parse are left out, with their trouble noted."""
        if not isinstance(node, Sequence):
            if isinstance(node, Scalar) and node.text and not (node.plain and node.text in ("null", "~")):
                items = ", ".join(part for part in re.split(r"[,\s]+", node.text) if part)
                several = "one string with a comma" if "," in node.text else "expected a list"
                troubles.add(node, path, several, f"write [{items}]")
            else:
                what = "empty" if isinstance(node, Scalar) else "expected a list, got a mapping"
                troubles.add(node, path, what, "write [value, value], or delete the line")
            return []
        values = [(item, self.of.read(item, f"{path}[{i}]", troubles)) for i, item in enumerate(node.items)]
        return [(item, value) for item, value in values if value is not None]


@frozen
class OneOrTwo:
    """A value, or a list of two: one of IPv4 and one of IPv6."""

    of: Field

    @property
    def kind(self) -> str:
        return f"{self.of.kind}, or a list of one for IPv4 and one for IPv6"

    @property
    def schema(self) -> Schema:
        several = {"type": "array", "items": self.of.schema, "minItems": 1, "maxItems": 2}
        return {"anyOf": [self.of.schema, several]}

    def read(self, node: Node, path: str, troubles: Troubles) -> list[tuple[Node, Any]] | None:
        """The values with their nodes, in the order of the file; None where there is none, with the trouble noted."""
        if not isinstance(node, Sequence):
            value = self.of.read(node, path, troubles)
            return None if value is None else [(node, value)]
        if not node.items:
            troubles.add(node, path, "the list is empty", "give a value or delete the line")
        found: list[tuple[Node, Any]] = []
        for i, item in enumerate(node.items):
            value = self.of.read(item, f"{path}[{i}]", troubles)
            twin = next((v for _, v in found if value is not None and v.version == value.version), None)
            if twin is not None:
                message = f"{value} is of IPv{value.version}, as {twin} is; there can be one of each kind"
                troubles.add(item, f"{path}[{i}]", message, "keep one")
            elif value is not None:
                found.append((item, value))
        return found or None


@frozen
class MappedLan:
    """A LAN; or a LAN and the network that it is known as in the tunnel, of the same size."""

    kind = "a network like 10.10.13.0/24, or {lan: …, as: …}"

    @property
    def schema(self) -> Schema:
        pair = {"lan": LAN.schema, "as": LAN.schema}
        mapped = {"type": "object", "additionalProperties": False, "required": ["lan", "as"], "properties": pair}
        return {"anyOf": [LAN.schema, mapped]}

    def read(self, node: Node, path: str, troubles: Troubles) -> tuple[IPNetwork, IPNetwork] | None:
        """The LAN's name in the tunnel, and the LAN itself."""
        if not isinstance(node, Mapping):
            lan = LAN.read(node, path, troubles)
            return None if lan is None else (lan, lan)
        check_keys(node, ("lan", "as"), path, troubles)
        found: dict[str, IPNetwork | None] = {}
        for name in ("lan", "as"):
            value = node.get(name)
            if value is None:
                troubles.add(node, f"{path}.{name}", "missing", "{lan: 10.10.13.0/24, as: 10.99.13.0/24}")
            found[name] = LAN.read(value, f"{path}.{name}", troubles) if value is not None else None
        lan, known_as = found["lan"], found["as"]
        if lan is None or known_as is None:
            return None
        if (lan.version, lan.prefixlen) != (known_as.version, known_as.prefixlen):
            message = f"{known_as} is not of the same size as {lan}, so addresses cannot be mapped one to one"
            troubles.add(node.get("as"), f"{path}.as", message, f"a network with /{lan.prefixlen}")
            return None
        return known_as, lan


MAPPED_LAN = MappedLan()


@frozen
class KeySource:
    """Where a private key comes from: a file on the host, or a command there. Never the key itself."""

    kind = "{file: PATH}, or {command: [WORD, …]}"

    @property
    def schema(self) -> Schema:
        words = {"type": "array", "items": {"type": "string"}, "minItems": 1}
        ways = ({"file": {"type": "string"}}, {"command": words})
        return {
            "anyOf": [
                {"type": "object", "additionalProperties": False, "required": list(way), "properties": way}
                for way in ways
            ]
        }

    def read(self, node: Node, path: str, troubles: Troubles) -> tuple[tuple[str, ...]] | None:
        """The command that prints the key on the host, as the one item of a tuple."""
        example = "{file: /etc/wireguard/key}, or {command: [pass, show, wg]}"
        if not isinstance(node, Mapping):
            fix = f"delete it; keys are born on their host. Treat this one as leaked. A key from elsewhere: {example}"
            troubles.add(node, path, "private keys do not belong here (value hidden)", fix)
            return None
        check_keys(node, ("file", "command"), path, troubles)
        file, words = node.get("file"), node.get("command")
        if (file is None) == (words is None):
            troubles.add(node, path, "expected either file or command", example)
        elif file is not None:
            name = PATH.read(file, f"{path}.file", troubles)
            if name and not name.startswith("/"):
                troubles.add(file, f"{path}.file", "it is read on the host, so its place must be given from /", example)
            return (("cat", name),) if name else None
        elif not isinstance(words, Sequence) or not words.items:
            troubles.add(words, f"{path}.command", "expected a list of words", example)
        else:
            argv = [WORD.read(word, f"{path}.command[{i}]", troubles) for i, word in enumerate(words.items)]
            return (tuple(argv),) if all(argv) else None
        return None


KEY_SOURCE = KeySource()

Reader = Field | Listing | OneOrTwo | MappedLan | KeySource


def check_keys(node: Mapping, known: Iterable[str], path: str, troubles: Troubles) -> None:
    """Name every key of a mapping that is not known; a secret is named without its value."""
    known = list(known)
    for key, value in node.items:
        if key.text in known:
            continue
        at = f"{path}.{key.text}" if path else key.text
        empty = isinstance(value, Scalar) and not value.text
        if SECRET.search(key.text) and not empty:
            if re.search(r"priv|^key$", key.text, re.I):
                troubles.add(
                    value,
                    at,
                    "private keys do not belong here (value hidden)",
                    "delete it; keys are born on their host. Treat this one as leaked",
                )
            else:
                troubles.add(
                    value, at, "a secret in the file (value hidden)", "delete it; wgorch asks where it needs one"
                )
            continue
        # Guessing costs time, and nobody reads the hundredth guess.
        hint = suggest(key.text, known) if len(troubles.found) < 100 else ""
        troubles.add(key, at, f"unknown field.{hint}", f"known here: {', '.join(known)}")
