"""Start-up systems (systemd, OpenRC, runit, cron): the files and commands that run a network's scripts.

*boot* runs when the host starts, *watch* every 30 seconds, or every minute by cron. *failover* runs all the time, on hosts
with several relays; by cron it is begun every minute, and lasts as long.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from wgorch.base.assets import asset
from wgorch.base.value import value
from wgorch.inventory.model import Network

UNITS = "/etc/systemd/system"

WATCHING = ("systemd", "runit", "cron")
"""Start-up systems that also run a script from time to time; OpenRC cannot."""

Words = tuple[str, ...]


@value
class Starter:
    """A network's entry in a start-up system."""

    what: str
    path: str
    text: str
    mode: str = "644"
    enable: tuple[Words, ...] = ()
    """Commands after the file is written."""
    gone: tuple[Words, ...] = ()
    """Commands before it is removed; each may fail."""
    after: tuple[Words, ...] = ()
    """Commands after it is removed."""


def starter_of(kind: str, network: str, directory: str) -> Starter:
    """The entry of a network whose scripts lie in a directory."""
    make, template = _STARTERS[kind]
    return make(f"wgorch-{network}", _filled(template, network, directory))


def failover_starter_of(kind: str, network: str, directory: str) -> Starter:
    """The entry that keeps the script *failover* of a network running."""
    make, template = _STARTERS[kind]
    name = f"wgorch-{network}-failover"
    found = make(name, _filled(f"failover.{template.rpartition('.')[2]}", network, directory))
    now, gone = _RUNNING[kind](name)
    return replace(found, enable=(*found.enable, *now), gone=(*gone, *found.gone))


_RUNNING: dict[str, Callable[[str], tuple[tuple[Words, ...], tuple[Words, ...]]]] = {
    "systemd": lambda name: (
        (("systemctl", "restart", f"{name}.service"),),
        (("systemctl", "stop", f"{name}.service"),),
    ),
    "openrc": lambda name: ((("rc-service", name, "restart"),), (("rc-service", name, "stop"),)),
    "runit": lambda name: ((), ()),  # it starts what is enabled, and its entry ends what is running
    "cron": lambda name: ((), ()),
}
"""By kind of start-up system: the commands that start it now, and those that stop it."""


def _systemd(name: str, text: str) -> Starter:
    unit = f"{name}.service"
    return Starter(
        f"unit {unit}",
        f"{UNITS}/{unit}",
        text,
        enable=(("systemctl", "daemon-reload"), ("systemctl", "enable", "--quiet", unit)),
        gone=(("systemctl", "disable", "--quiet", unit),),
        after=(("systemctl", "daemon-reload"),),
    )


def _openrc(name: str, text: str) -> Starter:
    return Starter(
        f"OpenRC service {name}",
        f"/etc/init.d/{name}",
        text,
        "755",
        enable=(("rc-update", "--quiet", "add", name, "default"),),
        gone=(("rc-update", "--quiet", "delete", name, "default"),),
    )


def _runit(name: str, text: str) -> Starter:
    return Starter(
        f"runit service {name}",
        f"/etc/sv/{name}/run",
        text,
        "755",
        enable=(("enable_runit", name),),
        gone=(("disable_runit", name),),
    )


def _cron(name: str, text: str) -> Starter:
    return Starter(f"cron table {name}", f"/etc/cron.d/{name}", text)


_STARTERS = {
    "systemd": (_systemd, "unit.service"),
    "openrc": (_openrc, "openrc"),
    "runit": (_runit, "runit"),
    "cron": (_cron, "crontab"),
}
"""By kind of start-up system, with its template in host/startup."""


def unit_digest(network: Network, kind: str) -> str:
    """SHA-256 of the entry's file."""
    return digest(starter_of(kind, network.name, network.directory).text)


def watch_units(network: str) -> tuple[str, str]:
    """Names of the systemd service that runs *watch*, and of its timer."""
    return f"wgorch-{network}-watch.service", f"wgorch-{network}-watch.timer"


def watch_texts(network: str, directory: str) -> dict[str, str]:
    """Texts of these units by name."""
    service, timer = watch_units(network)
    return {
        service: _filled("watch.service", network, directory),
        timer: _filled("watch.timer", network, directory),
    }


def digest(text: str) -> str:
    """SHA-256 as ``sha256sum`` prints it."""
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()


def _filled(template: str, network: str, directory: str) -> str:
    """A file of host/startup with its placeholders replaced."""
    text = asset("host", f"startup/{template}")
    return text.replace("@name@", network).replace("@directory@", directory)
