"""Lines of `policy:` and `verify:`: from a side to a side, and the services."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from wgorch.inventory import fields as f
from wgorch.inventory.flow import Flow
from wgorch.inventory.nodes import Mapping, Node, Scalar
from wgorch.inventory.policy import (
    ANY,
    DAY_S,
    EVERYTHING,
    INTERNET,
    LAN,
    PING,
    PINGS,
    PROTOCOLS,
    PolicyRule,
    Service,
    is_address,
    joined,
)
from wgorch.inventory.problems import Problems
from wgorch.inventory.sections.lines import check_host, lines
from wgorch.inventory.sections.reading import Reading

FIRST_YEAR = 2000
"""An end before is a slip; before 1970 it would be no UNIX time."""

EXAMPLE = "home -> company.lan: tcp 22,443"


class Names(NamedTuple):
    """Names that a line may use."""

    hosts: Collection[str]
    devices: Collection[str]
    groups: Collection[str]

    @property
    def members(self) -> list[str]:
        return [*self.hosts, *self.devices]


class _Line(NamedTuple):
    """A line, taken apart."""

    source: str
    arrow: str
    target: str
    services: tuple[Service, ...]
    """Empty where none are given."""
    until: int = 0


def policy(node: Node | None, names: Names, reading: Reading) -> Iterator[PolicyRule]:
    """Yield the valid lines of `policy:`."""
    for path, item in lines(node, "policy", EXAMPLE, "list what may pass below it, or delete the line", reading):
        line = _line(item, path, EXAMPLE, reading)
        if line is None:
            continue
        try:
            if line.arrow != "->":
                fix = "leave it out: what no line allows is refused; a test of it stands in verify:"
                raise f.InvalidValue("a policy only allows", fix)
            for side in (line.source, line.target):
                check_side(side, names, reading.problems)
            if line.source == INTERNET:
                fix = f"{ANY}, or the addresses that you mean"
                raise f.InvalidValue("nothing comes from the internet through a tunnel but answers", fix)
        except f.InvalidValue as invalid:
            reading.problems.add(item, path, invalid.message, invalid.fix)
            continue
        yield PolicyRule(line.source, line.target, line.services or (EVERYTHING,), line.until)


def flows(node: Node | None, names: Names, reading: Reading) -> Iterator[Flow]:
    """Yield the valid lines of `verify:`, each service by itself."""
    example = "home -> 10.10.13.61"
    for path, item in lines(node, "verify", example, "list flows below it, or delete the line", reading):
        line = _line(item, path, example, reading)
        if line is None:
            continue
        try:
            for flow in _flows(line, names, reading):
                reading.locations[f"verify {flow}"] = item
                yield flow
        except f.InvalidValue as invalid:
            reading.problems.add(item, path, invalid.message, invalid.fix)


def _flows(line: _Line, names: Names, reading: Reading) -> Iterator[Flow]:
    """Raises InvalidValue."""
    if line.until:
        raise f.InvalidValue("a test has no end", "leave until out, or write it in policy:")
    check_host(line.source, names.hosts, reading)
    if not re.match(r"[0-9:]|[0-9a-f]+:", line.target):
        check_host(line.target, names.hosts, reading)
    if hit := re.fullmatch(r"([0-9.]+):([0-9]+)", line.target):
        raise f.InvalidValue(f'"{line.target}" has a port', f"write it as: {line.source} -> {hit[1]}: tcp {hit[2]}")
    to = None if line.target in names.hosts or not names.hosts else f.address(line.target)
    for service in line.services or (PINGS,):
        if service.protocol == ANY:
            raise f.InvalidValue("a test sends one kind of packet", "write ping, tcp PORT or udp PORT")
        if service.protocol != PING and (not service.ports or any(low != high for low, high in service.ports)):
            name = service.protocol
            raise f.InvalidValue("a test is sent to one port", f"write the ports one by one, as {name} 22,443")
        single = [Service(service.protocol, (pair,)) for pair in service.ports] or [service]
        yield from (Flow(line.source, line.target, to, each, line.arrow == "-x->") for each in single)


def _line(item: Node, path: str, example: str, reading: Reading) -> _Line | None:
    """A line taken apart; None if a problem was added. YAML reads ``a -> b: tcp 22`` as a mapping of one field."""
    services: Node | None = None
    head: Node = item
    if isinstance(item, Mapping) and len(item.items) == 1:
        head, services = item.items[0]
    elif isinstance(item, Scalar) and ": " in item.text:  # in quotes, or of JSON
        text, _, rest = item.text.partition(": ")
        head, services = item._replace(text=text), item._replace(text=rest)
    elif isinstance(item, Scalar) and " until " in item.text:
        text, _, end = item.text.partition(" until ")
        head, services = item._replace(text=text), item._replace(text=f"until {end}")
    field = f.Field(f"a flow like {example}", lambda text: _ends(text, example), {})
    ends = field.read(head, path, reading.problems)
    if ends is None:
        return None
    found: tuple[tuple[Service, ...], int] | None = (), 0
    if services is not None:
        found = f.Field("services like tcp 22,443", _until, {}).read(services, path, reading.problems)
    source, arrow, target = ends
    return None if found is None else _Line(source, arrow, target, *found)


def _until(text: str) -> tuple[tuple[Service, ...], int]:
    """Services, and the time at which they end. Raises InvalidValue."""
    services, word, end = re.sub(r"^until ", " until ", text).partition(" until ")
    hit = re.fullmatch(r"\s*(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d))?\s*", end)
    if not word:
        return services_of(text), 0
    try:
        day = datetime.strptime(f"{hit[1]} {hit[2] or '00:00'}" if hit else "", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
        until = int(day.timestamp()) + (DAY_S if hit and not hit[2] else 0)
        if day.year < FIRST_YEAR:
            raise ValueError
    except (ValueError, OverflowError):
        fix = "write it as: until 2027-01-31, which that day belongs to, or until 2027-01-31 18:00, in UTC"
        raise f.InvalidValue(f'"{end.strip()}" is no date', fix) from None
    return services_of(services) if services.strip() else (EVERYTHING,), until


def _ends(text: str, example: str) -> tuple[str, str, str]:
    """Source, arrow and target. Raises InvalidValue."""
    hit = re.fullmatch(r"\s*(\S+?)\s*(-x->|->)\s*(\S+)\s*", text)
    if not hit or "->" in hit[3]:
        raise f.InvalidValue(f'"{text}" is not a flow', f"write it as: {example}")
    return hit[1], hit[2], hit[3]


def services_of(text: str) -> tuple[Service, ...]:
    """Services as ``tcp 22,443, udp 53, ping``. Raises InvalidValue."""
    ranges: dict[str, list[tuple[int, int]]] = {}
    whole: set[str] = set()
    protocol = ""
    for part in (each.strip() for each in text.split(",")):
        hit = re.fullmatch(r"([A-Za-z][A-Za-z0-9-]*)?\s*([0-9]+(?:\s*-\s*[0-9]+)?)?", part)
        if not part or not hit or not (hit[1] or protocol):
            raise f.InvalidValue(f'"{part}" in "{text}" is no service', "write it as: tcp 22,443, udp 53, ping")
        if hit[1]:
            protocol = _protocol(hit[1])
        if hit[2]:
            ranges.setdefault(protocol, []).append(_ports(hit[2], protocol))
        else:
            whole.add(protocol)
    if ANY in whole:
        return (EVERYTHING,)
    names = [p for p in PROTOCOLS if p in whole or p in ranges]
    return tuple(Service(p, () if p in whole else joined(ranges[p])) for p in names)


def _protocol(text: str) -> str:
    """Raises InvalidValue."""
    if text in PROTOCOLS:
        return text
    meant = {"icmp": PING, "icmpv6": PING, "all": ANY, "ssh": "tcp 22", "http": "tcp 80", "https": "tcp 443"}
    meant |= {"dns": "udp 53, tcp 53", "rdp": "tcp 3389"}
    fix = meant.get(text.lower()) or (text.lower() if text.lower() in PROTOCOLS else f.choice(PROTOCOLS))
    raise f.InvalidValue(f'"{text}" is no protocol', fix)


def _ports(text: str, protocol: str) -> tuple[int, int]:
    """Raises InvalidValue."""
    low, _, high = (part.strip() for part in text.partition("-"))
    first, last = int(low[:9]), int((high or low)[:9])
    if protocol in (PING, ANY):
        raise f.InvalidValue(f"{protocol} has no ports", f"write {protocol} alone, or tcp or udp before the port")
    if not 1 <= first <= 65535 or not 1 <= last <= 65535:
        raise f.InvalidValue(f"{text} is not a port", "a number 1-65535, or two with - between them")
    if first > last:
        raise f.InvalidValue(f"{text} runs backwards", f"write {last}-{first}")
    return first, last


def check_side(side: str, names: Names, problems: Problems) -> None:
    """Raises InvalidValue if a side is not known, or no address."""
    if side in (ANY, INTERNET):
        if side in names.members or side in names.groups:
            raise f.InvalidValue(f'"{side}" is a word of policies, and the name of a member', "rename the member")
        return
    if is_address(side):
        (f.SUBNET.parse if "/" in side else f.address)(side)
        return
    known = {*names.members, *names.groups}
    if side in known or side.removesuffix(LAN) in names.members:
        return
    if side.endswith(LAN) and side.removesuffix(LAN) in names.groups:
        name = side.removesuffix(LAN)
        raise f.InvalidValue(f"{name} is a group", f"list the LANs in groups.{name}, as NAME{LAN}")
    base = side.removesuffix(LAN)
    meant = f.suggest_in(problems, base, known)
    raise f.InvalidValue(
        f'there is no host, device or group "{base}".{meant}', f"{f.choice(known)}; {ANY}, {INTERNET}, or an address"
    )


def is_element(text: str, members: Collection[str]) -> bool:
    """True for what a group may hold beside members and groups: an address, a network, a member's LAN. Raises InvalidValue."""
    if text.endswith(LAN) and text.removesuffix(LAN) in members:
        return True
    if is_address(text):
        (f.SUBNET.parse if "/" in text else f.address)(text)
        return True
    return False
