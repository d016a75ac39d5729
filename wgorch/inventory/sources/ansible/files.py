"""The files of an Ansible inventory: itself, or all in its folder, and group_vars and host_vars beside it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

from wgorch.inventory.nodes import Mapping, Scalar
from wgorch.inventory.problems import Problems
from wgorch.inventory.sources.ansible.groups import ALL, UNGROUPED, Groups
from wgorch.inventory.sources.ansible.ini import read_ini
from wgorch.inventory.sources.ansible.yaml import SHOWN_BY, read_nodes, read_yaml, variables_of
from wgorch.inventory.sources.permission import Permission

MAX_BYTES = 2 << 20

MAX_FILES = 2000

LEFT_OUT = (".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry", ".csv")
"""Ends of names that Ansible leaves out of a folder; and texts for people."""

YAML = (".yml", ".yaml", ".json")


def read_files(path: Path, at: Scalar | None, permission: Permission, problems: Problems) -> Groups:
    """Everything that an inventory says, as far as it can be read. `at`: what names it."""
    reader = _Files(at, permission, problems)
    groups = Groups()
    inventories = [path]
    if path.is_dir():
        inventories = [p for p in reader.listed(path) if p.is_file() and not p.name.endswith(LEFT_OUT)]
        if not inventories:
            problems.add(at, "", f"{path} holds no inventory", "name its file")
    for file in inventories:
        if (text := reader.text(file)) is not None:
            _inventory(text, file, groups, problems)
    folder = path if path.is_dir() else path.parent
    for name, into in (("group_vars", groups.group_vars), ("host_vars", groups.host_vars)):
        # Others stand for nothing, as in Ansible.
        known = groups.hosts if name == "host_vars" else (*groups.names, ALL, UNGROUPED)
        for owner, file in reader.variables(folder / name):
            if owner not in known or (text := reader.text(file)) is None or text.startswith("$ANSIBLE_VAULT"):
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
        quiet = Problems(str(file))
        root = read_nodes(text, str(file), quiet)
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
            fix = self.permission.fix(f"paths: [{path.resolve().parent}]")
            self.problems.add(self.at, "", f"{path} lies outside of the inventory's folder", fix)
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
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8"
            self.problems.add(self.at, "", f"cannot read {path}: {why}", "name an inventory in INI or YAML")
            return None
        if len(data) > MAX_BYTES:
            self.problems.add(self.at, "", f"{path} is larger than {MAX_BYTES >> 20} MiB", "is it an inventory?")
            return None
        self.problems.of_source(str(path))
        return text.replace("\r\n", "\n")

    def listed(self, folder: Path) -> list[Path]:
        """The content of a folder by name, without hidden files; empty where it cannot be read."""
        try:
            return sorted(p for p in folder.iterdir() if not p.name.startswith("."))
        except OSError:
            return []

    def variables(self, folder: Path) -> Iterator[tuple[str, Path]]:
        """The files of variables in a folder, each with its group or host; a folder of that name holds several."""
        if not self.permission.allows_path(folder):
            return
        for path in self.listed(folder):
            if path.is_dir():
                if self.permission.allows_path(path):
                    yield from ((path.name, p) for p in self._inside(path, 0))
            elif path.suffix in YAML:
                yield path.stem, path
            elif path.is_file() and not path.name.endswith(LEFT_OUT):
                yield path.name, path  # also gw.example without an end

    def _inside(self, folder: Path, depth: int) -> Iterator[Path]:
        for path in self.listed(folder) if depth < 5 else ():
            if path.is_dir():
                yield from self._inside(path, depth + 1)
            elif path.suffix in (*YAML, "") and not path.name.endswith(LEFT_OUT):
                yield path
