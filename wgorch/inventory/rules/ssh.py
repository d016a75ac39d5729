"""Rules for SSH targets."""

from __future__ import annotations

import re
from collections.abc import Mapping

from wgorch.inventory.fields.suggest import suggest_in
from wgorch.inventory.model import Host, SshTarget
from wgorch.inventory.rules.review import Review


def jump_hosts(review: Review) -> None:
    """Jump hosts form no cycle; one that is nearly the name of a host is worth a warning."""
    hosts = review.inventory.hosts
    acyclic: set[str] = set()
    for name, host in hosts.items():
        if cycle := _cycle(name, hosts, acyclic):
            review.add(f"hosts.{name}.ssh.via", f"cycle {' -> '.join(cycle)}", "let one of them be reached directly")
        for jump in host.ssh.via:
            _misspelt(jump, f"hosts.{name}.ssh.via", review)


def _cycle(name: str, hosts: Mapping[str, Host], acyclic: set[str]) -> list[str]:
    """Return the cycle that leads from a host back to it; empty if there is none. Adds to `acyclic`."""
    trail, following = {name: None}, _hosts_in_via(hosts[name].ssh, hosts)
    while following and following[0] not in trail and following[0] not in acyclic:
        trail[following[0]] = None
        following = _hosts_in_via(hosts[following[0]].ssh, hosts)
    if not following or following[0] in acyclic:
        acyclic.update(trail)
        return []
    return [*trail, name] if following[0] == name else []


def _hosts_in_via(target: SshTarget, hosts: Mapping[str, Host]) -> list[str]:
    return [jump.host for jump in target.via if jump.host in hosts and not jump.user and not jump.port]


def _misspelt(jump: SshTarget, path: str, review: Review) -> None:
    # Any word may be an alias of ~/.ssh/config; one that is nearly the name of a host rather is a slip.
    hosts = review.inventory.hosts
    if jump.host in hosts or not re.fullmatch(r"[a-z0-9-]+", jump.host):
        return
    if hint := suggest_in(review.problems, jump.host, hosts):
        message = f'there is no host "{jump.host}" here, so it must be an alias of ~/.ssh/config.{hint}'
        review.add(path, message, "a host of this file, an alias, or user@host", warning=True)


def duplicate_targets(review: Review) -> None:
    """Every host is another machine; the controller itself is `local`."""
    seen: dict[tuple[object, ...], Host] = {}
    for name, host in review.inventory.hosts.items():
        target, path = host.ssh, f"hosts.{name}.ssh"
        twin = seen.setdefault((target.host, target.port or 22, target.via, host.enter), host)
        if twin is not host:
            message = f"{target} is also hosts.{twin.name} ({review.where(f'hosts.{twin.name}.ssh')})"
            review.add(path, message, "one entry for each machine")
        if target.host in ("127.0.0.1", "localhost", "::1") and not target.via and not target.port:
            review.add(path, f"{target.host} is the machine wgorch runs on", 'write "ssh: local"')
