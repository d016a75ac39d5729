"""Root directories of other Debian releases, by debootstrap from Debian's registry: made once, and kept in .userlands/."""

from __future__ import annotations

import fcntl
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / ".userlands"
MIRROR = "http://deb.debian.org/debian"

PACKAGES = (
    "conntrack",
    "dbus",
    "iproute2",
    "iptables",
    "iputils-ping",
    "kmod",
    "nftables",
    "openssh-server",
    "procps",
    "systemd-sysv",
    "wireguard-tools",
)

WIREGUARD_GO = """#!/bin/sh
# wireguard-go of another Debian, with the C library it was built for: not every release has the package.
here=/usr/local/lib/wireguard-go
WG_PROCESS_FOREGROUND=1 setsid "$here/ld.so" --library-path "$here" "$here/wireguard-go" -f "$1" </dev/null >/dev/null 2>&1 &
"""


def userland(suite: str) -> Path:
    """The root directory of a release, as ``bullseye``; takes a minute the first time."""
    place = PLACE / suite
    PLACE.mkdir(exist_ok=True)
    with (PLACE / f"{suite}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            begun = PLACE / f"{suite}.begun"
            shutil.rmtree(begun, ignore_errors=True)
            _bootstrap(suite, begun)
            _put_wireguard_go(begun)
            begun.rename(place)
    return place


def _bootstrap(suite: str, place: Path) -> None:
    """The packages' own scripts run in the second stage, in namespaces without a network."""
    include = f"--include={','.join(PACKAGES)}"
    _run("debootstrap", "--foreign", "--variant=minbase", include, suite, str(place), MIRROR)
    apart = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child")
    _run(*apart, "chroot", str(place), "/debootstrap/debootstrap", "--second-stage")
    for deb in (place / "var/cache/apt/archives").glob("*.deb"):
        deb.unlink()


def _put_wireguard_go(place: Path) -> None:
    program = shutil.which("wireguard-go")
    assert program, "wireguard-go is not installed: make setup"
    libraries = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    here = place / "usr/local/lib/wireguard-go"
    here.mkdir(parents=True)
    shutil.copy(program, here / "wireguard-go")
    for path in re.findall(r"(/\S+)", libraries):
        shutil.copy(path, here / ("ld.so" if "/ld-linux" in path else Path(path).name))
    wrapper = place / "usr/bin/wireguard-go"
    wrapper.write_text(WIREGUARD_GO)
    wrapper.chmod(0o755)


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=600, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
