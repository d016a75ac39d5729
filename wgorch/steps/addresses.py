"""Addresses of the host inside the tunnel."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_interface

from wgorch.base.sh import Sh, sh
from wgorch.facts.facts import Facts
from wgorch.facts.links import is_global
from wgorch.inventory.model import Network
from wgorch.state.change import Change, Command, change, command
from wgorch.state.state import State
from wgorch.steps.noun import Noun, Slice, step
from wgorch.steps.target import Target


def addresses(want: State, have: State) -> Iterator[Change]:
    """Give the interface the host's address in the tunnel."""
    for name in want.interfaces:
        new, old = want.addresses.get(name, frozenset()), have.addresses.get(name, frozenset())
        twins = _twins(new - old, old - new)
        for address in sorted(new - old):
            if twin := twins.get(address):
                # Of IPv6 the kernel takes one address with two prefixes for the same.
                changing = (
                    command("ip", "address", "delete", twin, "dev", name, may_be_absent=True),
                    command("ip", "address", "replace", address, "dev", name),
                )
                yield change("~", f"address {address}", f"in place of {twin} on {name}", *changing, disruptive=True)
            elif replaced := sorted(_replaced(frozenset([address]), old - new)):
                why = f"in place of {', '.join(replaced)} on {name}"
                yield change("~", f"address {address}", why, *_replace(address, replaced, name), disruptive=True)
            else:
                add = command("ip", "address", "replace", address, "dev", name)
                yield change("+", f"address {address}", f"missing on {name}", add)
        for address in sorted(old - new - _replaced(new - old, old - new) - set(twins.values())):
            drop = command("ip", "address", "delete", address, "dev", name, may_be_absent=True)
            yield change("-", f"address {address}", f"not wanted on {name}", drop, disruptive=True)


def _replace(address: str, replaced: list[str], name: str) -> list[Command]:
    """Commands that put an address in the place of others of its network.

    The new one would be secondary to the old one, and where promote_secondaries is 0 the kernel removes both at once. As a
    host address it is not, and the interface is never without an address, which would flush its routes.
    """
    alone = _alone(address)
    # A rollback has host addresses, too, and may have been cut.
    rests = dict.fromkeys([alone, *map(_alone, replaced)])
    return [
        command("ip", "address", "replace", alone, "dev", name),
        *(command("ip", "address", "delete", old, "dev", name, may_be_absent=True) for old in replaced),
        command("ip", "address", "replace", address, "dev", name),
        *(command("ip", "address", "delete", rest, "dev", name, may_be_absent=True) for rest in rests),
    ]


def _twins(new: frozenset[str], going: frozenset[str]) -> dict[str, str]:
    """For each new address of IPv6, the one that goes and differs from it in the prefix alone."""
    by_ip = {address.partition("/")[0]: address for address in going if ":" in address}
    return {address: by_ip[ip] for address in new if (ip := address.partition("/")[0]) in by_ip}


def _alone(address: str) -> str:
    """An address as that of a host without a network."""
    return f"{address.partition('/')[0]}/32"


def _replaced(new: frozenset[str], going: frozenset[str]) -> frozenset[str]:
    """The addresses of IPv4 that go, and whose network has a new one."""
    networks = {ip_interface(address).network for address in new if not address.endswith("/32")}
    return frozenset(old for old in going if ":" not in old and ip_interface(old).network in networks)


def _have(facts: Facts, network: Network) -> Slice:
    found: dict[str, frozenset[str]] = {}
    for name in facts.interfaces(network):
        found[name] = frozenset(str(a) for device, a in facts.links.addresses if device == name and is_global(a))
    return {"addresses": found}


def _target(target: Target) -> Slice:
    return {"addresses": dict.fromkeys(target.tunnels, frozenset(target.addresses))}


def _probe(interface: Sh) -> Iterator[Sh]:
    # The link-local address of a new device of wireguard-go is another one.
    yield sh(
        "show ip -o address show dev {interface} | sed 's/^[0-9]*: //' | grep -v 'inet6 fe80:'", interface=interface
    )


NOUN = Noun(state=("addresses",), steps=(step(addresses),), have=_have, target=_target, probe_interface=_probe)
