"""One key pair a host, born there under umask 077 and never overwritten; only the public half is ever read."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.command import Change, change, command
from wgorch.state import State


def keys(want: State, have: State) -> Iterator[Change]:
    if not want.key_mode:
        return
    if not have.key_mode:
        yield change("+", "private key", "the host has none yet", command("birth_of_key", want.key_file))
    elif have.key_mode != want.key_mode:
        why = f"others can read it ({have.key_mode}); consider a new one"
        yield change("~", "private key", why, command("chmod", "600", want.key_file))
