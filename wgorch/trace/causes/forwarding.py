"""The kernel does not forward what an interface receives."""

from __future__ import annotations

from wgorch.base.sh import quote
from wgorch.trace.evidence import Evidence
from wgorch.verify.diagnose import by_hand
from wgorch.verify.finding import Finding


def forwarding_off(evidence: Evidence, host: str, version: int, interface: str) -> Finding | None:
    """Forwarding of an IP version is off on the interface that the packet came in by."""
    sysctls = evidence.facts[host].sysctls
    name = "forwarding" if version == 4 else "force_forwarding"
    paths = [f"net/ipv{version}/conf/{interface}/{name}"]
    if version == 6:
        paths.append("net/ipv6/conf/all/forwarding")
    if any(sysctls.get(path) == "1" for path in paths):
        return None
    what = f"forwarding is off on {interface}: packets received there are not forwarded"
    return Finding(host, what, by_hand(f"sysctl -w {quote(f'net/ipv{version}/conf/{interface}/{name}=1')}"))
