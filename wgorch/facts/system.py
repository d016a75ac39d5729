"""The system of a host: kernel, distribution, tools, sysctls."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping

from wgorch.facts.grammar import MAX_LINES, match

CAP_NET_ADMIN = 12
"""The number of the right to change the network (linux/capability.h)."""


def tools(lines: list[str], s: Mapping[str, list[str]]) -> frozenset[str]:
    """The commands that are there. An ip that takes no batch (busybox's) is not the one that we need."""
    tools = frozenset(match(r"[a-z0-9-]{1,30}", tool) for tool in lines)
    return tools - {"ip"} if "poor-ip" in s else tools


def name_servers(lines: list[str], mark: str) -> tuple[str, ...]:
    """The name servers that we set, if we did."""
    if not lines or lines[0] != mark:
        return ()
    servers = [words[1] for line in lines if (words := line.split())[:1] == ["nameserver"] and len(words) == 2]
    return tuple(str(ipaddress.ip_address(server)) for server in servers)


def sysctls(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines[:MAX_LINES]:
        path, _, value = line.partition(" ")
        if value:
            yield match(r"net/ipv[46]/conf/[^\s/]{1,15}/[a-z0-9_]{1,40}", path), match(r"-?\d{1,10}", value)
