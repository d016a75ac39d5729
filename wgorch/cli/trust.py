"""Accept a host's SSH key: show it, let a person compare it, and write it to known_hosts."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wgorch.errors import DONE, UsageError
from wgorch.remote.fleet import Fleet
from wgorch.remote.ssh.known_hosts import fingerprint, load, lookup_name

if TYPE_CHECKING:
    from rich.console import Console

    from wgorch.remote.ssh.config import SshRoute


def trust_host(fleet: Fleet, host: str, *, yes: bool, out: Console) -> int:
    """Write the key that a host (and each jump host before it) shows to known_hosts, after asking."""
    from wgorch.remote.ssh.connections import scan_host_key

    if fleet.hosts[host].ssh.local:
        out.print(f"{host} is this machine; it needs no key")
        return DONE
    way: SshRoute | None = fleet.connections.resolver.of(fleet.hosts[host])
    chain: list[SshRoute] = []
    while way is not None:
        chain.insert(0, way)
        way = way.via
    for hop in chain:
        key = scan_host_key(fleet.connections, host, hop)
        blob = key.asbytes()
        name = lookup_name(hop.known_as or hop.host, hop.port)
        known = load(Path(p) for p in hop.known_hosts_files)
        if any(k.blob == blob and not k.revoked for k in known.keys(hop.known_as or hop.host, hop.port)):
            out.print(f"{name}: known already, {fingerprint(blob)}")
            continue
        if known.keys(hop.known_as or hop.host, hop.port):
            raise UsageError(
                f"{host}: {name} shows {key.get_name()} {fingerprint(blob)}, but another key is known\n"
                f"    fix: if the host was set up anew: ssh-keygen -R '{name}', then wgorch trust {host}"
            )
        out.print(f"{name} shows {key.get_name()} {fingerprint(blob)}")
        out.print(f"compare it on the host itself: ssh-keygen -lf /etc/ssh/ssh_host_{_short(key.get_name())}_key.pub")
        if not yes:
            if not sys.stdin.isatty():
                raise UsageError("nobody is there to compare it\n    fix: compare it yourself, then add --yes")
            if input("Is it the same? [y/N] ").strip().lower() not in ("y", "yes"):
                raise UsageError("not trusted: declined")
        _append(Path(hop.known_hosts_files[0]), f"{name} {key.get_name()} {key.get_base64()}\n")
        out.print(f"trusted: {name}, in {hop.known_hosts_files[0]}")
        fleet.connections.forget_known_hosts()
    return DONE


def _short(kind: str) -> str:
    return "ed25519" if "ed25519" in kind else "ecdsa" if "ecdsa" in kind else "rsa"


def _append(path: Path, line: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "rb+") as file:
        file.seek(0, os.SEEK_END)
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = "\n" + line
        file.write(line.encode())
