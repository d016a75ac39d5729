"""The host's name servers while the tunnel is there; what was in their place is kept on the host, and put back."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.state.change import Change, change, command
from wgorch.state.state import State


def dns(want: State, have: State) -> Iterator[Change]:
    if want.dns == have.dns:
        return
    if want.dns:
        seen = f"they are {', '.join(have.dns)}" if have.dns else "they are others"
        setting = command("set_dns", want.mark, *want.dns)
        yield change("~" if have.dns else "+", f"name servers {', '.join(want.dns)}", seen, setting)
    else:
        back = command("restore_dns", want.mark)
        yield change("-", f"name servers {', '.join(have.dns)}", "those that were there before are put back", back)
