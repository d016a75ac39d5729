"""The files of an Ansible inventory: itself, or all in its folder, and group_vars and host_vars beside it."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path

from wgorch.inventory.nodes import Mapping, Scalar
from wgorch.inventory.problems import Problems
from wgorch.inventory.sources.ansible.config import FILE, read_config
from wgorch.inventory.sources.ansible.groups import ALL, UNGROUPED, Groups
from wgorch.inventory.sources.ansible.ini import read_ini
from wgorch.inventory.sources.ansible.yaml import SHOWN_BY, read_nodes, read_yaml, variables_of
from wgorch.inventory.sources.permission import Permission

MAX_BYTES = 2 << 20

MAX_FILES = 2000

MAX_DEPTH = 5
"""Folders in folders."""

LEFT_OUT = (".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry", ".csv")
"""Ends of names that Ansible leaves out of a folder; and texts for people."""

YAML = (".yml", ".yaml", ".json")


def read_files(path: Path, at: Scalar | None, permission: Permission, problems: Problems) -> Groups:
    """Everything that an inventory says, as far as it can be read. `at`: what names it."""
    reader = _Files(at, permission, problems)
    groups = Groups()
    is_folder = reader.is_folder(path)
    inventories = list(reader.inventories(path, 0)) if is_folder else [path]
    if not inventories:
        problems.add(at, "", f"{path} holds no inventory", "name its file")
    for file in inventories:
        if (text := reader.text(file)) is not None:
            _inventory(text, file, groups, problems)
    beside = (folder_of / FILE for folder_of in (path.parent, permission.folder))
    config = next((each for each in beside if os.path.lexists(each)), None)
    if config is not None and (text := reader.text(config)) is not None:
        groups.configured = read_config(text, str(config), problems)
    for name, where in groups.undefined():
        problems.add(
            where, "", f"there is no group {name}" if name.isidentifier() else "there is no such group", SHOWN_BY
        )
    folder = path if is_folder else path.parent
    hosts, names = list(groups.hosts), [*groups.names, ALL, UNGROUPED]
    for kind, owners, into in (("group_vars", names, groups.group_vars), ("host_vars", hosts, groups.host_vars)):
        for owner, file in reader.variables(folder / kind, owners):
            if (text := reader.text(file)) is None:
                continue
            if text.startswith("$ANSIBLE_VAULT"):
                what = "is encrypted: logins are without what it says of them"
                problems.add(Scalar(1, 1, "", True, str(file)), "", what, "ansible-vault view shows it", warning=True)
                continue
            root = read_nodes(text, str(file), problems)
            if isinstance(root, Mapping):
                into[owner].update(variables_of(root.items))
            elif root is not None:
                problems.add(root, "", "expected a mapping of variables", SHOWN_BY)
    if circle := groups.circle():
        problems.add(at, "", f"{path}: a group is in itself: {' -> '.join(circle)}", "take one of them out")
    return groups


def _inventory(text: str, file: Path, groups: Groups, problems: Problems) -> None:
    if text.startswith("#!"):
        at = Scalar(1, 1, "", True, str(file))
        problems.add(
            at, "", "is a program, and none of Ansible's is run", "{command: […]} runs one that prints members"
        )
        return
    if file.suffix in YAML or text.lstrip().startswith(("---", "{")):
        root = read_nodes(text, str(file), problems)
        if isinstance(root, Mapping) and (plugin := root.get("plugin")) is not None:
            problems.add(plugin, "plugin", "is of Ansible's, and none is run", "a static inventory, or {command: […]}")
        elif isinstance(root, Mapping):
            read_yaml(root, groups, problems)
        elif root is not None:
            problems.add(root, "", "expected groups", SHOWN_BY)
        return
    if not file.suffix or file.suffix not in (".ini", ".cfg"):  # YAML without its name's end is tried before INI
        is_yaml = re.match(r"(?:\s*(?:#.*)?\n)*[\w.-]+:\s*(?:#.*)?\n", text)
        root = read_nodes(text, str(file), problems if is_yaml else Problems(str(file)))
        if is_yaml and root is None:
            return
        if isinstance(root, Mapping) and all(isinstance(each, Mapping | Scalar) for _, each in root.items):
            read_yaml(root, groups, problems)
            return
    read_ini(text, str(file), groups, problems)


class _Files:
    """Reading of files that may be read."""

    def __init__(self, at: Scalar | None, permission: Permission, problems: Problems) -> None:
        self.at, self.permission, self.problems = at, permission, problems
        self.count = 0

    def text(self, path: Path) -> str | None:
        """The text of a file, of which problems show no line; None if a problem was added."""
        if not self.permission.allows_path(path):
            self._outside(path)
            return None
        self.count += 1
        if self.count > MAX_FILES:
            if self.count == MAX_FILES + 1:
                self.problems.add(self.at, "", f"more than {MAX_FILES} files", "name one inventory")
            return None
        try:
            if not path.is_file():  # a pipe would be waited for
                raise OSError(errno.EINVAL, "it is no file")
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
            text = data.decode("utf-8-sig")
        except OSError as error:
            self.problems.add(self.at, "", f"cannot read {path}: {error.strerror}", "name an inventory in INI or YAML")
            return None
        except UnicodeDecodeError as error:
            before = data[: error.start].decode("utf-8-sig", "replace").split("\n")
            where = Scalar(len(before), len(before[-1]) + 1, "", True, self.problems.of_source(str(path)).name)
            self.problems.add(where, "", f"byte 0x{data[error.start]:02x} is not UTF-8", "save the file as UTF-8")
            return None
        if len(data) > MAX_BYTES:
            self.problems.add(self.at, "", f"{path} is larger than {MAX_BYTES >> 20} MiB", "is it an inventory?")
            return None
        self.problems.of_source(str(path))
        return text.replace("\r\n", "\n")

    def is_folder(self, path: Path) -> bool:
        """Whether a path is a folder; False where that cannot be read."""
        try:
            return path.is_dir()
        except OSError:
            return False

    def inventories(self, folder: Path, depth: int) -> Iterator[Path]:
        """The inventories in a folder and those in it, without variables."""
        for path in self._listed(folder) if depth < MAX_DEPTH else ():
            if self.is_folder(path):
                if path.name not in ("group_vars", "host_vars"):
                    yield from self.inventories(path, depth + 1)
            elif not path.name.endswith(LEFT_OUT):
                yield path

    def variables(self, folder: Path, owners: list[str]) -> Iterator[tuple[str, Path]]:
        """The files of variables of groups or hosts: of each the first of a folder, and of the ends that a file may have."""
        if not os.path.lexists(folder):
            return
        there = {path.name: path for path in self._listed(folder)}
        for owner in owners:
            path = next((there[f"{owner}{end}"] for end in ("", *YAML) if f"{owner}{end}" in there), None)
            if path is not None and self.is_folder(path):
                yield from ((owner, inner) for inner in self._inside(path, 0))
            elif path is not None:
                yield owner, path

    def _inside(self, folder: Path, depth: int) -> Iterator[Path]:
        for path in self._listed(folder) if depth < MAX_DEPTH else ():
            if self.is_folder(path):
                yield from self._inside(path, depth + 1)
            elif path.suffix in (*YAML, "") and not path.name.endswith(LEFT_OUT):
                yield path

    def _listed(self, folder: Path) -> list[Path]:
        """The content of a folder by name, without hidden files; a problem where it may not, or cannot, be read."""
        if not self.permission.allows_path(folder):
            self._outside(folder)
            return []
        try:
            return sorted(p for p in folder.iterdir() if not p.name.startswith("."))
        except OSError as error:
            self.problems.add(
                self.at, "", f"cannot read {folder}: {error.strerror}", "make it readable, or move it away"
            )
            return []

    def _outside(self, path: Path) -> None:
        """Add the problem of a path that may not be read, or leads in a circle."""
        try:
            place = path.resolve()
        except (OSError, RuntimeError):
            self.problems.add(self.at, "", f"cannot read {path}: it is a link to itself", "correct the link")
            return
        fix = self.permission.fix(f"paths: [{place if self.is_folder(place) else place.parent}]")
        self.problems.add(self.at, "", f"{path} lies outside of the inventory's folder", fix)
