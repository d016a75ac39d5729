"""Edit the text of an inventory as a person would: add fields to a mapping, and leave every other character as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import yaml

from wgorch.errors import UsageError


def add_fields(text: str, where: Sequence[str], fields: Mapping[str, str]) -> str:
    """The text with fields added to the mapping at a path of keys; values are YAML already. Raises UsageError."""
    node = _node(text, where)
    pairs = [f"{key}: {value}" for key, value in fields.items()]
    if isinstance(node, yaml.MappingNode) and node.value and not node.flow_style:
        first = node.value[0][0].start_mark
        lines = "".join(f"{pair}\n{' ' * first.column}" for pair in pairs)
        return text[: first.index] + lines + text[first.index :]
    if isinstance(node, yaml.MappingNode):
        at = text.index("{", node.start_mark.index) + 1
        return text[:at] + ", ".join(pairs) + (", " if node.value else "") + text[at:]
    at, end = node.start_mark.index, node.end_mark.index
    gap = "" if text[at - 1 : at] == " " else " "
    return f"{text[:at]}{gap}{{{', '.join(pairs)}}}{text[end:]}"


def add_member(text: str, section: str, name: str, lines: Sequence[str]) -> str:
    """The text with a member, in block style, at the end of a section. Raises UsageError."""
    node = _node(text, [section])
    if not isinstance(node, yaml.MappingNode) or node.flow_style or not node.value:
        raise UsageError(f"{section}: is not in block style", "add the host by hand")
    indent = " " * node.value[0][0].start_mark.column
    # Not at the end of the block, which is where the next one begins, behind empty lines and comments.
    at = text.find("\n", _end_of_value(node.value[-1][1]))
    at = at if at >= 0 else len(text)
    block = "\n".join([f"{indent}{name}:", *(f"{indent}  {line}" for line in lines)])
    return f"{text[:at]}\n\n{block}{text[at:]}"


def _end_of_value(node: yaml.Node) -> int:
    """The index behind the last character of a value."""
    while isinstance(node, yaml.MappingNode | yaml.SequenceNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return int(node.end_mark.index)


def _node(text: str, where: Sequence[str]) -> yaml.Node:
    """The value at a path of keys. Raises UsageError."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        node = None
    for key in where:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((value for found, value in pairs if found.value == key), None)
    if node is None:
        raise UsageError(f"{'.'.join(where)} is not in the file", "add it by hand")
    return node
