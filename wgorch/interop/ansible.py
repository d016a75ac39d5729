"""The machines of an Ansible inventory, for an inventory that is yet to be written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from wgorch.inventory.locations import Locations
from wgorch.inventory.model import AUTO, SshTarget
from wgorch.inventory.nodes import Scalar
from wgorch.inventory.problems import Problems
from wgorch.inventory.sections.reading import Reading
from wgorch.inventory.sections.ssh import ssh
from wgorch.inventory.sources.ansible.files import read_files
from wgorch.inventory.sources.ansible.hosts import Hosts
from wgorch.inventory.sources.permission import Permission

PASSWORDS = ("ansible_password", "ansible_ssh_pass", "ansible_become_pass", "ansible_become_password")


@dataclass
class Machines:
    """The machines of an inventory, and what was passed over, each as a line for people."""

    targets: list[SshTarget] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)


def machines(path: Path) -> Machines:
    """The machines of an inventory that a person names, each target once."""
    problems = Problems(str(path))
    reading = Reading(problems, Locations())
    found = Machines()
    try:
        groups = read_files(path, Scalar(1, 1, "", True), Permission(path.parent, everything=True), problems)
        hosts = Hosts(groups, problems)
    except RecursionError:
        found.passed_over.append(f"{path}: groups in groups too deep to be read")
        return found
    for name in groups.hosts:
        before, node = problems.count, hosts.target(name)
        target = ssh(node, name, AUTO, reading) if node is not None else None
        if problems.count == before and target and target not in found.targets:
            found.targets.append(target)
        for password in PASSWORDS:
            if password in hosts.variables[name]:
                key, _ = hosts.variables[name][password]
                found.passed_over.append(f"{key.file}:{key.line}:{key.column}: {name}.{password}")
    found.passed_over += [
        line.split("\n")[0].replace(": error: ", ": ", 1).replace(": warning: ", ": ", 1) for line in problems.lines()
    ]
    return found
