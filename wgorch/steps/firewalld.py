"""Where firewalld owns the firewall, tell it: new zones and policies without effect, what gives them one, what keeps it."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.adapters.firewalld import base_name, files, objects
from wgorch.state.change import Change, Command, change, command
from wgorch.state.state import State


def firewalld_prepare(want: State, have: State) -> Iterator[Change]:
    """Make firewalld's zone and policies of ours, as yet without any effect; they exist only after a reload of it."""
    if not want.firewalld or want.zones <= have.zones:
        return
    base = base_name(want.network)
    texts = files(base, want.mark, frozenset(), want.default_zone)
    making = [command("may_reload", base, want.interface.name if want.interface else "")]
    making += [_write(path, texts[name]) for name, path in objects(base).items()]
    what = f"firewalld zone {base} and policies"
    yield change("+", what, "firewalld would reject what iptables lets through", *making, command("reload_firewalld"))


def firewalld(want: State, have: State) -> Iterator[Change]:
    """Let firewalld pass what goes between tunnel and LAN, between peers on a relay, and WireGuard's own UDP."""
    for setting in sorted(want.firewalld - have.firewalld):
        yield change("+", f"firewalld {_told(setting)}", "packets would be rejected", _set(setting, "add"))
    # The tunnel leaves the zone last, so that nothing else ends before it.
    for setting in sorted(have.firewalld - want.firewalld, key=lambda s: (" interface " in s, s)):
        yield change("-", f"firewalld {_told(setting)}", "no longer wanted", _set(setting, "remove"))


def firewalld_permanent(want: State, have: State) -> Iterator[Change]:
    """Let firewalld keep its zone and policies of ours over its reloads and restarts; take them away at the end."""
    base = base_name(want.network)
    paths = objects(base)
    differing = [name for name, text in want.zone_files.items() if have.zone_files.get(name) != text]
    if differing:
        why = "a reload of firewalld would end it"
        writing = [_write(paths[name], want.zone_files[name]) for name in differing]
        yield change("~" if have.zone_files else "+", f"firewalld zone {base}, kept", why, *writing)
    if gone := [name for name in have.zone_files if name not in want.zone_files]:
        removing = command("rm", "-f", *(f"{paths[name]}{end}" for name in gone for end in ("", ".old")))
        yield change("-", f"firewalld zone {base}, kept", "no longer wanted", removing)


def _write(path: str, text: str) -> Command:
    return command("write_file", path, "644", stdin=text)


def _told(setting: str) -> str:
    name, kind, value = setting.split(" ", 2)
    return f"{name}: {value if kind == 'rule' else f'{kind} {value}'}"


def _set(setting: str, verb: str) -> Command:
    name, kind, value = setting.split(" ", 2)
    where = f"--zone={name}" if kind in ("interface", "forward") else f"--policy={name}"
    if kind == "interface":
        what = f"--{'change' if verb == 'add' else verb}-interface={value}"
    elif kind == "forward":
        what = f"--{verb}-forward"
    else:
        what = f"--{verb}-{'rich-rule' if kind == 'rule' else kind}={value}"
    return command("firewalld_set" if verb == "add" else "firewalld_unset", where, what)
