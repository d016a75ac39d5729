"""Stay after a reboot: what starts the boot program. Done only after the change is confirmed."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.command import Change, change, command
from wgorch.state import State
from wgorch.unit import UNITS, unit_name, unit_path, unit_text, watch_texts, watch_units


def persist(want: State, have: State) -> Iterator[Change]:
    if want.unit != have.unit:
        yield _starting(want, have)
    if want.watch != have.watch:
        yield _watching(want, have)


def _starting(want: State, have: State) -> Change:
    starter = want.starter
    name, path = unit_name(want.network, starter), unit_path(want.network, starter)
    what = f"unit {name}" if starter == "systemd" else f"cron table {name}"
    systemd = starter == "systemd"
    reload = (command("systemctl", "daemon-reload"),) if systemd else ()
    if want.unit:
        text = unit_text(want.network, want.directory, starter)
        enable = (command("systemctl", "enable", "--quiet", name),) if systemd else ()
        making = command("write_file", path, "644", stdin=text)
        return change("+" if not have.unit else "~", what, "a reboot would end the tunnel", making, *reload, *enable)
    disable = (command("systemctl", "disable", "--quiet", name, may_be_absent=True),) if systemd else ()
    return change("-", what, "nothing is left to start", *disable, command("rm", "-f", path), *reload)


def _watching(want: State, have: State) -> Change:
    service, timer = watch_units(want.network)
    systemd = want.starter == "systemd"
    what = f"timer {timer}" if systemd else "watch, by cron"
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
