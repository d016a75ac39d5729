"""Files of a device in the form that its system reads; packages bring others by the entry point `wgorch.exporters`.

An exporter is a function that takes a Site and gives texts by file name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from wgorch.errors import UsageError

if TYPE_CHECKING:
    from wgorch.interop.formats.site import Site

Exporter = Callable[["Site"], Mapping[str, str]]

OWN = (
    *(
        "networkd",
        "networkmanager",
        "netplan",
        "ifupdown",
        "openwrt",
        "nixos",
        "routeros",
        "vyos",
        "edgeos",
        "opnsense",
    ),
    *("windows", "mobile"),
)
"""Formats of this package: each a module with a function `export`."""

WITHOUT_EXIT = frozenset(OWN) - {"networkmanager", "openwrt", "windows", "mobile"}
"""Formats whose systems take a default route through the tunnel as it is, with no other for the tunnel's own packets."""

GROUP = "wgorch.exporters"


def exporter(name: str) -> Exporter:
    """The exporter of a format. Raises UsageError."""
    if name in (*OWN, "wg-quick"):
        found: Exporter = import_module(f"wgorch.interop.formats.{name.replace('-', '_')}").export
        return found
    from importlib.metadata import entry_points  # takes milliseconds, for a format that few have

    points = {point.name: point for point in entry_points(group=GROUP)}
    if name not in points:
        raise UsageError(
            f'no format "{name}"', f"one of: wg-quick, peers, compose, hosts, {', '.join([*OWN, *points])}"
        )
    try:
        loaded: Exporter = points[name].load()
    except Exception as error:  # noqa: BLE001 - a package may raise anything
        raise UsageError(
            f"the exporter {name} does not load: {error}", f"update or remove {points[name].value}"
        ) from None
    return loaded
