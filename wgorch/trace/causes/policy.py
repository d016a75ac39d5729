"""The network's policy refuses the packet, or a host has another policy than the inventory."""

from __future__ import annotations

from wgorch.inventory.policy import PING, PolicyRule, Service
from wgorch.topology.path import REFUSED, decision
from wgorch.trace.evidence import Evidence
from wgorch.verify.finding import Finding


def refused_by_policy(evidence: Evidence, host: str) -> Finding | None:
    """The inventory's policy refuses the packet where it comes out of the tunnel."""
    if not evidence.topology.policy or host == evidence.path.hosts[0]:
        return None
    probe = evidence.probe
    service = Service(PING) if probe.protocol == "icmp" else Service(probe.protocol, ((probe.port, probe.port),))
    if decision(evidence.topology, evidence.path.hosts, probe.source, probe.target, service) != REFUSED:
        return None
    source = _name(evidence, str(probe.source), evidence.path.hosts[0])
    rule = PolicyRule(source, _name(evidence, str(probe.target), evidence.path.hosts[-1]), (service,))
    return Finding(host, f"refused by the policy: no line of policy: allows {rule}", f"add to policy: - {rule}")


def dropped_by_policy(evidence: Evidence, host: str) -> Finding:
    """The host's own rules of a policy dropped the packet."""
    what = "refused by the policy that the host has, which is not the inventory's"
    return refused_by_policy(evidence, host) or Finding(host, what, "wgorch up")


def _name(evidence: Evidence, address: str, host: str) -> str:
    """A host by its name, if the address is its own in the tunnel."""
    return host if address in map(str, evidence.topology.hosts[host].addresses) else address
