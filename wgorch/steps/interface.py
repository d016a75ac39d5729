"""The WireGuard interface: there, marked, with its key, port and MTU, and up. What lies on it goes with it."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.state.change import Change, change, command
from wgorch.state.state import State
from wgorch.state.wireguard import Interface


def tag(interface: Interface) -> str:
    """The name under which a key lies beside the one in use, until it is confirmed: its public half."""
    return interface.public_key.replace("/", "_")


def _mark(new: Interface, old: Interface | None) -> tuple[str, ...]:
    return ("fwmark", str(new.fwmark)) if new.fwmark != (old.fwmark if old else 0) else ()


def interface(want: State, have: State) -> Iterator[Change]:
    new, old = want.interface, have.interface
    if new == old:
        return
    if new is None:
        assert old is not None
        gone = command("end_interface", old.name)
        yield change("-", f"interface {old.name}", "no longer wanted", gone, disturbs=True)
        return
    device = ("ip", "link", "set", "dev", new.name)
    if old is None:
        yield change(
            "+",
            f"interface {new.name}",
            "the tunnel has no interface here",
            command("make_interface", new.name),
            command("set_key", new.name, tag(new), "listen-port", new.listen_port, *_mark(new, old)),
            command(*device, "alias", new.alias),
            command(*device, "mtu", new.mtu, *(("up",) if new.up else ())),
        )
        return
    if new.alias != old.alias:
        marking = command(*device, "alias", new.alias) if new.alias else command("clear_alias", new.name)
        why = "it is taken over as it is" if new.alias else "it is given back as it was"
        yield change("~", f"mark of {new.name}", why, marking)
    if new.public_key != old.public_key:
        setting = command("set_key", new.name, tag(new))
        yield change("~", f"key of {new.name}", "it is not the host's key", setting, disturbs=True)
    if new.listen_port != old.listen_port:
        why = f"it listens on {old.listen_port}, not {new.listen_port}"
        port = command("wg", "set", new.name, "listen-port", new.listen_port)
        yield change("~", f"port of {new.name}", why, port, disturbs=True)
    if new.fwmark != old.fwmark:
        why = f"it is {old.fwmark}, not {new.fwmark}"
        yield change("~", f"fwmark of {new.name}", why, command("wg", "set", new.name, *_mark(new, old)))
    if new.mtu != old.mtu:
        why = f"it is {old.mtu}, not {new.mtu}"
        yield change("~", f"MTU of {new.name}", why, command(*device, "mtu", new.mtu))
    if new.up != old.up:
        state = "up" if new.up else "down"
        yield change(
            "~",
            f"interface {new.name}",
            f"it is {'down' if new.up else 'up'}",
            command(*device, state),
            disturbs=not new.up,
        )
