"""Debian's own packages, fetched outside a world and taken into it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from wgorch.rehearsal.world import World

UNPACK = """set -e
for deb in /run/debs/*.deb; do dpkg-deb -x "$deb" /run/unpacked; done
cd /run/unpacked
for tree in bin sbin lib; do [ ! -d $tree ] || { mkdir -p usr/$tree; cp -a $tree/. usr/$tree/; rm -r $tree; }; done
cp -a usr/. /usr/
[ ! -d etc ] || cp -a etc/. /etc/
cd / && rm -rf /run/unpacked /run/debs
"""


def fetch(place: Path, *names: str) -> dict[str, bytes]:
    """Packages by file name."""
    (place / "lists" / "partial").mkdir(parents=True)
    user = ["-o", "APT::Sandbox::User=root"]
    own = [*user, "-o", f"Dir::State::Lists={place}/lists", "-o", f"Dir::Cache={place}"]
    ask = {"cwd": place, "capture_output": True, "timeout": 120}
    if subprocess.run(["apt-get", *user, "-qq", "download", *names], check=False, **ask).returncode:  # type: ignore[call-overload]
        subprocess.run(["apt-get", *own, "-qq", "update"], check=True, **ask)  # type: ignore[call-overload]
        subprocess.run(["apt-get", *own, "-qq", "download", *names], check=True, **ask)  # type: ignore[call-overload]
    return {file.name: file.read_bytes() for file in place.glob("*.deb")}


def put(world: World, machine: str, packages: dict[str, bytes], place: str) -> None:
    """Put packages as files into a folder of a machine."""
    for name, data in packages.items():
        argv = world.argv(machine, ["sh", "-c", 'mkdir -p "${1%/*}" && cat >"$1"', "sh", f"{place}/{name}"])
        subprocess.run(argv, input=data, check=True)


def unpack(world: World, machine: str, packages: dict[str, bytes]) -> None:
    """What is in packages, on a machine; none of their scripts is run."""
    put(world, machine, packages, "/run/debs")
    world.sh(machine, UNPACK)
