"""What a change of the policy means: the flows that it opens and closes, and SSH that it would cut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wgorch.base.ip import as_ip
from wgorch.base.text import count
from wgorch.errors import HostError, Unfit
from wgorch.gather.observed import Observed
from wgorch.inventory.model import Host, IPAddress
from wgorch.inventory.policy import DAY_S, PolicyRule, Service
from wgorch.plan.host import HostPlan
from wgorch.plan.members import Record, parse
from wgorch.plan.notes import Note
from wgorch.plan.playbook import Playbook
from wgorch.state.rules import POLICY_KINDS
from wgorch.state.state import State
from wgorch.steps.chains import chain_ends
from wgorch.steps.nft import rule_ends
from wgorch.topology.policy import Policy
from wgorch.topology.policy_changes import closed, opened
from wgorch.topology.topology import Topology

SOON_DAYS = 14


def soon_over(policy: Policy, now: int) -> Iterator[str]:
    """The lines that end within SOON_DAYS of a UNIX time."""
    for line in policy.lines:
        left = line.rule.until - now
        if 0 < left <= SOON_DAYS * DAY_S:
            when = f"in {count(left // DAY_S, 'day')}" if left >= DAY_S else "within a day"
            yield f"a line of the policy ends {when}: {line.rule}"


def policy_notes(topology: Topology, record: Record, host: str, now: int) -> Iterator[Note]:
    """Lines that end soon, and the flows that a change opens and closes, as the record has them; on a host's plan."""
    yield from (Note(host, text) for text in soon_over(topology.policy, now))
    if not topology.policy and '"policy"' not in record.text:
        return
    members = parse(record) if record.text else None
    if members is None:
        return
    before, after = Policy(members.inventory), topology.policy
    yield from (Note(host, f"the policy closes {line}") for line in closed(before, after))
    yield from (Note(host, f"the policy opens {line}") for line in opened(before, after))


def ends_within(plans: Mapping[str, HostPlan], seen: Mapping[str, Observed], seconds: int) -> list[str]:
    """The hosts on which a line of the policy, of before or after, ends so soon by their clocks.

    While a change is held, what ends lines is not set up yet, or changes what its rollback is compared with.
    """
    found = []
    for name, plan in plans.items():
        now = seen[name].clock.time
        ends = {end for state in (plan.want, plan.have) for end in (*rule_ends(state.nft), *chain_ends(state.chains))}
        if plan.do and any(now < end <= now + seconds + 60 for end in ends):
            found.append(name)
    return found


def unenforced(host: str, want: State, playbook: Playbook) -> Iterator[HostError]:
    """A playbook that leaves out the step by which a host enforces the policy, or has it after the tunnel is up."""
    steps = [each for each in playbook.steps("tunnel") if isinstance(each, str)]
    before = steps[: steps.index("interface")] if "interface" in steps else steps
    needed = {
        "nft_table": any(key.startswith("policy-") for key in want.nft),
        "policy_chains": any(chain.kind in POLICY_KINDS for chain in want.chains),
    }
    for name in (name for name, is_needed in needed.items() if is_needed and name not in before):
        problem = f"the playbook of up lacks the step {name} before interface"
        yield Unfit(host, "enforce the policy", problem, f"add {name} to the stage tunnel, or take policy: out")


def cuts_ssh(topology: Topology, seen: Mapping[str, Observed]) -> Iterator[HostError]:
    """Hosts whose SSH session comes through the tunnel, where the policy would refuse it."""
    policy, network = topology.policy, topology.inventory.network
    for name, there in seen.items() if policy else ():
        client = as_ip(there.system.ssh_client.partition("%")[0])
        if client is None or there.ssh_interface not in there.interfaces(network):
            continue
        own = _in_tunnel(topology.hosts[name], there.system.ssh_server) or topology.hosts[name].address_of(
            client.version
        )
        service = Service("tcp", ((there.system.ssh_port, there.system.ssh_port),))
        if own is None or policy.allows(client, own, service):
            continue
        sender = next((n for n, host in topology.hosts.items() if client in host.addresses), str(client))
        problem = f"SSH to the host comes through the tunnel from {sender}, and no line of policy: allows it"
        target = name if own in topology.hosts[name].addresses else str(own)
        yield Unfit(name, "enforce the policy", problem, f"add to policy: - {PolicyRule(sender, target, (service,))}")


def _in_tunnel(host: Host, server: str) -> IPAddress | None:
    """The address of a host by which the tunnel knows it; None for text that is no address."""
    address = as_ip(server.partition("%")[0])
    for subnet, lan in host.maps:
        if address and address.version == lan.version and address in lan:
            return subnet[int(address) - int(lan.network_address)]
    return address
