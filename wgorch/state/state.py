"""State of a network on one host: one type for what is there and for what should be.

A step compares two States and yields the Changes between them. Because both are of one type, rollback (undo), start-up
(boot) and teardown need no code of their own: they are the same steps with other arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import NamedTuple

from wgorch.base.value import value
from wgorch.state.rules import Chain, Rule
from wgorch.state.wireguard import Interface, Peer

ROUTE_PROTO = 119
"""Routing protocol number that marks managed routes (``ip route … proto 119``)."""


@value
class Run:
    """A step that a user added to the playbook."""

    command: str
    undo: str = ""


class TunnelRoute(NamedTuple):
    """A route into a tunnel. `proto`: its protocol, wgorch's own for a managed one."""

    subnet: str
    proto: str = str(ROUTE_PROTO)
    metric: int = 0
    """0 for the usual one."""


@value
class State:
    """Everything of one network on one host. Each field has one owner in `wgorch.steps`."""

    mark: str
    directory: str
    interfaces: Mapping[str, Interface] = field(default_factory=dict)
    """WireGuard interfaces by name."""
    addresses: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Addresses with prefix, by interface."""
    kernel_routes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Routes that the kernel made of them, as ``ip route`` takes them, by interface."""
    peers: Mapping[str, Mapping[str, Peer]] = field(default_factory=dict)
    """By interface and public key."""
    routes: Mapping[str, frozenset[TunnelRoute]] = field(default_factory=dict)
    """By interface; with an empty name those that lead into the interface of the relay that is used just now."""
    nexthops: Mapping[str, str] = field(default_factory=dict)
    """Ids of the nexthop objects of such routes, by ``-4`` and ``-6``. Which interface one leads into is no part of the State."""
    chains: Mapping[Chain, tuple[Rule, ...]] = field(default_factory=dict)
    jumps: Mapping[Chain, tuple[int, ...]] = field(default_factory=dict)
    """Places of the jumps to a chain among its parent's rules, 1-based, wgorch's not counted; ``(1,)`` is right."""
    tables: frozenset[str] = frozenset()
    """iptables tables that exist; of ip6tables with a 6 behind the name."""
    created_tables: frozenset[str] = frozenset()
    """Those that exist because of wgorch."""
    nft: Mapping[str, str] = field(default_factory=dict)
    """Rules of the managed nft table, by chain and digest; behind an @ the UNIX time at which one ends."""
    clock: int = field(default=0, compare=False)
    """UNIX time by the host's clock when they were read."""
    firewalld: frozenset[str] = frozenset()
    """Runtime settings of the managed zone and policies, as "OBJECT KIND VALUE"."""
    zones: frozenset[str] = frozenset()
    """Managed zones and policies that firewalld knows."""
    zone_files: Mapping[str, str] = field(default_factory=dict)
    """Their permanent files, by object."""
    default_zone: str = field(default="", compare=False)
    """File of firewalld's default zone."""
    sysctls: Mapping[str, str] = field(default_factory=dict)
    """Values by path below /proc/sys."""
    runs: Mapping[str, Run] = field(default_factory=dict)
    """Steps of the user's playbook, by name."""
    policy_rules: frozenset[str] = frozenset()
    """Rules as ``ip rule show`` prints them, with -4 or -6 before."""
    exit_routes: frozenset[str] = frozenset()
    """Routes of the network's own table, as ``ip route`` takes them."""
    dns: tuple[str, ...] = ()
    """Name servers that wgorch set."""
    manager: str = ""
    """Package manager."""
    packages: frozenset[str] = frozenset()
    """Packages that wgorch installed."""
    tools: frozenset[str] = frozenset()
    """Commands in PATH."""
    key_mode: str = ""
    """Mode of the private key file, empty where there is none."""
    keys: frozenset[str] = frozenset()
    """Public halves of the private keys on the host."""
    kept_secrets: frozenset[str] = frozenset()
    """Files of preshared keys that wgorch did not make, kept for a rollback and for the next start."""
    key_source: tuple[str, ...] = ()
    """Command that prints the private key, where it is not generated on the host."""
    drop_ins: Mapping[str, str] = field(default_factory=dict)
    """Files that keep other network managers off the tunnel, by path."""
    members: str = ""
    """The network's members, as the hosts that keep this record have it."""
    revision: str = field(default="", compare=False)
    """First line of the record: its number, the time of the change, and who made it."""
    starter: str = ""
    """Start-up system: systemd, openrc, runit or cron."""
    units: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of what runs the boot script at start-up, by start-up system."""
    watch: str = ""
    """SHA-256 of the script that follows peers' addresses."""
    watch_text: str = field(default="", compare=False)
    failover: str = ""
    """SHA-256 of the script that chooses between relays."""
    failover_text: str = field(default="", compare=False)
    drained: str = ""
    """Of a relay that hosts are to leave: UNIX time since when, and by whom."""
    left: frozenset[str] = frozenset()
    """Interfaces of the relays that this host alone is to leave."""

    @property
    def key_file(self) -> str:
        """Path of the private key; its content never leaves the host."""
        return f"{self.directory}/private_key"

    @property
    def network(self) -> str:
        """The network's name."""
        return self.mark.partition(":")[2]


def nothing(state: State) -> State:
    """The State right after a boot: nothing managed runs; tools and keys are there."""
    return State(
        mark=state.mark,
        directory=state.directory,
        manager=state.manager,
        packages=state.packages,
        tools=state.tools,
        key_mode=state.key_mode,
        keys=state.keys,
        kept_secrets=state.kept_secrets,
        starter=state.starter,
    )
