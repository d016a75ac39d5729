"""Stay after a reboot: what starts the boot program. Done only after the change is confirmed."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.command import Change, change, command
from wgorch.state import State
from wgorch.unit import unit_name, unit_path, unit_text


def persist(want: State, have: State) -> Iterator[Change]:
    if want.unit == have.unit:
        return
    name, path = unit_name(want.network), unit_path(want.network)
    if want.unit:
        yield change(
            "+" if not have.unit else "~",
            f"unit {name}",
            "a reboot would end the tunnel",
            command("write_file", path, "644", stdin=unit_text(want.network, want.directory)),
            command("systemctl", "daemon-reload"),
            command("systemctl", "enable", "--quiet", name),
        )
    else:
        yield change(
            "-",
            f"unit {name}",
            "nothing is left to start",
            command("systemctl", "disable", "--quiet", name, may_be_absent=True),
            command("rm", "-f", path),
            command("systemctl", "daemon-reload"),
        )
