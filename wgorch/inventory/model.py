"""The inventory as validated values; nothing here comes from a host."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from zlib import crc32

from wgorch.base import ip
from wgorch.base.value import value
from wgorch.inventory.approval import ApprovalRule
from wgorch.inventory.endpoint import Endpoint, Way
from wgorch.inventory.failover import RELAY_LETTERS, STANDBY_LETTERS, Failover
from wgorch.inventory.flow import Flow, LinkRule
from wgorch.inventory.locations import Locations
from wgorch.inventory.policy import PolicyRule

IPAddress = ip.IPAddress
IPNetwork = ip.IPNetwork


AUTO, PARAMIKO, OPENSSH = CLIENTS = ("auto", "paramiko", "openssh")
"""SSH clients: by need, or one of the two."""


@value
class SshTarget:
    """How SSH reaches a host."""

    host: str
    """IP address, DNS name, alias of ~/.ssh/config or, in `via`, name of another host."""
    user: str | None = None
    """Login name."""
    port: int | None = None
    """TCP port."""
    via: tuple[SshTarget, ...] = ()
    """Jump hosts, the first hop first."""
    identity: str | None = None
    """Private key file on the controller."""
    client: str = AUTO
    """SSH client, one of CLIENTS."""

    @property
    def local(self) -> bool:
        """True if the host is the machine that wgorch runs on."""
        return self.host == "local" and self.user is None and self.port is None

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host and self.port else self.host
        return f"{user}{host}" + (f":{self.port}" if self.port else "")


DEFAULT_PORT = 51820
"""UDP port of a host for which neither `listen_port` nor an endpoint gives one."""

NOWHERE = SshTarget("")
"""The SSH target of a device: wgorch never connects to it."""


@value
class Host:
    """A machine that wgorch reaches by SSH, or a device: a peer that it does not reach."""

    name: str
    """Name in the inventory."""
    ssh: SshTarget
    """How SSH reaches it; NOWHERE for a device."""
    addresses: tuple[IPAddress, ...]
    """Tunnel addresses, one for each subnet of the network."""
    listen_port: int
    """UDP port of WireGuard on the host."""
    endpoint: Endpoint | None = None
    """Public endpoint, which every member may use; None behind NAT."""
    ways: tuple[Way, ...] = ()
    """All endpoints, where they are a list, in the order of preference."""
    relay: bool = False
    """True if it forwards between hosts that are no peers."""
    subnets: tuple[IPNetwork, ...] = ()
    """LANs that it is the gateway of, by their addresses in the tunnel."""
    lan_interface: str | None = None
    """Interface into the LANs; None: detected."""
    mtu: int | None = None
    """MTU of the WireGuard interface; None: that of the network."""
    persistent_keepalive: int = 25
    """Seconds between keepalives; 0: none."""
    masquerade: bool = True
    """True if tunnel traffic enters the LANs under the gateway's own address."""
    wireguard_go: bool = True
    """True if wireguard-go may be used where the kernel has no WireGuard."""
    host_key: str | None = None
    """Expected SSH host key; None: known_hosts decides."""
    given: tuple[IPAddress, ...] = ()
    """Those of `addresses` that the file gives."""
    public_key: str | None = None
    """WireGuard public key of a device; None until it is exported."""
    private_key: tuple[str, ...] = ()
    """Command that prints the private key on the host; empty: generated there."""
    chosen_relay: str | None = None
    """Of a device: the relay that it connects to; None for the first one."""
    exit: str | None = None
    """Exit node: the host that forwards all other traffic."""
    dns: tuple[IPAddress, ...] = ()
    """Name servers while the tunnel is up."""
    maps: tuple[tuple[IPNetwork, IPNetwork], ...] = ()
    """For mapped LANs: the network in the tunnel, and the LAN's own."""
    enter: tuple[str, ...] = ()
    """Command that enters the container or namespace after login."""
    single_address: bool = False
    """True if its interface has the address alone (/32, /128), with a route to the subnet."""
    standby_port: int = 0
    """UDP port of the session with its second relay; further ones follow. 0: behind `listen_port`."""
    relay_port: int = 0
    """Of a relay: UDP port of the session with the first relay of the file; the others follow. 0: behind `listen_port`."""
    behind: str | None = None
    """The gateway in whose LAN the host itself is, so that it reaches that LAN without the tunnel."""

    @property
    def is_device(self) -> bool:
        """True for a phone, a laptop or a foreign router: a peer that SSH does not reach."""
        return self.ssh == NOWHERE

    @property
    def all_ways(self) -> tuple[Way, ...]:
        """All endpoints, also where there is one."""
        return self.ways or ((Way(self.endpoint),) if self.endpoint else ())

    def ways_for(self, other: Host) -> list[Way]:
        """Return the endpoints that another member may use: an address in a LAN is for those whom `behind` puts there."""
        own, its = self.behind, other.behind
        near = its == self.name or own == other.name or (own is not None and own == its)
        return [way for way in self.all_ways if (other.name in way.only if way.only else near or not way.in_lan)]

    def real(self, subnet: IPNetwork) -> IPNetwork:
        """Return the LAN behind one of `subnets`: the network it is mapped to, or itself."""
        return next((lan for name, lan in self.maps if name == subnet), subnet)

    def real_address(self, address: IPAddress) -> IPAddress:
        """Return the LAN's own address for an address in one of `subnets`."""
        for name, lan in self.maps:
            if address in name:
                return lan[int(address) - int(name.network_address)]
        return address

    @property
    def address(self) -> IPAddress:
        """The first of its tunnel addresses."""
        return self.addresses[0]

    def address_of(self, version: int) -> IPAddress | None:
        """Return its tunnel address of an IP version, or None."""
        return next((address for address in self.addresses if address.version == version), None)


MARK = "wgorch:"
"""Begins the mark of every network of wgorch on a host."""


@value
class Network:
    """Settings shared by all hosts."""

    name: str
    """Name of the network; part of `mark`."""
    subnets: tuple[IPNetwork, ...]
    """Tunnel networks, at most one of IPv4 and one of IPv6."""
    interface: str = "wg0"
    """WireGuard interface on every host."""
    ipv6: bool = False
    """True if the tunnel, an endpoint or an exit uses IPv6."""
    mtu: int | None = None
    """MTU of the tunnel; None: measured."""
    exits: bool = False
    """True if a host uses an exit node."""
    preshared_keys: bool = False
    """True if each pair of hosts has a preshared key."""
    over_classical: bool = True
    """True if a preshared key may travel over an SSH session without post-quantum key exchange."""
    direct: bool = False
    """True if hosts behind NAT try to bypass their relay."""
    several_relays: bool = False
    """True if hosts choose between relays."""
    failover: Failover = Failover()
    """Of networks with several relays."""

    @property
    def subnet(self) -> IPNetwork:
        """The first of the tunnel networks."""
        return self.subnets[0]

    def prefix_of(self, address: IPAddress) -> int:
        """Return the prefix length of a tunnel address on the interface."""
        return next(s.prefixlen for s in self.subnets if s.version == address.version)

    @property
    def table(self) -> int:
        """Routing table number, and fwmark of WireGuard's own packets, on hosts with an exit node."""
        return 1190000 + crc32(self.name.encode()) % 10000

    @property
    def detour_table(self) -> int:
        """Routing table of a relay for spokes that it does not hear, and nexthop id of a spoke for IPv4."""
        return self.table + 10000

    @property
    def nexthop6(self) -> int:
        """Nexthop id of a spoke for IPv6."""
        return self.table + 20000

    def standby_interface(self, position: int) -> str:
        """Return a host's interface for one of its relays; `position` counts from 0 in the order of the file."""
        return self.interface + (STANDBY_LETTERS[position - 1] if position else "")

    def relay_interface(self, position: int) -> str:
        """Return a relay's interface for another relay; `position` is the other one's in the file."""
        return f"{self.interface}r{RELAY_LETTERS[position]}"

    def may_have(self, interface: str) -> bool:
        """True for the names that interfaces of the network can have."""
        rest = interface.removeprefix(self.interface) if interface.startswith(self.interface) else "-"
        return re.fullmatch(rf"[{STANDBY_LETTERS}]?|r[{RELAY_LETTERS}]", rest) is not None

    @property
    def mark(self) -> str:
        """Marks everything of this network on a host that can carry a comment."""
        return f"{MARK}{self.name}"

    @property
    def directory(self) -> str:
        """Directory of this network's files on a host."""
        return f"/var/lib/wgorch/{self.name}"


@value
class Inventory:
    """A network as the file describes it."""

    path: str
    """The file."""
    network: Network
    """Settings shared by all hosts."""
    hosts: Mapping[str, Host]
    """Machines reached by SSH, by name."""
    verify: tuple[Flow, ...] = ()
    """Flows that must work."""
    links: tuple[LinkRule, ...] = ()
    """Exceptions to the peering that endpoints imply."""
    devices: Mapping[str, Host] = field(default_factory=dict)
    """Peers that SSH does not reach, by name."""
    policy: tuple[PolicyRule, ...] = ()
    """What may pass; where it has no line, everything may."""
    approve: ApprovalRule | None = None
    """Who must approve a change; None for no one."""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    """Hosts and devices, and for policies LANs and addresses, by the name of their group."""
    loaded_at: int = field(default=0, compare=False)
    """UNIX time."""
    included: tuple[str, ...] = field(default=(), compare=False)
    """Files that are part of it, by `include:`."""
    has_sources: bool = field(default=False, compare=False)
    """True if members came from elsewhere, by `from:`."""
    locations: Locations = field(default_factory=Locations, compare=False, repr=False)
    """Where each field stands."""
    warnings: tuple[str, ...] = field(default=(), compare=False)
    """Warnings about the file, each as complete lines."""

    @property
    def members(self) -> Mapping[str, Host]:
        """Hosts and devices: all tunnel members."""
        return {**self.hosts, **self.devices} if self.devices else self.hosts

    def lan_of(self, address: IPAddress) -> tuple[str, IPNetwork] | None:
        """Return the LAN that an address is in, behind its gateway's name; of nested LANs the innermost, as packets go."""
        lans = ((name, lan) for name, member in self.members.items() for lan in member.subnets if address in lan)
        return max(lans, key=lambda pair: pair[1].prefixlen, default=None)

    def is_in_lan(self, name: str, address: IPAddress) -> bool:
        """Return whether an address is in a LAN that a member is the gateway of."""
        found = self.lan_of(address)
        return found is not None and found[0] == name
