"""Addresses, subnets, endpoints and machines."""

from __future__ import annotations

import ipaddress
import re

from wgorch.base.ip import as_ip
from wgorch.inventory.endpoint import Endpoint
from wgorch.inventory.fields.field import Field, InvalidValue
from wgorch.inventory.model import IPAddress, IPNetwork


def address(text: str) -> IPAddress:
    """Parse an IP address without prefix or zone. Raises InvalidValue."""
    for mark, part in (("/", "prefix"), ("%", "zone")):
        if mark in text:
            raise InvalidValue(f'"{text}" has a {part}', f"write the address alone: {text.split(mark)[0]}")
    ip = as_ip(text)
    if ip is None:
        raise _not_an_address(text)
    return ip


def _not_an_address(text: str) -> InvalidValue:
    """Return what is wrong in an address, and what was probably meant."""
    four = "four numbers 0-255 with dots between them, like 192.168.2.1"
    with_port = re.fullmatch(r"([0-9.]+):[0-9]*", text)
    if with_port:
        return InvalidValue(f'"{text}" has a port', f"write the address alone: {with_port[1]}")
    if ":" in text and re.fullmatch(r"[0-9a-fA-F:.]+", text):
        return InvalidValue(f'"{text}" is not an IPv6 address', "like 2001:db8::1")
    parts = text.split(".")
    strange = next((part for part in parts if not re.fullmatch(r"[0-9]+", part)), None)
    if strange is not None:
        return InvalidValue(
            f'"{text}" is not an IP address' + (f' ("{strange}" is not a number)' if len(parts) == 4 else ""), four
        )
    if len(parts) == 2:
        return InvalidValue(f"{text} reads as a decimal number; an address has 4 parts", four)
    if len(parts) != 4:
        return InvalidValue(f'"{text}" has {len(parts)} part{"s" if len(parts) > 1 else ""}; an address has 4', four)
    for number, part in enumerate(parts, 1):
        if len(part) > 3 or int(part) > 255:
            return InvalidValue(f"octet {number} is {part[:20]}; the maximum is 255", "a number 0-255 there")
        if len(part) > 1 and part[0] == "0":
            return InvalidValue(
                f"a leading zero in octet {number} is ambiguous", ".".join(str(int(p[:3])) for p in parts)
            )
    return InvalidValue(f'"{text}" is not an IP address', four)


def subnet(text: str) -> IPNetwork:
    """Parse a network with its prefix, host bits zero. Raises InvalidValue."""
    tight = re.sub(r"\s*/\s*", "/", text)
    if "," in text or " " in tight:
        items = ", ".join(part for part in re.split(r"[,\s]+", tight) if part)
        raise InvalidValue(f'"{text}" is one string with several networks', f"write a list: [{items}]")
    if tight != text:
        raise InvalidValue(f'"{text}" has a space in it', tight)
    base, slash, prefix = text.partition("/")
    ip = address(base)
    if not slash or not prefix:
        lan = ipaddress.ip_network((ip, 24 if ip.version == 4 else 64), strict=False)
        raise InvalidValue(f'"{text}" has no prefix', f"{lan} for a LAN, {base}/{ip.max_prefixlen} for one machine")
    if re.fullmatch(r"[0-9.]+", prefix) and "." in prefix:
        try:
            length = ipaddress.ip_network(f"0.0.0.0/{prefix}").prefixlen
        except ValueError:
            raise InvalidValue(f'"{prefix}" is not a netmask', f"write the prefix, like {base}/24") from None
        raise InvalidValue(
            "a netmask is given", f"write the prefix: {ipaddress.ip_network((ip, length), strict=False)}"
        )
    if not re.fullmatch(r"[0-9]{1,3}", prefix):
        raise InvalidValue(f'"{prefix}" is not a prefix length', f"a number 0-{ip.max_prefixlen}")
    if int(prefix) > ip.max_prefixlen:
        raise InvalidValue(f"prefix {int(prefix)} is larger than {ip.max_prefixlen}", f"a number 0-{ip.max_prefixlen}")
    network = ipaddress.ip_network((ip, int(prefix)), strict=False)
    if network.network_address != ip:
        raise InvalidValue(f"{text} has host bits set", f"write the network: {network}")
    return network


_NOT_ROUTABLE = tuple(
    (ipaddress.ip_network(text), name)
    for name, texts in {
        "everything, or nothing": ("0.0.0.0/8", "::/8"),
        "loopback": ("127.0.0.0/8", "::1/128"),
        "link-local": ("169.254.0.0/16", "fe80::/10"),
        "multicast": ("224.0.0.0/4", "ff00::/8"),
        "reserved": ("240.0.0.0/4",),
    }.items()
    for text in texts
)
"""Networks that no packet can be routed to, with the reason."""


def routable_subnet(text: str) -> IPNetwork:
    """Parse a network that can be routed to a peer. Raises InvalidValue."""
    network = subnet(text)
    for other, name in _NOT_ROUTABLE:
        if network.version == other.version and network.overlaps(other):
            message = f"{network} ({name}) cannot be routed to a peer"
            raise InvalidValue(message, "a private network, like 10.10.13.0/24")
    return network


def dns_name(text: str) -> str:
    """Parse a DNS name (RFC 1123). Raises InvalidValue."""
    name = text[:-1] if text.endswith(".") else text
    if text.endswith("."):
        raise InvalidValue(f'"{text}" ends with a dot', f"write {name}")
    if len(name) > 253:
        raise InvalidValue(f"a DNS name of {len(name)} characters; at most 253", "write its address")
    for position, c in enumerate(name, 1):
        if not re.match(r"[A-Za-z0-9.-]", c):
            shown = "space" if c == " " else f'"{c}"'
            hint = _in_ascii(name) or "letters, digits, dots and - only"
            raise InvalidValue(f'"{text}" is not a DNS name ({shown} at {position})', hint)
    if any(not label or label[0] == "-" or label[-1] == "-" or len(label) > 63 for label in name.split(".")):
        raise InvalidValue(
            f'"{text}" is not a DNS name', "1 to 63 letters, digits or - between dots, no - at their ends"
        )
    if re.fullmatch(r"[0-9.]+", name):
        raise _not_an_address(name)
    return name


def _in_ascii(name: str) -> str:
    """How an internationalised name is written here; empty where it is none."""
    try:
        found = name.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
    return f"write {found}" if found != name and re.fullmatch(r"[A-Za-z0-9.-]+", found) else ""


def machine(text: str) -> str:
    """Parse an IP address or a DNS name. Raises InvalidValue."""
    if text.startswith("-"):
        raise InvalidValue('must not start with "-"', "a name or an address")
    ip = as_ip(text)
    if ip is not None:
        zone = getattr(ip, "scope_id", None)
        if zone is not None and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}", zone):
            raise InvalidValue(f'"{zone}" is not the name of an interface', "like fe80::1%eth0")
        return str(ip)
    if text.count(":") > 1:
        raise _not_an_address(text)
    return dns_name(text)


def port(text: str) -> int:
    """Parse a port number. Raises InvalidValue."""
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 0 < int(text) < 65536:
        raise InvalidValue(f'"{text}" is not a port', "a number 1-65535")
    return int(text)


def endpoint(text: str) -> Endpoint:
    """Parse ``host:port``, IPv6 in brackets. Raises InvalidValue."""
    if "://" in text:
        scheme, _, rest = text.partition("://")
        raise InvalidValue(
            f'"{scheme}://" is not accepted', f"write {rest}" if re.search(r":[0-9]+$", rest) else "write host:port"
        )
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(.*))?", text)
    if bracketed:
        host, after = bracketed[1], bracketed[2]
    elif text.count(":") > 1:
        host, _, after = text.rpartition(":") if as_ip(text) is None else (text, "", "51820")
        raise InvalidValue(f'"{text}" is an IPv6 address without brackets', f'write "[{host}]:{after}", in quotes')
    else:
        host, _, after = text.partition(":")
    if not after:
        raise InvalidValue("port missing", f"{text.rstrip(':')}:51820")
    return Endpoint(machine(host), port(after))


SUBNET = Field("a network like 192.168.2.0/24", routable_subnet, {"type": "string"})


LAN = Field("a network like 10.10.13.0/24", routable_subnet, {"type": "string"})


ADDRESS = Field("an address like 192.168.2.1", address, {"type": "string"})


ENDPOINT = Field("an endpoint", endpoint, {"type": "string", "pattern": r"^.+:\d+$"}, bracketed=True)


MACHINE = Field("a host name or address", machine, {"type": "string"})
