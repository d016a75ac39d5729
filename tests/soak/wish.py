"""What a round wants: a drawn network, and edits of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

import yaml

ROLES = ("bcc", "home", "company")
TARGET = "10.10.13.61"
NAMES = {"bcc": ("bcc", "hub"), "home": ("home", "house"), "company": ("company", "firm")}
SSH: dict[str, object] = {
    "bcc": "root@203.0.113.13",
    "home": "root@192.168.0.9",
    "company": {"host": "10.10.13.62", "user": "root", "via": "root@198.51.100.66"},
}
SUBNETS = ("192.168.2", "192.168.77", "10.66.3")
LASTS = {"bcc": (1, 101), "home": (2, 22), "company": (3, 33)}


@dataclass(frozen=True)
class Wish:
    """One inventory."""

    name: str = "office"
    interface: str = "wg0"
    subnet: str = SUBNETS[0]
    port: int = 38371
    spoke_port: int = 51820
    mapped: str = ""
    """The LAN's name in the tunnel, as the first three numbers; empty: its own addresses."""
    mtu: int = 0
    preshared: bool = False
    exit: bool = False
    """home leaves by bcc."""
    single: bool = False
    """home has its address alone."""
    policy: str = ""
    """``narrow``: home may use one port of target; ``closed``: pings alone pass."""
    names: dict[str, str] = field(default_factory=lambda: {role: role for role in ROLES})
    lasts: dict[str, int] = field(default_factory=lambda: {role: lasts[0] for role, lasts in LASTS.items()})

    def address(self, role: str) -> str:
        return f"{self.subnet}.{self.lasts[role]}"

    def prefix(self, role: str) -> int:
        return 32 if self.single and role == "home" else 24

    @property
    def target(self) -> str:
        """The address by which home reaches target."""
        return f"{self.mapped}.61" if self.mapped else TARGET

    def text(self) -> str:
        """The inventory file."""
        network: dict[str, object] = {"name": self.name, "subnet": f"{self.subnet}.0/24", "persistent_keepalive": 15}
        network["interface"] = self.interface
        network |= {"mtu": self.mtu} if self.mtu else {}
        network |= {"preshared_keys": True} if self.preshared else {}
        hosts: dict[str, dict[str, object]] = {
            self.names[role]: {"ssh": SSH[role], "address": self.address(role)} for role in ROLES
        }
        lan: object = {"lan": "10.10.13.0/24", "as": f"{self.mapped}.0/24"} if self.mapped else "10.10.13.0/24"
        hosts[self.names["bcc"]] |= {"endpoint": f"203.0.113.13:{self.port}", "relay": True}
        hosts[self.names["home"]] |= {"listen_port": self.spoke_port}
        hosts[self.names["company"]] |= {"listen_port": self.spoke_port, "subnets": [lan], "lan_interface": "ens192"}
        if self.single:
            hosts[self.names["home"]]["single_address"] = True
        if self.exit:
            hosts[self.names["home"]]["exit"] = self.names["bcc"]
        verify = [f"{self.names['home']} -> {self.target}"]
        written: dict[str, object] = {"network": network, "hosts": hosts, "verify": verify}
        written |= {"policy": list(self._lines())} if self.policy else {}
        return yaml.safe_dump(written, sort_keys=False)

    def _lines(self) -> Iterator[object]:
        yield {"any -> any": "ping"}
        if self.policy == "narrow":
            yield {f"{self.names['home']} -> {self.target}": "tcp 7777, udp 7777"}
        if self.exit:
            yield f"{self.names['home']} -> internet"

    @property
    def needs_teardown(self) -> tuple[str, str]:
        """What a change of makes `up` refuse with a hint, instead of converging."""
        return self.name, self.interface


SECOND = Wish(
    name="second",
    interface="wg1",
    subnet="192.168.99",
    port=39999,
    spoke_port=52999,
    mapped="10.99.13",
)
"""A network beside the drawn one, on the same hosts."""


def edited(wish: Wish, chance: Random) -> tuple[Wish, str]:
    """The wish with one thing changed, and the name of that thing."""
    what = chance.choice(
        [
            "name",
            "interface",
            "subnet",
            "port",
            "spoke_port",
            "mapped",
            "mtu",
            "preshared",
            "exit",
            "single",
            "policy",
            "host",
            "address",
        ]
    )
    role = chance.choice(ROLES)
    match what:
        case "name":
            return replace(wish, name="hq" if wish.name == "office" else "office"), what
        case "interface":
            return replace(wish, interface="wg7" if wish.interface == "wg0" else "wg0"), what
        case "subnet":
            return replace(wish, subnet=chance.choice([s for s in SUBNETS if s != wish.subnet])), what
        case "port":
            return replace(wish, port=38399 if wish.port == 38371 else 38371), what
        case "spoke_port":
            return replace(wish, spoke_port=51999 if wish.spoke_port == 51820 else 51820), what
        case "mapped":
            return replace(wish, mapped="" if wish.mapped else "10.77.13"), what
        case "mtu":
            return replace(wish, mtu=0 if wish.mtu else 1360), what
        case "preshared":
            return replace(wish, preshared=not wish.preshared), what
        case "exit":
            return replace(wish, exit=not wish.exit), what
        case "single":
            return replace(wish, single=not wish.single), what
        case "policy":
            return replace(wish, policy=chance.choice([p for p in ("", "narrow", "closed") if p != wish.policy])), what
        case "host":
            other = next(name for name in NAMES[role] if name != wish.names[role])
            return replace(wish, names={**wish.names, role: other}), f"{what} {role}"
    last = next(last for last in LASTS[role] if last != wish.lasts[role])
    return replace(wish, lasts={**wish.lasts, role: last}), f"{what} {role}"
