"""Stay after a reboot: what starts the boot program. Done only after the change is confirmed."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.adapters.startup import UNITS, starter_of, watch_texts, watch_units
from wgorch.state.change import Change, change, command
from wgorch.state.state import State


def persist(want: State, have: State) -> Iterator[Change]:
    for kind, digest in want.units.items():
        if have.units.get(kind) != digest:
            yield _starting(kind, want, have)
    for kind in sorted(have.units.keys() - want.units.keys()):
        starter = starter_of(kind, want.network, want.directory)
        ending = (command(*words, may_be_absent=True) for words in starter.gone)
        after = (command(*words) for words in starter.after)
        why = "nothing is left to start" if not want.units else f"{next(iter(want.units))} starts it now"
        yield change("-", starter.what, why, *ending, command("rm", "-f", starter.path), *after)
    if want.watch != have.watch:
        yield _watching(want, have)


def _starting(kind: str, want: State, have: State) -> Change:
    starter = starter_of(kind, want.network, want.directory)
    making = command("write_file", starter.path, starter.mode, stdin=starter.text)
    enable = (command(*words) for words in starter.enable)
    return change("~" if kind in have.units else "+", starter.what, "a reboot would end the tunnel", making, *enable)


def _watching(want: State, have: State) -> Change:
    service, timer = watch_units(want.network)
    systemd = want.starter == "systemd"
    what = f"timer {timer}" if systemd else f"watch, by {want.starter}"
    file = f"{want.directory}/watch"
    reload = (command("systemctl", "daemon-reload"),) if systemd else ()
    if want.watch:
        texts = watch_texts(want.network, want.directory) if systemd else {}
        units = (command("write_file", f"{UNITS}/{name}", "644", stdin=text) for name, text in texts.items())
        enable = (command("systemctl", "enable", "--now", "--quiet", timer),) if systemd else ()
        making = (command("write_file", file, "600", stdin=want.watch_text), *units, *reload, *enable)
        return change("+" if not have.watch else "~", what, "the address of a peer may become another", *making)
    disable = (command("systemctl", "disable", "--now", "--quiet", timer, may_be_absent=True),) if systemd else ()
    gone = command("rm", "-f", file, *((f"{UNITS}/{service}", f"{UNITS}/{timer}") if systemd else ()))
    return change("-", what, "no peer's address can become another", *disable, gone, *reload)


def drop_ins(want: State, have: State) -> Iterator[Change]:
    """Keep other managers of the host's network (NetworkManager, systemd-networkd) from touching the tunnel."""
    for path, text in want.drop_ins.items():
        if have.drop_ins.get(path) != text:
            making = command("write_file", path, "644", stdin=text)
            telling = command("reload_network_manager", path)
            why = "it would take the tunnel for its own"
            yield change("~" if path in have.drop_ins else "+", f"drop-in {path}", why, making, telling)
    for path in sorted(have.drop_ins.keys() - want.drop_ins.keys()):
        telling = command("reload_network_manager", path)
        yield change("-", f"drop-in {path}", "nothing is left to touch", command("rm", "-f", path), telling)
