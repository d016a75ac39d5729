"""Install what is missing, by the host's own package manager; never undone, and done before anything else."""

from __future__ import annotations

from collections.abc import Iterator

from wgorch.command import Change, Command, change, command
from wgorch.state import State

PACKAGES = {
    "wg": "wireguard-tools",
    "wireguard-go": "wireguard-go",
    "iptables": "iptables",
    "iptables-save": "iptables",
    "iptables-restore": "iptables",
    "ip6tables": "iptables",
    "ip6tables-save": "iptables",
    "ip6tables-restore": "iptables",
    "ip": "iproute2",
}


def install(want: State, have: State) -> Iterator[Change]:
    missing = sorted({PACKAGES[tool] for tool in want.tools - have.tools})
    if missing:
        yield change("+", f"packages {' '.join(missing)}", "the host lacks them", *manager(have.tools)(missing))


def manager(tools: frozenset[str]) -> _Manager:
    """The host's package manager; others than apt stand beside it in this table once they are tried."""
    return _apt if "apt-get" in tools else _none


class _Apt:
    wait_s = 300

    def __call__(self, packages: list[str]) -> tuple[Command, ...]:
        options = ("-qq", "-y", "-o", f"DPkg::Lock::Timeout={self.wait_s}", "--no-install-recommends")
        return (command("install_packages", *options, *packages),)


class _None:
    def __call__(self, packages: list[str]) -> tuple[Command, ...]:
        return (command("cannot_install", *packages),)


_Manager = _Apt | _None
_apt, _none = _Apt(), _None()
