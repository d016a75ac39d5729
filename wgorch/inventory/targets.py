"""SSH targets as text: [user@]host[:port]."""

from __future__ import annotations

import re

from wgorch.errors import InventoryError
from wgorch.inventory import fields as f
from wgorch.inventory.model import SshTarget
from wgorch.inventory.nodes import Scalar
from wgorch.inventory.problems import Problems


def ssh_target(text: str) -> SshTarget:
    """Parse a target from the command line: ``[user@]host[:port]``. Raises InventoryError."""
    problems = Problems("--host", text)
    target: SshTarget | None = TARGET.read(Scalar(1, 1, text, True), "", problems)
    if target is None:
        raise InventoryError(problems.lines())
    return target


def network_name(text: str) -> str:
    """Parse the name of a network from the command line. Raises InventoryError."""
    problems = Problems("--name", text)
    if f.NETWORK_NAME.read(Scalar(1, 1, text, True), "", problems) is None:
        raise InventoryError(problems.lines())
    return text


def _target(text: str) -> SshTarget:
    user, rest = _user(text)
    host, port = _host_and_port(rest)
    if not host:
        raise f.InvalidValue(f'"{text}" names no host', "write user@host")
    if host.startswith("-"):
        raise f.InvalidValue('must not start with "-"', "write user@host")
    # Any such word may be an alias of ~/.ssh/config, whatever a DNS name may look like.
    alias = re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", host) and not re.match(r"[0-9.]+$", host)
    return SshTarget(host if alias else f.machine(host), user or None, f.port(port) if port else None)


def _user(text: str) -> tuple[str, str]:
    """Split a target into its user, empty if it has none, and the rest."""
    user, at, rest = text.rpartition("@")
    scheme, separator, login = user.partition("://") if at else text.partition("://")
    if separator:
        message = f'"{scheme}://" is not accepted'
        raise f.InvalidValue(message, "write user@host, or user@host:port", secret=bool(at) and ":" in login)
    if ":" in user:
        raise f.InvalidValue(
            "a password in the address (value hidden)", "write user@host; wgorch prompts for passwords", secret=True
        )
    if at and not user:
        raise f.InvalidValue(f'"{text}" names no user', f"write root@{rest}, or {rest}")
    if at:
        f.USER_NAME.parse(user)
    return user, rest


def _host_and_port(text: str) -> tuple[str, str | None]:
    """Split ``host``, ``host:port``, ``[ipv6]:port`` or ``ipv6``."""
    bracketed = re.fullmatch(r"\[([^\]]+)\](?::(.+))?", text)
    if bracketed:
        return bracketed[1], bracketed[2]
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, port or "missing"
    return text, None


TARGET = f.Field("user@host", _target, {"type": "string"})
