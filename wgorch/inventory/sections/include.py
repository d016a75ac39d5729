"""The section include: an inventory in several files, read as one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wgorch.inventory import schema
from wgorch.inventory.nodes import Mapping, Node, Scalar, Sequence, place
from wgorch.inventory.problems import Problems
from wgorch.inventory.reader import MAX_BYTES, read

MAX_FILES = 500

BY_NAME = ("hosts", "devices", "groups")
LISTS = ("links", "verify")


def with_included(root: Mapping, name: str, problems: Problems) -> Mapping:
    """The root of an inventory with what its files hold; their order does not matter. `name`: the inventory's path."""
    node = root.get("include")
    if node is None:
        return root
    merged = _Merged(problems)
    merged.add(Mapping(root.line, root.column, [item for item in root.items if item[1] is not node]))
    for file, item in _paths(node, Path(name), problems):
        if (part := _read(file, item, problems)) is not None:
            merged.add(part)
    return Mapping(root.line, root.column, merged.items())


def _paths(node: Node, inventory: Path, problems: Problems) -> Iterator[tuple[Path, Scalar]]:
    """Yield the files that `include` names, each once, with the place that names it."""
    items = node.items if isinstance(node, Sequence) else [node]
    base, seen = inventory.parent, {inventory.resolve()}
    for number, item in enumerate(items):
        path = f"include[{number}]"
        if not isinstance(item, Scalar) or not item.text:
            problems.add(item, path, "expected a file", "write include: [sites/*.yaml]")
            continue
        parts = Path(item.text).parts
        if not parts or any("**" in part and part != "**" for part in parts):
            problems.add(item, path, f"{item.text} is no pattern of files", "write include: [sites/*.yaml]")
            continue
        if Path(item.text).is_absolute() or ".." in parts:
            problems.add(item, path, f"{item.text} leads out of the inventory's folder", "move the file below it")
            continue
        try:
            found = sorted(base.glob(item.text))
        except OSError as error:
            problems.add(item, path, f"cannot look for {item.text}: {error.strerror}", "write include: [sites/*.yaml]")
            continue
        if not found:
            problems.add(item, path, f"no file matches {item.text} in {base}", "correct the name, or delete the line")
        for file in found:
            try:
                resolved = file.resolve()
            except (RuntimeError, OSError):  # links in a circle
                resolved = Path("/")
            if not resolved.is_relative_to(base.resolve()):
                problems.add(item, path, f"{file} leads out of the inventory's folder", "copy the file into it")
            elif len(seen) > MAX_FILES:
                problems.add(item, path, f"more than {MAX_FILES} files", "put several sites into one file")
                return
            elif resolved not in seen:
                seen.add(resolved)
                yield file, item


def _read(path: Path, item: Scalar, problems: Problems) -> Mapping | None:
    """The root of one file; None if a problem was added."""
    try:
        if not path.is_file():
            problems.add(item, "include", f"{path} is no file", "name the files in it: sites/*.yaml")
            return None
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        problems.add(item, "include", f"cannot read {path}: {why}", "an inventory is UTF-8 text")
        return None
    own = problems.of_file(str(path))
    root = read(text, own, str(path))
    if isinstance(root, Mapping):
        return root
    if not own.found:
        known = ", ".join(name for name in schema.TOP if name not in ("include", "from"))
        own.add(root, "", f"expected a mapping with some of: {known}", "delete the file, or fill it")
    return None


class _Merged:
    """The sections of several files as one."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._found: dict[str, tuple[Scalar, Node]] = {}
        self._others: list[tuple[Scalar, Node]] = []

    def add(self, root: Mapping) -> None:
        """Add the sections of one file."""
        for key, node in root.items:
            before = self._found.get(key.text)
            if key.text not in schema.TOP:
                self._others.append((key, node))  # named as unknown, where it stands
            elif key.text == "include" or (key.text == "from" and key.file):
                self._problems.add(key, key.text, f"only the inventory itself has {key.text}:", "write it there")
            elif before is None:
                self._found[key.text] = (key, node)
            else:
                self._found[key.text] = (before[0], self._together(key, before, node))

    def items(self) -> list[tuple[Scalar, Node]]:
        """The sections."""
        return [*self._found.values(), *self._others]

    def _together(self, key: Scalar, before: tuple[Scalar, Node], node: Node) -> Node:
        """A section of two files; of one that stands once, the first."""
        first = before[1]
        if key.text in LISTS and isinstance(first, Sequence) and isinstance(node, Sequence):
            return first._replace(items=[*first.items, *node.items])
        if key.text in BY_NAME and isinstance(first, Mapping) and isinstance(node, Mapping):
            return first._replace(items=[*first.items, *self._new(key.text, first, node)])
        message = f"given twice (first at {place(before[0])})"
        if key.text in (*LISTS, *BY_NAME):
            message += ", and one of them is neither a list nor a mapping, as the section is"
        self._problems.add(key, key.text, message, "keep one")
        return first

    def _new(self, section: str, first: Mapping, node: Mapping) -> Iterator[tuple[Scalar, Node]]:
        """The names that are not there yet."""
        known = {name.text: name for name, _ in first.items}
        for name, value in node.items:
            if (twin := known.get(name.text)) is not None:
                message = f"given twice (first at {place(twin)})"
                self._problems.add(name, f"{section}.{name.text}", message, "keep one")
            else:
                yield name, value
