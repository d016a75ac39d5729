"""Forwarding: sysctls of single interfaces; each former value is saved on the host.

Not ``ip_forward``: it changes every other interface of the host and cannot be restored exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from wgorch.base.sh import Sh, quote_words, sh
from wgorch.facts.facts import Facts
from wgorch.inventory.model import Network
from wgorch.state.change import Change, attributes, change, command
from wgorch.state.state import State
from wgorch.steps.noun import Noun, Slice, step
from wgorch.steps.target import Target

RELAY_SENDS_REDIRECTS = "net/ipv4/conf/all/send_redirects"


def forwarding(want: State, have: State) -> Iterator[Change]:
    """Let the kernel forward packets on the interfaces that need it; the former values are saved on the host."""
    managed = have.interfaces.keys() | want.interfaces.keys()
    for path, value in sorted(want.sysctls.items()):
        seen = have.sysctls.get(path)
        if seen == value:
            continue
        setting = command("set_value", path, value)
        if path.split("/")[3] in managed:
            # It goes with the interface: nothing to save, and nothing to set where the interface goes.
            if path.split("/")[3] not in want.interfaces:
                continue
            setting = command("write_sysctl", path, value)
        why = f"{seen}, not {value}" if seen is not None else f"must be {value}"
        its = partial(attributes, (path.replace("/", "."), seen, value))
        yield change("~", f"sysctl {path.replace('/', '.')}", why, setting, values=its)


def _have(facts: Facts, _network: Network) -> Slice:
    return {"sysctls": facts.sysctls}


def _target(target: Target) -> Slice:
    return {"sysctls": dict([*_forwarding(target), *_exit(target), *_redirects(target), *_asymmetric(target)])}


def _forwarding(target: Target) -> Iterator[tuple[str, str]]:
    through = _interfaces(target)
    for interface in sorted(through[4]):
        yield f"net/ipv4/conf/{interface}/forwarding", "1"
    if "net/ipv6/conf/all/force_forwarding" in target.facts.sysctls:
        for interface in sorted(through[6]):
            yield f"net/ipv6/conf/{interface}/force_forwarding", "1"
    elif through[6]:
        # Before Linux 6.17 there is one switch for all interfaces; host/lib/sysctls.sh sets it without side effects.
        yield "net/ipv6/conf/all/forwarding", "1"


def _interfaces(target: Target) -> dict[int, set[str]]:
    """Interfaces that must forward, by IP version."""
    desired, tunnels = target.desired, target.tunnels
    through = {4: set[str](), 6: set[str]()}
    for lan, interface in target.lan_interfaces.items():
        through[lan.version] |= {*tunnels, interface}
    if desired.forwards_between_peers:
        for version in {subnet.version for subnet in target.network.subnets}:
            through[version].update(tunnels)
    for version in {net.version for net in desired.exit_sources}:
        if out := target.egress(version):
            through[version] |= {*tunnels, out}
    return through


def _asymmetric(target: Target) -> Iterator[tuple[str, str]]:
    """A packet may come in by another of the host's tunnels than its answer leaves by: a strict rp_filter drops it."""
    if len(target.tunnels) > 1 and any(subnet.version == 4 for subnet in target.network.subnets):
        for tunnel in target.tunnels:
            yield f"net/ipv4/conf/{tunnel}/rp_filter", "2"


def _exit(target: Target) -> Iterator[tuple[str, str]]:
    if target.desired.host.exit:
        # Replies to packets that leave by fwmark come in where the unmarked route does not lead: strict rp_filter would
        # drop them. The kernel takes the larger of all's and the interface's value; 2 is loose.
        yield "net/ipv4/conf/all/src_valid_mark", "1"
        if out := target.egress(4):
            yield f"net/ipv4/conf/{out}/rp_filter", "2"


def _redirects(target: Target) -> Iterator[tuple[str, str]]:
    if target.desired.forwards_between_peers and any(subnet.version == 4 for subnet in target.network.subnets):
        # A relay sends a packet out of the interface it came in by, and would send an ICMP redirect. The kernel takes
        # the larger of all's and the interface's value, so both are set; other interfaces keep their own.
        yield RELAY_SENDS_REDIRECTS, "0"
        yield from ((f"net/ipv4/conf/{tunnel}/send_redirects", "0") for tunnel in target.tunnels)


def _probe(want: State, have: State) -> Iterator[Sh]:
    managed = {*want.interfaces, *have.interfaces}
    paths = sorted({p for p in (*want.sysctls, *have.sysctls) if p.split("/")[3] not in managed})
    if paths:
        yield sh("for path in {paths}; do show_file /proc/sys/$path; done", paths=quote_words(paths))


def _probe_interface(interface: Sh) -> Iterator[Sh]:
    yield sh(
        "for s in forwarding send_redirects rp_filter; do show_file /proc/sys/net/ipv4/conf/{interface}/$s; done",
        interface=interface,
    )


NOUN = Noun(
    state=("sysctls",),
    steps=(step(forwarding),),
    have=_have,
    target=_target,
    functions=("set_value", "write_sysctl"),
    probe=_probe,
    probe_interface=_probe_interface,
)
