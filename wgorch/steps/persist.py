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
    name, path = unit_name(want.network), unit_path(want.network)
    if want.unit:
        return change(
            "+" if not have.unit else "~",
            f"unit {name}",
            "a reboot would end the tunnel",
            command("write_file", path, "644", stdin=unit_text(want.network, want.directory)),
            command("systemctl", "daemon-reload"),
            command("systemctl", "enable", "--quiet", name),
        )
    return change(
        "-",
        f"unit {name}",
        "nothing is left to start",
        command("systemctl", "disable", "--quiet", name, may_be_absent=True),
        command("rm", "-f", path),
        command("systemctl", "daemon-reload"),
    )


def _watching(want: State, have: State) -> Change:
    service, timer = watch_units(want.network)
    texts = watch_texts(want.network, want.directory)
    if want.watch:
        return change(
            "+" if not have.watch else "~",
            f"timer {timer}",
            "the address of a peer may become another",
            command("write_file", f"{want.directory}/watch", "600", stdin=want.watch_text),
            *(command("write_file", f"{UNITS}/{name}", "644", stdin=text) for name, text in texts.items()),
            command("systemctl", "daemon-reload"),
            command("systemctl", "enable", "--now", "--quiet", timer),
        )
    return change(
        "-",
        f"timer {timer}",
        "no peer's address can become another",
        command("systemctl", "disable", "--now", "--quiet", timer, may_be_absent=True),
        command("rm", "-f", f"{want.directory}/watch", f"{UNITS}/{service}", f"{UNITS}/{timer}"),
        command("systemctl", "daemon-reload"),
    )
