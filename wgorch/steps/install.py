"""Install what is missing, by the host's own package manager, before anything else; taken away again only where asked."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.adapters.packages import MANAGERS
from wgorch.state.change import Change, change, command
from wgorch.state.state import State


def install(want: State, have: State) -> Iterator[Change]:
    missing = sorted(want.tools - have.tools)
    if missing and not have.manager:
        yield change("+", f"commands {' '.join(missing)}", "the host lacks them", command("cannot_install", *missing))
    elif missing:
        names = sorted({MANAGERS[have.manager].package(tool) for tool in missing})
        making = command("install_packages", have.manager, *names)
        yield change("+", f"packages {' '.join(names)}", f"the host lacks them; by {have.manager}", making)
    if ours := sorted(have.packages - want.packages):
        taking = command("remove_packages", have.manager, *ours)
        yield change("-", f"packages {' '.join(ours)}", "they came with the network", taking)
