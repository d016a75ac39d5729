"""Commands of this machine that a world is built with, and the Debian packages that have them."""

from __future__ import annotations

import shutil
from pathlib import Path

from wgorch.rehearsal.machine import WorldError

PACKAGES = {
    "ip": "iproute2",
    "iptables": "iptables",
    "nft": "nftables",
    "nsenter": "util-linux",
    "ping": "iputils-ping",
    "ps": "procps",
    "ssh-keygen": "openssh-client",
    "sshd": "openssh-server",
    "systemctl": "systemd",
    "wg": "wireguard-tools",
    "wireguard-go": "wireguard-go",
}
PLACES = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def check_tools() -> None:
    """Raise WorldError for commands that this machine lacks."""
    missing = [command for command in PACKAGES if not shutil.which(command, path=PLACES)]
    if "wireguard-go" in missing and Path("/sys/module/wireguard").is_dir():
        missing.remove("wireguard-go")
    if missing:
        packages = " ".join(dict.fromkeys(PACKAGES[command] for command in missing))
        install = f"apt-get install --no-install-recommends {packages}"
        raise WorldError(f"this machine lacks {', '.join(missing)}: {install}")
