"""Notes beside a plan: what is kept, left alone, or left to the reader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from wgorch.gather.observed import Observed
from wgorch.inventory.model import Network
from wgorch.plan.scope import enabled_since
from wgorch.state.rules import foreign_rules, our_chains
from wgorch.state.state import State
from wgorch.steps.target import lan_interface
from wgorch.topology.desired import Desired


class Note(NamedTuple):
    """A remark beside a host's plan. `foreign`: something of others is kept, which consent to a teardown must know."""

    host: str
    text: str
    foreign: bool = False

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


def notes(host: str, network: Network, want: State, seen: Observed) -> Iterator[Note]:
    for chain in our_chains(network):
        rules = seen.firewall.rules.get(chain.table, {}).get(chain.name, ())
        for rule in foreign_rules(rules, network.mark):
            yield Note(host, f"not managed by wgorch, kept in chain {chain.name}: {rule}", foreign=True)
    if seen.firewall.legacy_too:
        yield Note(
            host, "iptables has rules of both backends, nft and legacy; wgorch uses the one that `iptables` selects"
        )
    if want.interfaces and "wg-quick" in seen.system.managers:
        unit = f"wg-quick@{network.interface}"
        yield Note(host, f"{unit} starts {network.interface}, too, at the next reboot: systemctl disable {unit}")
    if want.interfaces and not seen.system.starter:
        yield Note(host, "the network will not survive a reboot: neither systemd, OpenRC, runit nor cron runs")
    if want.interfaces and want.watch_text and not want.watch:
        yield Note(host, "no timer: changed addresses of peers are not followed")
    if seen.files.lock and seen.files.lock.boot_id == seen.system.boot_id and seen.files.lock.until > seen.clock.uptime:
        yield Note(
            host, f"locked by {seen.files.lock.who} for another {seen.files.lock.until - seen.clock.uptime} s at most"
        )
    if seen.files.pending or seen.files.reverting:
        yield Note(host, "a change is not confirmed yet; it rolls back unless it is")
    elif seen.files.outcome:
        words = seen.files.outcome.split(" ")
        result = {"reverted": "rolled back", "rebooted": "rolled back by the boot script"}.get(words[0], words[0])
        yield Note(host, f"the last change was {result} ({' '.join(words[2:])})")
    if not want.interfaces and "nft" not in seen.system.tools and (tables := seen.empty_own_tables(network)):
        yield Note(
            host,
            f"empty iptables tables stay ({', '.join(sorted(tables))}): only nft deletes them, and it is not installed",
        )
    for path in sorted(enabled_since(seen) - want.sysctls.keys()):
        name = path.replace("/", ".")
        yield Note(
            host,
            f"{name} was {seen.files.saved[path].before}; forwarding was enabled for all interfaces since: left alone",
        )
    if seen.firewall.ufw_flushes and want.chains and "ufw-user-forward" in seen.firewall.rules.get("filter", {}):
        yield Note(
            host,
            "a reload of ufw empties wgorch's chains: set MANAGE_BUILTINS=no in /etc/default/ufw, or run wgorch up after it",
        )
    for path, record in seen.files.saved.items():
        if not want.interfaces and seen.sysctls.get(path) not in (record.applied, None):
            now = seen.sysctls[path]
            yield Note(
                host,
                f"{path.replace('/', '.')} was {record.before}, wgorch set {record.applied}, now it is {now}: left alone",
            )
