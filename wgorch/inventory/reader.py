"""Read YAML text as nodes with line and column; tags, aliases, merges and duplicate keys are refused."""

from __future__ import annotations

import yaml

from wgorch.inventory.nodes import Mapping, Node, Scalar, Sequence
from wgorch.inventory.problems import BREAKS, Problems

MAX_BYTES = 2 << 20

MAX_DEPTH = 20

MAX_NODES = 100_000

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(text: str, problems: Problems, file: str = "") -> Node | None:
    """Return the root node of a YAML text; None if it is empty, or a problem was added. `file`: of an included one."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        message = f"file is {size / (1 << 20):.1f} MiB; the limit is {MAX_BYTES >> 20} MiB"
        problems.add(None, "", message, "is it an inventory?")
        return None
    problems.text = text
    try:
        return _Builder(problems, file).build(text)
    except yaml.MarkedYAMLError as error:
        from wgorch.inventory.yaml_errors import add_yaml_error

        add_yaml_error(error, text, problems)
    except yaml.reader.ReaderError as error:
        code = ord(error.character) if isinstance(error.character, str) else error.character
        # The error's position is in bytes with libyaml, so the character is searched for.
        before = BREAKS.split(text[: max(0, text.find(chr(code)))])
        node = Scalar(len(before), len(before[-1]) + 1, "", True)
        message = f"character U+{code:04X} is not allowed in YAML"
        problems.add(node, "", message, "delete it, or save the file as UTF-8 text")
    return None


class _Refused(Exception):
    """Raised where reading cannot go on, with the problem added."""


class _Builder:
    """Nodes from the events of the parser."""

    def __init__(self, problems: Problems, file: str) -> None:
        self.problems = problems
        self.file = file
        self.root: Node | None = None
        self.open: list[Mapping | Sequence] = []
        self.keys: list[Scalar | None] = []
        """For each open node the key whose value comes next."""
        self.seen: list[dict[str, Scalar]] = []
        """For each open node its keys so far, where they stand first."""

    def build(self, text: str) -> Node | None:
        """Return the root node; None if the text has none, or was refused."""
        documents = nodes = 0
        event: yaml.Event
        for event in yaml.parse(text, Loader=_Loader):
            kind = type(event)
            if kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._close()
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    message = "a second document starts here"
                    self.problems.add(_node(event, self.file), "", message, 'keep one document; delete the "---"')
                    return self.root
            elif kind in (yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent, yaml.AliasEvent):
                nodes += 1
                if nodes > MAX_NODES:
                    message = f"more than {MAX_NODES} values in one file"
                    self.problems.add(_node(event, self.file), "", message, "split the network into several")
                    return None
                try:
                    self._add(event)
                except _Refused:
                    return None
        return self.root

    def _add(self, event: yaml.Event) -> None:
        node = _node(event, self.file)
        if problem := forbidden(event):
            self.problems.refuse(node, _path(self.open, self.keys[-1] if self.keys else None), *problem)
        if self.open and isinstance(self.open[-1], Mapping) and self.keys[-1] is None:
            self._add_key(node)
            return
        self._add_value(node)
        if isinstance(node, Mapping | Sequence):
            self.open.append(node)
            self.keys.append(None)
            self.seen.append({})
            if len(self.open) > MAX_DEPTH:
                message = f"nested deeper than {MAX_DEPTH} levels"
                self.problems.add(node, "", message, "an inventory needs 6 at most")
                raise _Refused

    def _add_key(self, node: Node) -> None:
        if not isinstance(node, Scalar):
            template = "write the value itself; templates ({{ … }}) are not read"
            fix = template if isinstance(node, Mapping) else "write key: value"
            self.problems.add(node, "", "a key must be a word, not a list or a mapping", fix)
            raise _Refused
        first = self.seen[-1].setdefault(node.text, node)
        if node.text == "<<" and node.plain:
            message, fix = 'merge keys ("<<") are not accepted', "repeat the values"
            self.problems.refuse(node, _path(self.open, node), message, fix)
        elif first is not node:
            message = f"given twice (first at {first.line}:{first.column})"
            self.problems.refuse(node, _path(self.open, node), message, "keep one")
        self.keys[-1] = node

    def _add_value(self, node: Node) -> None:
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
            return
        key = self.keys[-1]
        assert key is not None
        parent.items.append((key, node))
        self.keys[-1] = None

    def _close(self) -> None:
        self.open.pop()
        self.keys.pop()
        self.seen.pop()


def _path(open_nodes: list[Mapping | Sequence], key: Scalar | None) -> str:
    """Return the field being read: ``hosts.home.subnets[1]``; `key` is the one in the innermost mapping."""
    path = ""
    for node in open_nodes:
        inner = node is open_nodes[-1]
        if isinstance(node, Sequence):
            path += f"[{len(node.items) - (not inner)}]"
            continue
        name = key if inner else node.items[-1][0]
        if name is not None:
            path += f".{name.text}" if path else name.text
    return path


def forbidden(event: yaml.Event) -> tuple[str, str] | None:
    """Return the problem and the fix for YAML that is not accepted: aliases, anchors, tags."""
    anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
    if isinstance(event, yaml.AliasEvent):
        return f'aliases ("*{anchor}") are not accepted', "repeat the value"
    if anchor:
        return f'anchors ("&{anchor}") are not accepted', "repeat the value where it is needed"
    if tag:
        short = tag.replace("tag:yaml.org,2002:", "!!")
        return f'tags ("{short}") are not accepted', "delete the tag"
    return None


def _node(event: yaml.Event, file: str) -> Node:
    line, column = _location(event)
    if isinstance(event, yaml.ScalarEvent):
        # The style of a plain scalar is None in Python's loader, and "" in libyaml's.
        return Scalar(line, column, event.value, not event.style, file)
    if isinstance(event, yaml.MappingStartEvent):
        return Mapping(line, column, [], file)
    if isinstance(event, yaml.SequenceStartEvent):
        return Sequence(line, column, [], file)
    return Scalar(line, column, "", True, file)


def _location(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)
