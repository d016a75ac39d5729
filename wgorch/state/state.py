"""What of a host is ours, as plain values: the same type says how a host is and how it should be.

A step compares two States and yields what differs. Because both sides are of one type, the way back (undo), the
start-up program (boot) and teardown need no code of their own: they are the same steps with other arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from wgorch.base.value import value
from wgorch.state.rules import Chain, Rule
from wgorch.state.wireguard import Interface, Peer

ROUTE_PROTO = 119
"""The routing protocol number that marks our routes (``ip route … proto 119``)."""


@value
class Run:
    """A step that a user added to the playbook."""

    command: str
    undo: str = ""


@value
class State:
    """Everything on one host that a network of ours consists of.

    `jumps`: where each chain is jumped to from, as 1-based places among the parent's rules that are not wgorch's;
    ``(1,)`` is right. `tables`: iptables tables that exist at all.
    `nft`: the rules of our own nft table, by hook and digest. `firewalld`: settings of our zone and policies in it, `zones`:
    those that it knows, `zone_files`: what it keeps of them; `default_zone`: the file of its default zone. `sysctls`: path below /proc/sys to value.
    `policy`: rules of the routing policy as ``ip rule show`` has them, with -4 or -6 before; `ways`: routes in a table of
    our own, as ``ip route`` takes them. `dns`: the name servers that we set.
    `manager`: the package manager; `packages`: those that came with the network.
    `tools`: commands that are there; `key_mode`: of the private key's file, empty where there is none; `keys`: the public
    halves of the private keys that lie there; `key_source`: the command that prints the key, where it is not born there.
    `drop_ins`: files that keep other managers' hands off the tunnel, by path. `starter`: what starts programs there; `units`: digests of what runs the boot program at start-up, by kind of start-up; `watch`: digest of what
    looks after the peers from time to time, whose text is `watch_text`.
    """

    mark: str
    directory: str
    interface: Interface | None = None
    addresses: frozenset[str] = frozenset()
    peers: Mapping[str, Peer] = field(default_factory=dict)
    routes: frozenset[str] = frozenset()
    chains: Mapping[Chain, tuple[Rule, ...]] = field(default_factory=dict)
    jumps: Mapping[Chain, tuple[int, ...]] = field(default_factory=dict)
    tables: frozenset[str] = frozenset()
    nft: Mapping[str, str] = field(default_factory=dict)
    firewalld: frozenset[str] = frozenset()
    zones: frozenset[str] = frozenset()
    zone_files: Mapping[str, str] = field(default_factory=dict)
    default_zone: str = field(default="", compare=False)
    sysctls: Mapping[str, str] = field(default_factory=dict)
    runs: Mapping[str, Run] = field(default_factory=dict)
    policy: frozenset[str] = frozenset()
    ways: frozenset[str] = frozenset()
    dns: tuple[str, ...] = ()
    manager: str = ""
    packages: frozenset[str] = frozenset()
    tools: frozenset[str] = frozenset()
    key_mode: str = ""
    keys: frozenset[str] = frozenset()
    key_source: tuple[str, ...] = ()
    drop_ins: Mapping[str, str] = field(default_factory=dict)
    starter: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    watch: str = ""
    watch_text: str = field(default="", compare=False)

    @property
    def key_file(self) -> str:
        """Where the private key lies; its content never leaves the host."""
        return f"{self.directory}/private_key"

    @property
    def network(self) -> str:
        """The network's name."""
        return self.mark.partition(":")[2]


def nothing(state: State) -> State:
    """The same place right after a start, with nothing of ours running; tools and key are still there."""
    return State(
        mark=state.mark,
        directory=state.directory,
        manager=state.manager,
        packages=state.packages,
        tools=state.tools,
        key_mode=state.key_mode,
        keys=state.keys,
        starter=state.starter,
    )
