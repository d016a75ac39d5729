"""`wgorch --version`: the versions that a report of a fault needs."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from wgorch import __version__


class ShowVersion(argparse.Action):
    """Print the versions, and exit."""

    def __init__(self, option_strings: list[str], dest: str, **_: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help="print versions and exit")

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        sys.stdout.write(f"{versions()}\n")
        parser.exit()


def versions() -> str:
    """``wgorch 1.2.3 (Python 3.11.7, paramiko 5.1.0, OpenSSH 9.2)``."""
    from importlib.metadata import PackageNotFoundError, version

    from wgorch.remote.openssh.argv import ssh_version
    from wgorch.remote.ssh.config_dump import ssh_program

    try:
        paramiko = version("paramiko")
    except PackageNotFoundError:
        paramiko = "missing"
    ssh = "OpenSSH {}.{}".format(*ssh_version()) if ssh_program() else "no ssh program"
    return f"wgorch {__version__} (Python {sys.version.split()[0]}, paramiko {paramiko}, {ssh})"
