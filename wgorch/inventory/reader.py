"""YAML text as nodes that know where they stand; no tags, aliases, merges or duplicate keys are accepted."""

from __future__ import annotations

import yaml

from wgorch.inventory.nodes import Mapping, Node, Scalar, Sequence
from wgorch.inventory.problems import BREAKS, Problems
from wgorch.inventory.yaml_errors import add_yaml_error

MAX_BYTES = 2 << 20


MAX_DEPTH = 20


MAX_NODES = 100_000


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(text: str, problems: Problems) -> Node | None:
    """The root node of a YAML text, or None with the reason noted."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        problems.add(
            None, "", f"file is {size / (1 << 20):.1f} MiB; the limit is {MAX_BYTES >> 20} MiB", "is it an inventory?"
        )
        return None
    problems.text = text
    try:
        return _build(text, problems)
    except yaml.MarkedYAMLError as error:
        add_yaml_error(error, text, problems)
    except yaml.reader.ReaderError as error:
        code = ord(error.character) if isinstance(error.character, str) else error.character
        # libyaml counts bytes here, so the character is looked for.
        before = BREAKS.split(text[: max(0, text.find(chr(code)))])
        place = Scalar(len(before), len(before[-1]) + 1, "", True)
        problems.add(
            place, "", f"character U+{code:04X} is not allowed in YAML", "delete it, or save the file as UTF-8 text"
        )
    return None


def _build(text: str, problems: Problems) -> Node | None:
    root: Node | None = None
    open_nodes: list[Mapping | Sequence] = []
    keys: list[Scalar | None] = []
    seen: list[dict[str, Scalar]] = []
    documents = nodes = 0
    event: yaml.Event
    for event in yaml.parse(text, Loader=_Loader):
        kind = type(event)
        if kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            open_nodes.pop()
            keys.pop()
            seen.pop()
            continue
        if kind is yaml.DocumentStartEvent:
            documents += 1
            if documents > 1:
                problems.add(_at(event), "", "a second document starts here", 'keep one document; delete the "---"')
                return root
        if kind not in (yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent, yaml.AliasEvent):
            continue
        nodes += 1
        if nodes > MAX_NODES:
            problems.add(_at(event), "", f"more than {MAX_NODES} values in one file", "split the network into several")
            return None
        node = _node(event)
        if problem := forbidden(event):
            problems.refuse(node, _path(open_nodes, keys[-1] if keys else None), *problem)
        is_key = bool(open_nodes) and isinstance(open_nodes[-1], Mapping) and keys[-1] is None
        if is_key:
            mapping_keys = seen[-1]
            if not isinstance(node, Scalar):
                fix = (
                    "write the value itself; templates ({{ … }}) are not read"
                    if isinstance(node, Mapping)
                    else "write key: value"
                )
                problems.add(node, "", "a key must be a word, not a list or a mapping", fix)
                return None
            if node.text == "<<" and node.plain:
                problems.refuse(
                    node, _path(open_nodes, node), 'merge keys ("<<") are not accepted', "repeat the values"
                )
            elif node.text in mapping_keys:
                first = mapping_keys[node.text]
                problems.refuse(
                    node, _path(open_nodes, node), f"given twice (first at {first.line}:{first.column})", "keep one"
                )
            mapping_keys.setdefault(node.text, node)
            keys[-1] = node
            continue
        if not open_nodes:
            root = node
        else:
            parent = open_nodes[-1]
            if isinstance(parent, Mapping):
                key = keys[-1]
                assert key is not None
                parent.items.append((key, node))
                keys[-1] = None
            else:
                parent.items.append(node)
        if isinstance(node, Mapping | Sequence):
            open_nodes.append(node)
            keys.append(None)
            seen.append({})
            if len(open_nodes) > MAX_DEPTH:
                problems.add(node, "", f"nested deeper than {MAX_DEPTH} levels", "an inventory needs 6 at most")
                return None
    return root


def _path(open_nodes: list[Mapping | Sequence], key: Scalar | None) -> str:
    """The field that is being read: ``hosts.home.subnets[1]``; `key` is the one in the innermost mapping."""
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
    """What of YAML is not accepted, and what to do instead."""
    anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
    if isinstance(event, yaml.AliasEvent):
        return f'aliases ("*{anchor}") are not accepted', "repeat the value"
    if anchor:
        return f'anchors ("&{anchor}") are not accepted', "repeat the value where it is needed"
    if tag:
        short = tag.replace("tag:yaml.org,2002:", "!!")
        return f'tags ("{short}") are not accepted', "delete the tag"
    return None


def _node(event: yaml.Event) -> Node:
    place = _at(event)
    if isinstance(event, yaml.ScalarEvent):
        # A plain scalar's style is None in Python's loader and "" in libyaml's.
        place.text, place.plain = event.value, not event.style
    if isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
        return place
    cls = Mapping if isinstance(event, yaml.MappingStartEvent) else Sequence
    return cls(place.line, place.column)


def _at(event: yaml.Event) -> Scalar:
    mark = event.start_mark
    return Scalar(mark.line + 1, mark.column + 1, "", True) if mark else Scalar(1, 1, "", True)
