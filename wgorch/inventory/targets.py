"""SSH targets as text: [user@]host[:port]."""

from __future__ import annotations

import re

from wgorch.errors import InventoryError
from wgorch.inventory import fields as f
from wgorch.inventory.model import SshTarget
from wgorch.inventory.nodes import Node, Scalar
from wgorch.inventory.problems import Problems


def ssh_target(text: str) -> SshTarget:
    """A target from a command line: ``[user@]host[:port]``. Raises InventoryError."""
    problems = Problems("--host", text)
    found = target(Scalar(1, 1, text, True), "", problems)
    if found is None:
        raise InventoryError(problems.lines())
    return found


def network_name(text: str) -> str:
    """A network's name from a command line. Raises InventoryError."""
    problems = Problems("--name", text)
    if f.NETWORK_NAME.read(Scalar(1, 1, text, True), "", problems) is None:
        raise InventoryError(problems.lines())
    return text


def target(node: Node, path: str, problems: Problems) -> SshTarget | None:
    """``[user@]host[:port]``."""

    def parse(text: str) -> SshTarget:
        if "://" in text:
            raise f.InvalidValue(f'"{text.split("://")[0]}://" is not accepted', "write user@host, or user@host:port")
        user, at, rest = text.rpartition("@")
        if ":" in user:
            raise f.InvalidValue(
                "a password in the address (value hidden)", "write user@host; wgorch asks where it needs one"
            )
        if at and not user:
            raise f.InvalidValue(f'"{text}" names no user', f"write root@{rest}, or {rest}")
        if at:
            f.USER_NAME.parse(user)
        bracketed = re.fullmatch(r"\[([^\]]+)\](?::(.+))?", rest)
        if bracketed:
            host, port = bracketed[1], bracketed[2]
        elif rest.count(":") == 1:
            host, _, port = rest.partition(":")
            port = port or "missing"
        else:
            host, port = rest, None
        if not host:
            raise f.InvalidValue(f'"{text}" names no host', "write user@host")
        if host.startswith("-"):
            raise f.InvalidValue('must not start with "-"', "write user@host")
        # An alias of ~/.ssh/config may have any shape that a name may have.
        name = host if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", host) and not re.match(r"[0-9.]+$", host) else None
        return SshTarget(name or f.machine(host), user or None, f.port(port) if port else None)

    reader = f.Field("user@host", parse, {"type": "string"})
    target: SshTarget | None = reader.read(node, path, problems)
    return target
