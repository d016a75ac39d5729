"""Join what sources give with the inventory's own sections."""

from __future__ import annotations

from pathlib import Path

from wgorch.inventory.nodes import Mapping, Node, Scalar, Sequence, place
from wgorch.inventory.problems import Problems
from wgorch.inventory.sections.ranges import numbered
from wgorch.inventory.sources.command import read_command
from wgorch.inventory.sources.last import Last
from wgorch.inventory.sources.permission import Permission, permission_of
from wgorch.inventory.sources.section import Source, read_sources

MEMBERS = ("hosts", "devices")


def with_sources(root: Mapping, name: str, problems: Problems, *, run_sources: bool) -> Mapping:
    """The root of an inventory with what its sources give. `name`: its path; `run_sources`: all are allowed.

    Where the inventory has a host that a source has, too, it completes it: its own fields win. Raises InventoryError
    for a configuration of permissions that cannot be read.
    """
    node = root.get("from")
    if node is None:
        return root
    permission = permission_of(Path(name).parent, everything=run_sources)
    last = Last(name)
    joined = _Joined(root, problems)
    for source in read_sources(node, problems):
        part = _read(source, permission, problems)
        if part is None:
            continue
        whole = _with_identities(part, source, permission, problems)
        assert isinstance(whole, Mapping)
        _check_size(whole, source, last, problems)
        joined.add(whole)
    if not problems.errors:
        last.keep()
    return joined.root()


def _read(source: Source, permission: Permission, problems: Problems) -> Mapping | None:
    if source.kind == "command":
        return read_command(source, permission, problems)
    if source.kind == "ansible":
        from wgorch.inventory.sources.ansible.hosts import read_ansible

        return read_ansible(source, permission, problems)
    from wgorch.inventory.sources.netbox import read_netbox

    return read_netbox(source, permission, problems)


def _check_size(part: Mapping, source: Source, last: Last, problems: Problems) -> None:
    """Refuse a source that gives nothing, or less than half of what it gave."""
    sections = (part.get(each) for each in MEMBERS)
    names = (name for section in sections if isinstance(section, Mapping) for name, _ in section.items)
    # A range counts as what it stands for; a wrong one becomes a problem later.
    count = sum(len(numbered(name, "", Problems(""))) or 1 if "[" in name.text else 1 for name in names)
    before = last.count(source.name)
    last.set(source.name, count)
    if not count:
        problems.add(
            source.node, source.path, f"{source.name} gives no host and no device", "see why, or delete it here"
        )
    elif count * 2 < before:
        message = f"{source.name} gives {count} of the {before} members that it gave last time"
        problems.add(source.node, source.path, message, f"see why; if that is right, delete {last.path}")


def _with_identities(node: Node, source: Source, permission: Permission, problems: Problems, path: str = "") -> Node:
    """What a source gives, each key file by its whole path; those that this person does not allow become problems."""
    if isinstance(node, Sequence):
        return node._replace(items=[_with_identities(each, source, permission, problems, path) for each in node.items])
    if isinstance(node, Scalar):
        return node
    items: list[tuple[Scalar, Node]] = []
    for key, value in node.items:
        at = f"{path}.{key.text}" if path else key.text
        if key.text == "identity" and isinstance(value, Scalar) and value.text:
            items.append((key, _identity(value, source, permission, problems, at)))
        else:
            items.append((key, _with_identities(value, source, permission, problems, at)))
    return node._replace(items=items)


def _identity(node: Scalar, source: Source, permission: Permission, problems: Problems, path: str) -> Scalar:
    """A key file, as seen from the inventory's folder; ssh would replace what stands behind % and $."""
    try:
        file = permission.folder / Path(node.text).expanduser()
        allowed = permission.everything or (not set("%$") & set(node.text) and permission.allows_path(file))
    except (OSError, RuntimeError, ValueError):
        file, allowed = Path(node.text), False
    if not allowed:
        message = f"{source.name} names a key file outside of the inventory's folder"
        problems.add(node, path, message, permission.fix(f"paths: [{node.text}]"))
    return node if node.text.startswith(("/", "~")) or set("%$") & set(node.text) else node._replace(text=str(file))


class _Joined:
    """The sections of the inventory and of its sources."""

    def __init__(self, root: Mapping, problems: Problems) -> None:
        self._root, self._problems = root, problems
        self._sections = {key.text: (key, node) for key, node in root.items if key.text != "from"}
        self._given: dict[str, dict[str, Scalar]] = {}
        """By section, the names that a source gave, and where."""

    def root(self) -> Mapping:
        """The root, without the section from."""
        self._drop_taken_groups()
        return self._root._replace(items=list(self._sections.values()))

    def _drop_taken_groups(self) -> None:
        """Leave out groups of a source that are named like a member: no line of this inventory asks for them."""
        groups = self._sections.get("groups")
        if groups is None or not isinstance(groups[1], Mapping):
            return
        taken = {
            name.text
            for each in MEMBERS
            if (section := self._sections.get(each)) and isinstance(section[1], Mapping)
            for name, _ in section[1].items
        }
        given = self._given.get("groups", {})
        kept = [pair for pair in groups[1].items if not (given.get(pair[0].text) is pair[0] and pair[0].text in taken)]
        self._sections["groups"] = groups[0], groups[1]._replace(items=kept)

    def add(self, part: Mapping) -> None:
        """Add what one source gives."""
        for key, node in part.items:
            before = self._sections.get(key.text)
            if before is None:
                self._sections[key.text] = (key, node)
                self._note(key.text, node)
            elif isinstance(node, Sequence) and isinstance(before[1], Sequence):
                self._sections[key.text] = (before[0], before[1]._replace(items=[*before[1].items, *node.items]))
            elif isinstance(node, Mapping) and isinstance(before[1], Mapping):
                self._sections[key.text] = (before[0], self._together(key.text, before[1], node))
            elif isinstance(before[1], Mapping | Sequence):
                kind = "a mapping" if isinstance(before[1], Mapping) else "a list"
                self._problems.add(node, key.text, f"expected {kind}", _FORMS[key.text])
            else:
                self._problems.add(before[1], key.text, "is not what a source gives", _FORMS[key.text])

    def _note(self, section: str, node: Node) -> None:
        if isinstance(node, Mapping):
            self._given.setdefault(section, {}).update({name.text: name for name, _ in node.items})

    def _together(self, section: str, own: Mapping, node: Mapping) -> Mapping:
        given = self._given.setdefault(section, {})
        items = {name.text: (name, value) for name, value in own.items}
        for name, value in node.items:
            twin = items.get(name.text)
            if section == "groups" and twin and isinstance(value, Sequence) and isinstance(twin[1], Sequence):
                if name.text in given:  # one group in two sources
                    items[name.text] = (twin[0], twin[1]._replace(items=[*twin[1].items, *value.items]))
                continue  # the inventory's own wins
            if name.text in given:
                message = f"is given by two sources (first at {place(given[name.text])})"
                self._problems.add(name, f"{section}.{name.text}", message, "keep one")
            elif twin is None:
                items[name.text] = (name, value)
            else:
                items[name.text] = (twin[0], self._completed(section, twin, value))
            given.setdefault(name.text, name)
        return own._replace(items=list(items.values()))

    def _completed(self, section: str, own: tuple[Scalar, Node], value: Node) -> Node:
        """A member of the inventory with the fields that it does not have itself."""
        name, node = own
        if section == "groups" and isinstance(node, Mapping) and isinstance(value, Sequence):
            if node.get("members") is None:
                return node._replace(items=[*node.items, (name._replace(text="members"), value)])
        elif section in MEMBERS and isinstance(value, Mapping):
            if isinstance(node, Scalar) and not node.text:
                return value
            if isinstance(node, Mapping):
                has = {key.text for key, _ in node.items}
                return node._replace(items=[*node.items, *(pair for pair in value.items if pair[0].text not in has)])
        self._problems.add(name, f"{section}.{name.text}", f"is also given at {place(value)}", "keep one")
        return node


_FORMS = {
    "hosts": "write each host as a mapping below its name",
    "devices": "write each device as a mapping below its name",
    "groups": "write each group below its name",
    "links": "write a list",
    "verify": "write a list",
}
