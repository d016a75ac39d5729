"""Values below /proc/sys/net that wgorch reads or sets."""

from __future__ import annotations

from wgorch.facts.grammar import match
from wgorch.facts.part import Answers, Part, Reread

PART = Part({"sysctls": Reread.AFTER_CHANGE})

IPV6_OFF = "net/ipv6/conf/default/disable_ipv6"


def read(answers: Answers) -> dict[str, str]:
    """Values by path below /proc/sys. Raises NotAnAnswer."""
    found = {}
    for line in answers["sysctls"]:
        path, _, text = line.partition(" ")
        if text:
            path = match(r"net/ipv[46]/conf/[^\s/]{1,15}/[a-z0-9_]{1,40}", path)
            found[path] = match(r"-?\d{1,10}", text)
    return found
