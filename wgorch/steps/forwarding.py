"""Let the kernel pass packets on, on our cards only; each value that was there before is recorded on the host.

Not ``ip_forward``: it flips every other card of the host and cannot be given back exactly.
"""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.state.change import Change, change, command
from wgorch.state.state import State


def forwarding(want: State, have: State) -> Iterator[Change]:
    for path, value in sorted(want.sysctls.items()):
        seen = have.sysctls.get(path)
        if seen == value:
            continue
        ours = have.interface or want.interface
        if ours and f"/conf/{ours.name}/" in path:
            # It is born and dies with our interface: nothing to give back, and nothing to set where that goes.
            if want.interface is None:
                continue
            setting = command("write_sysctl", path, value)
        else:
            setting = command("set_value", path, value)
        why = f"it is {seen}, not {value}" if seen is not None else f"it must be {value}"
        yield change("~", f"sysctl {path.replace('/', '.')}", why, setting)
