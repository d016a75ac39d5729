"""Notes beside a plan: what is kept, left alone, or left to the reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from wgorch.base.sh import quote
from wgorch.gather.observed import Observed
from wgorch.inventory.model import Network
from wgorch.plan.preshared import is_classical
from wgorch.plan.route_conflicts import more_specific, policy_takes, shown
from wgorch.plan.scope import enabled_since
from wgorch.state.rules import foreign_rules, our_chains
from wgorch.state.state import State
from wgorch.steps.target import lan_interface
from wgorch.topology.desired import Desired


class Note(NamedTuple):
    """A remark beside a host's plan."""

    host: str
    text: str

    def __str__(self) -> str:
        return f"{self.host}: {self.text}"


def return_routes(desired: Desired, seen: Observed) -> Iterator[Note]:
    """The routes that machines of a LAN need without masquerade."""
    if desired.host.masquerade:
        return
    for subnet in desired.lans:
        lan, device = desired.host.real(subnet), lan_interface(desired, seen, subnet)
        own = next((a.ip for name, a in seen.links.addresses if name == device and a.version == lan.version), None)
        beyond = [net for net in (*desired.network.subnets, *desired.routes) if net.version == lan.version]
        for net in beyond if own else ():
            yield Note(desired.name, f"machines in {lan}, or their router, must have: ip route add {net} via {own}")


def routes_inside(desired: Desired, seen: Observed) -> Iterator[Note]:
    """Routes of others that take a part of a network from the tunnel."""
    for larger, route in more_specific(desired, seen):
        yield Note(desired.name, f"a {shown(route)} takes that part of {larger} from the tunnel")
    for net, rule, taken in policy_takes(desired, seen):
        by = f": its {shown(taken)}" if taken else ""
        yield Note(
            desired.name, f"policy rule {rule} is asked before the main table and takes {net} from the tunnel{by}"
        )


def relay_notes(desired: Desired, want: State, have: State) -> Iterator[Note]:
    """Which relay a host prefers, and which ports a relay needs; where its interfaces change."""
    if want.interfaces.keys() == have.interfaces.keys():
        return
    if desired.choices:
        first, *others = (f"{choice.relay} by {choice.interface}" for choice in desired.choices)
        yield Note(desired.name, f"prefers relay {first}; standby: {', '.join(others)}")
    elif desired.ports:
        names = {desired.interface_of(link): link.peer for link in desired.links}
        ports = ", ".join(f"{port} ({names[interface]})" for interface, port in desired.ports.items())
        yield Note(desired.name, f"other relays connect to UDP {ports}: let them in where a cloud or a router filters")


def loss_notes(desired: Desired, want: State, have: State) -> Iterator[Note]:
    """What a new port or key of running interfaces costs; and where another relay stands by, how to lose nothing."""
    both = [(have.interfaces[name], new) for name, new in want.interfaces.items() if name in have.interfaces]
    new_port = any(old.listen_port != new.listen_port for old, new in both)
    new_key = any(old.public_key not in ("", new.public_key) for old, new in both)
    if not (new_port or new_key) or want.drained:
        return
    what = " and ".join(["port"] * new_port + ["key"] * new_key)
    text = f"a new {what}: its peers lose packets for about 0.3 s"
    if desired.host.relay and desired.ports:
        text += f"; to lose none: wgorch drain {desired.name} before, wgorch undrain {desired.name} after"
    yield Note(desired.name, text)


def notes(host: str, network: Network, want: State, seen: Observed) -> Iterator[Note]:
    """Remarks beside the plan of one host, about what it does not change."""
    for texts in (_files, _firewall, _adopted, _next_start, _start, _last_change, _sysctls, _preshared):
        for text in dict.fromkeys(texts(network, want, seen)):
            yield Note(host, text)


def _files(_network: Network, _want: State, seen: Observed) -> Iterator[str]:
    for entry in seen.files.listing:
        # The mode of the private key is part of the State.
        if entry.is_open and not entry.fault and entry.name != "private_key" and entry.path.count("/") > 3:
            yield f"others may read {entry.path} ({entry.mode}): chmod go= {quote(entry.path)}"


def _firewall(network: Network, want: State, seen: Observed) -> Iterator[str]:
    for chain in our_chains(network):
        rules = seen.firewall.rules.get(chain.table, {}).get(chain.name, ())
        for rule in foreign_rules(rules, network.mark):
            yield f"not managed by wgorch, kept in chain {chain.name}: {rule}"
    if seen.firewall.legacy_too:
        yield "iptables has rules of both backends, nft and legacy; wgorch uses the one that `iptables` selects"
    if not want.interfaces and "nft" not in seen.system.tools and (tables := seen.empty_own_tables(network)):
        yield f"empty iptables tables stay ({', '.join(sorted(tables))}): only nft deletes them, and it is not installed"
    if seen.firewall.ufw_flushes and want.chains and "ufw-user-forward" in seen.firewall.rules.get("filter", {}):
        hint = "set MANAGE_BUILTINS=no in /etc/default/ufw, or run wgorch up after it"
        yield f"a reload of ufw empties wgorch's chains: {hint}"


def _adopted(network: Network, want: State, seen: Observed) -> Iterator[str]:
    if not want.interfaces and seen.files.boot_header.get("adopted") == "yes":
        yield (
            f"{network.interface} was there before wgorch adopted it: it will be deleted, and does NOT come back by "
            f"itself; what started it does that (wg-quick up {network.interface}?)"
        )


def _next_start(network: Network, want: State, seen: Observed) -> Iterator[str]:
    for path, line in seen.next_start:
        if line == "tmpfs" and want.interfaces:
            yield f"{path} is on a tmpfs: the key and the boot script are lost at a reboot"
        elif f"wgorch-{network.name}" in line:
            if not want.interfaces:
                yield f"another program saved rules of wgorch in {path}: they come back at the next start; delete them there"
        elif not want.interfaces:
            continue
        elif line.startswith("flush ruleset"):
            yield f"{path} flushes all rules whenever it is loaded, wgorch's too: run wgorch up after it"
        elif re.match(r"net[./]ipv4", line):
            yield f"{path} sets “{line}”, which stops forwarding whenever it is loaded: change it there"
        else:
            yield f"{path} names {network.interface}, too: two programs would make it at the next start"


def _start(network: Network, want: State, seen: Observed) -> Iterator[str]:
    if not want.interfaces:
        return
    if "wg-quick" in seen.system.managers:
        unit = f"wg-quick@{network.interface}"
        yield f"{unit} starts {network.interface}, too, at the next reboot: systemctl disable {unit}"
    if not seen.system.starter:
        yield "the network will not survive a reboot: neither systemd, OpenRC, runit nor cron runs"
    if want.watch_text and not want.watch:
        yield "no timer: changed addresses of peers are not followed"


def _last_change(_network: Network, _want: State, seen: Observed) -> Iterator[str]:
    files, lock = seen.files, seen.files.lock
    if lock and lock.boot_id == seen.system.boot_id and lock.until > seen.clock.uptime:
        yield f"locked by {lock.who} for another {lock.until - seen.clock.uptime} s at most"
    if files.pending or files.reverting:
        yield "a change is not confirmed yet; it rolls back unless it is"
    elif files.outcome:
        words = files.outcome.split(" ")
        result = {"reverted": "rolled back", "rebooted": "rolled back by the boot script"}.get(words[0], words[0])
        yield f"the last change was {result} ({' '.join(words[2:]).replace('-', ' ')})"


def _sysctls(_network: Network, want: State, seen: Observed) -> Iterator[str]:
    for path in sorted(enabled_since(seen) - want.sysctls.keys()):
        before = seen.files.saved[path].before
        yield f"{path.replace('/', '.')} was {before}; forwarding was enabled for all interfaces since: left alone"
    for path, saved in seen.files.saved.items():
        now = seen.sysctls.get(path)
        if not want.interfaces and now not in (saved.applied, None):
            name = path.replace("/", ".")
            yield f"{name} was {saved.before}, wgorch set {saved.applied}, now it is {now}: left alone"


def _preshared(_network: Network, want: State, _seen: Observed) -> Iterator[str]:
    peers = (peer for peers in want.peers.values() for peer in peers.values())
    names = sorted(peer.name for peer in peers if is_classical(peer.preshared))
    if names:
        yield f"preshared keys with {', '.join(names)} were sent over SSH without post-quantum key exchange"
